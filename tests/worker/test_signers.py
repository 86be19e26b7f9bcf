"""The quarantine's own signing keys in their file."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amana.wire.ids import LogOrigin
from crypto.checkpoint import Checkpoint
from crypto.merkle import EMPTY_ROOT
from crypto.note import verify
from worker.errors import SignersError
from worker.signers import PublicSigners, Signers

ORIGIN = LogOrigin("training.invalid/quarantine")
SIGNERS = Signers.generate(ORIGIN)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    SIGNERS.save(tmp_path / "signers.json")
    return tmp_path / "signers.json"


def test_what_is_loaded_signs_as_what_was_saved(path: Path) -> None:
    loaded = Signers.load(path)
    public = SIGNERS.public
    assert PublicSigners.from_bytes(public.to_bytes()) == public
    for signer, key in ((loaded.note, public.note), (loaded.pull, public.pull)):
        verify(signer.sign("amana/word/v1\n{}\n"), key)
    checkpoint = loaded.log.sign(Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT))
    verify(checkpoint, public.log)
    verify(loaded.cosigner.cosign(checkpoint, at=0), public.cosigner)


@pytest.mark.threat("T-19")
def test_no_seed_is_shown_by_repr(path: Path) -> None:
    shown = repr(Signers.load(path)) + repr(SIGNERS)
    assert SIGNERS.note.seeds.ed25519.hex() not in shown
    assert repr(SIGNERS.note.seeds.ed25519) not in shown


@pytest.mark.threat("T-19")
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_keys_that_others_can_read_are_not_used(mode: int, path: Path) -> None:
    path.chmod(mode)
    with pytest.raises(SignersError):
        Signers.load(path)


def test_keys_are_never_overwritten(path: Path) -> None:
    with pytest.raises(FileExistsError):
        Signers.generate(ORIGIN).save(path)
    with pytest.raises(SignersError):
        Signers.load(path.with_name("nothing"))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(untrusted=st.binary(max_size=400))
def test_arbitrary_bytes_are_no_keys(untrusted: bytes, tmp_path: Path) -> None:
    place = tmp_path / "arbitrary"
    place.touch(mode=0o600)
    place.write_bytes(untrusted)
    with pytest.raises(SignersError):
        Signers.load(place)
