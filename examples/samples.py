"""Make a small folder of harmless material, with names and sizes that break careless programs."""

import os
import zlib
from pathlib import Path
from typing import Final

ARABIC_NAME: Final = "شهادة حلب ٢٠١٣.pdf"
BIDI_NAME: Final = "invoice\u202egpj.exe"  # shows as invoiceexe.jpg where nobody looks twice
LONGEST_NAME: Final = "ط" * 125 + ".txt1"  # 255 bytes in UTF-8

_PDF: Final = """%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


def make_samples(folder: Path) -> Path:
    """Fill a new folder; the same bytes each time, but for the files' times."""
    photographs = folder / "Photographs"
    photographs.mkdir(parents=True)
    (folder / "nothing in here").mkdir()
    (folder / ARABIC_NAME).write_text(_PDF, encoding="ascii")
    (folder / "empty.txt").touch()
    (folder / BIDI_NAME).write_text("a name that turns around\n", encoding="utf-8")
    (folder / LONGEST_NAME).write_text("a name of 255 bytes\n", encoding="utf-8")
    for number in range(1, 21):
        _picture(photographs / f"IMG_{number:04}.png", number)
    _noise(folder / "recording.bin", 6 << 20)
    (folder / "see also").symlink_to(ARABIC_NAME)
    os.utime(folder / ARABIC_NAME, ns=(0, 1_377_054_765_123_456_789))
    return folder


def _picture(path: Path, number: int) -> None:
    """Write a small PNG (ISO/IEC 15948) of one colour."""
    side = 64 + number
    rows = (b"\0" + bytes([number * 12 % 256, 120, 90]) * side) * side
    header = side.to_bytes(4) * 2 + bytes([8, 2, 0, 0, 0])
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    with path.open("wb") as target:
        target.write(b"\x89PNG\r\n\x1a\n")
        for name, data in chunks:
            target.write(len(data).to_bytes(4) + name + data)
            target.write(zlib.crc32(name + data).to_bytes(4))


def _noise(path: Path, size: int) -> None:
    """Write bytes that do not compress, from a counter under zlib's checksum."""
    with path.open("wb") as target:
        for counter in range(size // 4):
            target.write(zlib.crc32(counter.to_bytes(8)).to_bytes(4))
