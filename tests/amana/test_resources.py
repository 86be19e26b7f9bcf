"""Templates and static files are found by one resolver and nothing else is."""

import pathlib

import pytest

from amana import resources
from amana.resources import Kind, ResourceError


def test_a_template_is_read_by_its_name() -> None:
    assert b"<html lang=" in resources.read(Kind.TEMPLATES, "shared/base.html")


@pytest.mark.threat("T-17")
@pytest.mark.parametrize(
    "name",
    [
        "../pyproject.toml",
        "/etc/hostname",
        "shared",
        "shared/none.html",
        "",
        "shared/../../LICENSE",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ResourceError):
        resources.read(Kind.TEMPLATES, name)


def test_the_installed_folder_is_taken_before_one_that_lies_beside_it(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "amana"
    (package / "templates").mkdir(parents=True)
    (package.parent / "templates").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.folder(Kind.TEMPLATES) == package / "templates"


def test_a_wheel_without_pages_says_so(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "amana")
    with pytest.raises(ResourceError, match="static is not installed"):
        resources.folder(Kind.STATIC)
