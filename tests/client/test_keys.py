"""A member's own keys."""

import os
from pathlib import Path

import pytest

from client.errors import KeysError
from client.keys import MemberKeys, load_identity
from crypto.opening import HybridIdentity
from examples.rehearsal import Rehearsal

PHRASE = "olive basket morning river"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, member: MemberKeys) -> Path:
    path = tmp_path_factory.mktemp("keys") / "my.keys"
    member.save(path, PHRASE)
    return path


def refusal_of(path: Path, passphrase: str = PHRASE) -> str:
    with pytest.raises(KeysError) as refusal:
        MemberKeys.load(path, passphrase)
    return refusal.value.sentence.key


def test_what_was_saved_comes_back(saved: Path, member: MemberKeys) -> None:
    loaded = MemberKeys.load(saved, PHRASE)
    assert loaded.public == member.public
    assert loaded.feedback.seed == member.feedback.seed
    assert loaded.signer.sign("text\n").text == "text\n"


@pytest.mark.threat("T-19")
def test_only_its_owner_can_read_it(saved: Path, tmp_path: Path) -> None:
    assert saved.stat().st_mode & 0o777 == 0o600
    open_to_others = tmp_path / "open"
    open_to_others.write_bytes(saved.read_bytes())
    open_to_others.chmod(0o640)
    assert refusal_of(open_to_others) == "client.others-can-read"


def test_the_wrong_passphrase_is_said_to_be_wrong(saved: Path) -> None:
    assert refusal_of(saved, "olive basket morning rivers") == "client.wrong-passphrase"


def test_a_cut_file_is_said_to_be_no_key_file(saved: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.touch(mode=0o600)
    cut.write_bytes(saved.read_bytes()[:-20])
    assert refusal_of(cut) == "client.not-a-key-file"
    assert refusal_of(tmp_path / "missing") == "client.no-such-file"


def test_what_is_no_file_or_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(mode=0o700)
    assert refusal_of(tmp_path / "folder") == "client.file-unreadable"
    long = tmp_path / "long"
    long.touch(mode=0o600)
    long.write_bytes(bytes(70_000))
    assert refusal_of(long) == "client.file-unreadable"


@pytest.mark.threat("T-19")
def test_it_is_the_open_file_that_is_judged(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening and asking, a name can be given to another file."""
    opened, other = tmp_path / "opened", tmp_path / "other"
    opened.write_bytes(saved.read_bytes())
    opened.chmod(0o644)
    other.touch(mode=0o600)
    ask = Path.stat

    def swap_and_ask(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        return ask(other if path == opened else path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", swap_and_ask)
    assert refusal_of(opened) == "client.others-can-read"


def test_keys_are_never_overwritten(saved: Path, member: MemberKeys) -> None:
    with pytest.raises(FileExistsError):
        member.save(saved, PHRASE)


def test_no_key_is_shown(member: MemberKeys) -> None:
    shown = repr(member) + repr(member.signer) + repr(member.feedback)
    for secret in (member.signer.seeds.ed25519, member.signer.seeds.mldsa, member.feedback.seed):
        assert secret.hex() not in shown
        assert repr(secret) not in shown


def test_a_name_says_nothing_of_the_person(member: MemberKeys, rehearsal: Rehearsal) -> None:
    account, _, word = member.signer.key.name.partition("/")
    assert account == rehearsal.account
    assert word.startswith("member-")
    assert MemberKeys.generate(rehearsal.account).signer.key.name != member.signer.key.name


@pytest.mark.parametrize("content", ["", "# comment\n", "AGE-SECRET-KEY-1XYZ\n", "two\nlines\n"])
def test_a_file_that_holds_no_identity_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "identity"
    path.touch(mode=0o600)
    path.write_text(content, encoding="ascii")
    with pytest.raises(KeysError):
        load_identity(path)


def test_an_identity_file_of_age_is_read(tmp_path: Path) -> None:
    identity = HybridIdentity.generate()
    path = tmp_path / "identity"
    path.touch(mode=0o600)
    path.write_text(f"# created: today\n{identity.to_text()}\n", encoding="ascii")
    assert load_identity(path).seed == identity.seed
