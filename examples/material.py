"""Make the folder that a rehearsal sends: one file of each kind that a portal must live through.

All of it is harmless and made here. Three files carry the EICAR test file, which scanners must
report and no machine is harmed by; one archive is encrypted, so nobody can look into it.
"""

import io
import os
import secrets
import zipfile
from pathlib import Path
from typing import Final

import libarchive  # type: ignore[import-untyped]

from examples import media
from examples.samples import ARABIC_NAME, BIDI_NAME, LONGEST_NAME

PHOTOGRAPH: Final = "IMG_0001.jpg"

# In halves: a scanner on a developer's machine would take this very file away.
EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

_STREET: Final = 1_377_054_765_123_456_789  # a night of August 2013, in nanoseconds


def make_material(folder: Path) -> Path:
    """Fill a new folder with a tree of material; give the folder."""
    inner = folder / "Aleppo" / "ward 3" / "صور"
    inner.mkdir(parents=True)
    (folder / "Aleppo" / "nothing in here").mkdir()
    contents = {
        folder / PHOTOGRAPH: media.photograph(),
        folder / "street.mp4": media.film(),
        folder / "register.pdf": media.page(("EXAMPLE", "Not a real register.")),
        folder / "letter.docx": media.letter("مثال: هذه ليست رسالة حقيقية"),
        folder / ARABIC_NAME: media.page(("EXAMPLE", "Not a real testimony.")),
        folder / "archive64.zip": _zip64(),
        folder / "locked.zip": _locked(),
        folder / "eicar.com": EICAR,
        folder / "empty.txt": b"",
        folder / BIDI_NAME: b"a name that turns around\n",
        folder / LONGEST_NAME: b"a name of 255 bytes\n",
        inner / "note.txt": "ملاحظة\n".encode(),
    }
    for path, content in contents.items():
        path.write_bytes(content)
    os.utime(folder / ARABIC_NAME, ns=(_STREET, _STREET))
    return folder


def _zip64() -> bytes:
    """Give a ZIP with 64-bit local headers and EICAR inside: ClamAV alone passes it over."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("readme.txt", "w", force_zip64=True) as member:
            member.write(b"EXAMPLE\n")
        with archive.open("tools/eicar.com", "w", force_zip64=True) as member:
            member.write(EICAR)
    return target.getvalue()


def _locked() -> bytes:
    """Give a ZIP whose one member is encrypted (AES-256)."""
    pieces: list[bytes] = []

    def keep(piece: bytes) -> int:
        pieces.append(bytes(piece))
        return len(piece)

    options, word = "zip:encryption=aes256", secrets.token_hex()
    with libarchive.custom_writer(keep, "zip", options=options, passphrase=word) as archive:
        archive.add_file_from_memory("inside.txt", len(EICAR), EICAR)
    return b"".join(pieces)
