"""The portal's keys are its own file, and are never believed loosely."""

from pathlib import Path

import pytest

from amana.settings import PortalSettings, Settings
from portal.card import CardSource, read_directory
from portal.custody import PortalKeys
from portal.errors import DirectoryError, KeysError
from tests.portal.conftest import House


def test_keys_come_back_as_they_were_saved_and_show_no_secret(tmp_path: Path) -> None:
    made = PortalKeys.generate("portal.example/receipts")
    made.save(tmp_path / "keys")
    loaded = PortalKeys.load(tmp_path / "keys")
    assert loaded.public == made.public
    assert loaded.form_secret == made.form_secret
    assert loaded.form_secret.hex() not in repr(loaded)
    assert str(loaded.form_secret) not in repr(loaded)
    with pytest.raises(FileExistsError):
        made.save(tmp_path / "keys")


def test_a_key_file_that_is_missing_loose_or_malformed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    with pytest.raises(KeysError, match="no keys yet"):
        PortalKeys.load(path)
    PortalKeys.generate("portal.example/receipts").save(path)
    path.chmod(0o640)
    with pytest.raises(KeysError, match="others can read"):
        PortalKeys.load(path)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(KeysError, match="malformed"):
        PortalKeys.load(path)


@pytest.mark.threat("T-12")
def test_directory_keys_are_three_signers_or_none(house: House, tmp_path: Path) -> None:
    path = tmp_path / "directory"
    lines = [line for signer in house.directory for line in signer.key.to_texts()]
    path.write_text("\n".join(lines))
    assert read_directory(path) == tuple(signer.key for signer in house.directory)
    for wrong in (lines[:4], lines[:4] + lines[:2], lines[::-1], [*lines[:5], "x"], ["é"] * 6):
        path.write_text("\n".join(wrong))
        with pytest.raises(DirectoryError):
            read_directory(path)
    path.unlink()
    settings = Settings(data_directory=tmp_path, portal=PortalSettings(directory_keys="directory"))
    with pytest.raises(DirectoryError):
        CardSource.of(settings)
