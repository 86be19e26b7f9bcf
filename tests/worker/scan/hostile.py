"""Files that mean harm, each made by a few lines, so that none of them lies in the repository."""

import binascii
import io
import itertools
import os
import tarfile
import zipfile
from collections.abc import Mapping


def zipped(members: Mapping[str, bytes], *, zip64: bool = False) -> bytes:
    """A zip. zip64: with ZIP64 local headers, as programs write them that do not know the size."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            with archive.open(name, "w", force_zip64=zip64) as member:
                member.write(content)
    return file.getvalue()


def nested(content: bytes, depth: int) -> bytes:
    """A content in so many zips around each other."""
    for level in range(depth):
        content = zipped({f"{level}.zip" if level else "inner": content})
    return content


def many(count: int, content: bytes = b"x") -> bytes:
    """A tar with so many members, the last of them the one that matters."""
    names = {f"{number:06d}": b"x" for number in range(count - 1)}
    return tarred({**names, "last": content})


def tarred(members: Mapping[str, bytes]) -> bytes:
    """A tar in PAX form: any name."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def encrypted_zip(name: str, content: bytes, password: bytes) -> bytes:
    """A zip with one stored member under the traditional PKWARE encryption (APPNOTE 6.1)."""
    checked = binascii.crc32(content)
    head = os.urandom(11) + bytes([checked >> 24])
    body = _pkware(head + content, password)
    plain = zipped_stored(name, content)
    begin = 30 + len(name)
    sealed = bytearray(plain[:begin] + body + plain[begin + len(content) :])
    central = sealed.index(b"PK\x01\x02")
    sealed[6] |= 1
    sealed[central + 8] |= 1
    sealed[18:22] = len(body).to_bytes(4, "little")
    sealed[central + 20 : central + 24] = len(body).to_bytes(4, "little")
    end = sealed.index(b"PK\x05\x06")
    sealed[end + 16 : end + 20] = central.to_bytes(4, "little")
    return bytes(sealed)


def zipped_stored(name: str, content: bytes) -> bytes:
    """A zip with one member that is not compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def zeros_then(content: bytes, mebibytes: int) -> bytes:
    """A zip whose one member is megabytes of zeros, with something at their end."""
    return zipped({"large": bytes(mebibytes << 20) + content})


def _pkware(data: bytes, password: bytes) -> bytes:
    keys = [0x12345678, 0x23456789, 0x34567890]
    for byte in password:
        _advance(keys, byte)
    out = bytearray()
    for byte in data:
        mixed = keys[2] | 2
        out.append(byte ^ ((mixed * (mixed ^ 1) >> 8) & 0xFF))
        _advance(keys, byte)
    return bytes(out)


def _advance(keys: list[int], byte: int) -> None:
    keys[0] = _crc_step(keys[0], byte)
    keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
    keys[2] = _crc_step(keys[2], keys[1] >> 24)


def _crc_step(state: int, byte: int) -> int:
    low = (state ^ byte) & 0xFF
    for _ in itertools.repeat(None, 8):
        low = low >> 1 ^ (0xEDB88320 if low & 1 else 0)
    return state >> 8 ^ low
