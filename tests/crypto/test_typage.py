"""Other people's programs open what we seal, and we what they seal.

typage (npm age-encryption) is the stock reader here, run as a program of its own in real pipelines;
pyrage (Rust age) is the second one, for X25519.
"""

import io
import subprocess
import tarfile
from pathlib import Path

import pyrage
import pytest

from crypto import armor
from crypto.opening import (
    HybridIdentity,
    Identity,
    ScryptIdentity,
    X25519Identity,
    open_age,
    open_object,
)
from crypto.padding import Kind
from crypto.recipients import ScryptRecipient
from crypto.seal import seal
from tests.crypto import stock

OFFICE = HybridIdentity.generate()
CLASSIC = X25519Identity(secret=bytes([7] * 32))
WORDS = "correct horse battery staple"
CONTENT = bytes(range(256)) * 700


def opened(age_file: bytes, identity: Identity) -> bytes:
    return b"".join(open_age(io.BytesIO(age_file), identity))


def pipeline(sealed: Path, *last: str) -> bytes:
    """Run `age -d -i OFFICE SEALED | LAST` and return what comes out at its end."""
    reader_command = stock.command("age.mjs", "decrypt", OFFICE.to_text())
    with (
        sealed.open("rb") as source,
        subprocess.Popen(reader_command, stdin=source, stdout=subprocess.PIPE) as reader,
    ):
        finished = subprocess.run(last, stdin=reader.stdout, capture_output=True, check=True)
        assert reader.stdout is not None
        reader.stdout.close()
    assert reader.returncode == 0
    return finished.stdout


@pytest.mark.parametrize("size", [0, 1, 65_536, len(CONTENT)])
def test_age_and_head_open_one_file(tmp_path: Path, size: int) -> None:
    sealed = tmp_path / "object.age"
    sealed.write_bytes(b"".join(seal([CONTENT[:size]], OFFICE.recipient, Kind.RAW)))
    assert pipeline(sealed, "head", "-c", str(size)) == CONTENT[:size]


def test_the_size_can_be_read_without_a_manifest(tmp_path: Path) -> None:
    """The line in the chapter, for whoever has nothing but the object and its key."""
    sealed = tmp_path / "object.age"
    sealed.write_bytes(b"".join(seal([CONTENT], OFFICE.recipient, Kind.RAW)))
    line = "tail -c 16 | head -c 8 | od -An -tu8 --endian=big"
    assert int(pipeline(sealed, "sh", "-c", line)) == len(CONTENT)


def test_age_and_tar_open_a_pack(tmp_path: Path) -> None:
    packed = io.BytesIO()
    names = ["photos/1.jpg", "photos/٢.jpg", "n" * 150 + ".txt"]
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(CONTENT)
            tar.addfile(member, io.BytesIO(CONTENT))
    sealed = tmp_path / "pack.age"
    sealed.write_bytes(b"".join(seal([packed.getvalue()], OFFICE.recipient, Kind.PACK)))
    out = tmp_path / "out"
    out.mkdir()
    pipeline(sealed, "tar", "-x", "-C", str(out))
    assert {name: (out / name).read_bytes() for name in names} == dict.fromkeys(names, CONTENT)


def test_typage_opens_our_plain_files() -> None:
    assert (
        stock.run(
            "age.mjs", "decrypt", CLASSIC.to_text(), data=stock.age_file(CONTENT, CLASSIC.recipient)
        )
        == CONTENT
    )
    locked = stock.age_file(CONTENT, ScryptRecipient(passphrase=WORDS, log_work_factor=10))
    assert stock.run("age.mjs", "decrypt-passphrase", WORDS, data=locked) == CONTENT


def test_we_open_what_typage_seals() -> None:
    sealed = stock.run("age.mjs", "encrypt", OFFICE.recipient.to_text(), data=CONTENT)
    assert opened(sealed, OFFICE) == CONTENT
    sealed = stock.run("age.mjs", "encrypt", CLASSIC.recipient.to_text(), data=CONTENT)
    assert opened(sealed, CLASSIC) == CONTENT
    locked = stock.run("age.mjs", "encrypt-passphrase", WORDS, data=CONTENT)
    assert opened(locked, ScryptIdentity(passphrase=WORDS)) == CONTENT


def test_a_browser_can_make_our_objects_with_typage() -> None:
    """It only has to write the payload: content, zeros, trailer."""
    ours = b"".join(seal([CONTENT], OFFICE.recipient, Kind.RAW))
    payload = opened(ours, OFFICE)
    theirs = stock.run("age.mjs", "encrypt", OFFICE.recipient.to_text(), data=payload)
    assert len(theirs) == len(ours)
    assert b"".join(open_object(io.BytesIO(theirs), OFFICE, kind=Kind.RAW)) == CONTENT


def test_typage_makes_the_same_recipient_of_an_identity() -> None:
    assert (
        stock.run("age.mjs", "recipient", OFFICE.to_text()).decode() == OFFICE.recipient.to_text()
    )
    generated = stock.run("age.mjs", "keygen").decode()
    theirs = HybridIdentity.from_text(generated)
    assert theirs.to_text() == generated


def test_armor_goes_both_ways() -> None:
    sealed = stock.age_file(b"short", OFFICE.recipient)
    assert stock.run("age.mjs", "armor", data=sealed) == armor.encode(sealed)
    assert stock.run("age.mjs", "dearmor", data=armor.encode(sealed)) == sealed


@pytest.mark.threat("T-02")
@pytest.mark.threat("T-01")
def test_typage_refuses_what_we_refuse() -> None:
    sealed = b"".join(seal([CONTENT], OFFICE.recipient, Kind.RAW))
    stranger = HybridIdentity.generate()
    for key, data in ((stranger, sealed), (OFFICE, sealed[:-1]), (OFFICE, sealed + b"\0")):
        with pytest.raises(subprocess.CalledProcessError):
            stock.run("age.mjs", "decrypt", key.to_text(), data=data)


def test_pyrage_and_we_open_each_others_files() -> None:
    theirs = pyrage.x25519.Identity.from_str(CLASSIC.to_text())
    assert str(theirs.to_public()) == CLASSIC.recipient.to_text()
    assert pyrage.decrypt(stock.age_file(CONTENT, CLASSIC.recipient), [theirs]) == CONTENT
    assert opened(pyrage.encrypt(CONTENT, [theirs.to_public()]), CLASSIC) == CONTENT
