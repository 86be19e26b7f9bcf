"""Settings are read once, and whatever is not known is refused."""

import pathlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana import settings
from amana.settings import Deployment, SettingsError

Write = Callable[[str], pathlib.Path]


@pytest.fixture
def write(tmp_path: pathlib.Path) -> Write:
    def write_file(text: str) -> pathlib.Path:
        path = tmp_path / "amana.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def test_without_a_file_it_is_a_training_deployment_in_this_folder(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = settings.load(None, {})
    assert told.deployment is Deployment.TRAINING
    assert told.data_directory == tmp_path / "var"
    assert told.portal.database_url == f"sqlite+aiosqlite:///{tmp_path}/var/portal.db"


def test_a_folder_is_relative_to_the_file_that_names_it(write: Write) -> None:
    path = write('data_directory = "kept"\n')
    assert settings.load(path, {}).data_directory == path.parent / "kept"


def test_the_environment_overrides_the_file(write: Write) -> None:
    path = write('[portal]\nlog_origin = "a.example/log"\n')
    told = settings.load(path, {"AMANA_PORTAL_LOG_ORIGIN": "b.example/log"})
    assert told.portal.log_origin == "b.example/log"


def test_every_described_setting_is_honoured(tmp_path: pathlib.Path) -> None:
    """Each one is given a value of its own, which must stand somewhere in the result."""
    values = {
        "deployment": "PRODUCTION",
        "data_directory": str(tmp_path / "kept"),
    }
    for known in settings.described():
        other = f"given.example/{known.section}/{known.name}"
        if known.default.isdecimal():
            other = str(int(known.default) + 1)
        value = values.get(known.name, other)
        environ = {known.variable: value}
        if known.name == "deployment":
            environ |= {
                "AMANA_PORTAL_LOG_ORIGIN": "p.example",
                "AMANA_WORKER_LOG_ORIGIN": "w.example",
            }
        told = settings.load(None, environ)
        part = getattr(told, known.section) if known.section else told
        assert str(getattr(part, known.name)) == value


@pytest.mark.parametrize("text", ["keep_days = 0", 'keep_days = "0"'])
def test_a_number_may_be_written_as_one(write: Write, text: str) -> None:
    assert settings.load(write(f"[portal]\n{text}"), {}).portal.keep_days == 0


@pytest.mark.parametrize("text", ["-1", "366", "true", '"x"', '"٣"', "1.5", "9999999999999"])
def test_a_number_that_is_none_or_too_large_is_refused(write: Write, text: str) -> None:
    with pytest.raises(SettingsError, match="keep_days must be"):
        settings.load(write(f"[portal]\nkeep_days = {text}"), {})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('deploymnet = "TRAINING"', "deploymnet"),
        ('[portal]\nlog_orign = "x"', r"\[portal\] log_orign"),
        ("[gateway]\nx = 1", "gateway"),
        ('portal = "x"', "portal"),
    ],
)
def test_an_unknown_name_is_refused_by_its_name(write: Write, text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        settings.load(write(text), {})


def test_an_unknown_variable_is_refused_by_its_name() -> None:
    with pytest.raises(SettingsError, match="AMANA_PORTAL_LOG_ORIGN"):
        settings.load(None, {"AMANA_PORTAL_LOG_ORIGN": "x", "PATH": "/bin", "AMANA_LANGUAGE": "ar"})


@pytest.mark.parametrize("text", ["data_directory = 3", "data_directory = ['a']"])
def test_a_value_of_the_wrong_kind_is_refused(write: Write, text: str) -> None:
    with pytest.raises(SettingsError, match="data_directory must be a string"):
        settings.load(write(text), {})


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb"])
def test_an_origin_that_no_signed_note_could_carry_is_refused(origin: str) -> None:
    with pytest.raises(SettingsError, match="log_origin"):
        settings.load(None, {"AMANA_WORKER_LOG_ORIGIN": origin})


def test_production_needs_names_of_its_own() -> None:
    with pytest.raises(SettingsError, match="PRODUCTION needs log_origin"):
        settings.load(None, {"AMANA_DEPLOYMENT": "PRODUCTION"})


def test_a_deployment_is_one_of_two_words() -> None:
    with pytest.raises(SettingsError, match="neither TRAINING nor PRODUCTION"):
        settings.load(None, {"AMANA_DEPLOYMENT": "production"})


def test_a_file_that_is_too_large_is_not_read(write: Write) -> None:
    with pytest.raises(SettingsError, match="is over 65536 bytes"):
        settings.load(write("#" * 65537), {})


def test_a_database_url_is_not_in_the_representation() -> None:
    """It may hold a password, and a representation ends up in a log one day."""
    told = settings.load(None, {"AMANA_PORTAL_DATABASE_URL": "postgresql://u:secret@h/d"})
    assert "secret" not in repr(told)


@given(untrusted=st.binary(max_size=200))
def test_any_bytes_are_settings_or_refused(
    tmp_path_factory: pytest.TempPathFactory, untrusted: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "amana.toml"
    path.write_bytes(untrusted)
    try:
        settings.load(path, {})
    except SettingsError:
        return
