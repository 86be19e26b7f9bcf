"""Material full of canaries, some of it broken so that whoever reads it stumbles.

Everything is harmless and made here. A broken file has a name that ends in `.zip`.
"""

import gzip
import io
import struct
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from drills.canaries import Canary, arabic, digests, latin
from examples import media


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One file. name: where it lies below the material's folder. claimed: a media type."""

    name: str
    content: bytes
    claimed: str = "application/octet-stream"


@dataclass(slots=True)
class Nest:
    """Makes marks, and keeps them."""

    canaries: list[Canary] = field(default_factory=list)

    def mark(self, what: str) -> str:
        """Give a new mark of Latin letters."""
        return self._kept(what, latin())

    def letters(self, what: str) -> str:
        """Give a new mark of Arabic letters."""
        return self._kept(f"{what}, Arabic", arabic())

    def watch(self, what: str, secret: str) -> None:
        """Keep a mark that somebody else made."""
        self._kept(what, secret)

    def given(self, what: str, name: str, content: bytes, claimed: str = "") -> Given:
        """Give a file whose digests are watched too."""
        self.canaries += digests(what, content)
        return Given(name=name, content=content, claimed=claimed or "application/octet-stream")

    def _kept(self, what: str, mark: str) -> str:
        self.canaries.append(Canary(what=what, mark=mark.encode()))
        return mark


def few(nest: Nest) -> tuple[Given, ...]:
    """Give a photograph and a broken archive."""
    return (_photograph(nest), _cut_zip(nest))


def many(nest: Nest) -> tuple[Given, ...]:
    """Give one file of each kind that a program could write down somewhere."""
    folder = f"{nest.mark('a folder name')} {nest.letters('a folder name')}"
    return (
        *few(nest),
        nest.given(
            "a testimony",
            f"{folder}/{nest.letters('a file name')}.txt",
            f"{nest.mark('a text')} {nest.letters('a text')}\n".encode(),
            f"application/x-{nest.mark('a claimed type')}",
        ),
        nest.given("a letter", "letter.docx", media.letter(nest.letters("a letter"))),
        nest.given("a page", "register.pdf", media.page((nest.mark("a page"),))),
        nest.given("an archive", f"{folder}/archive.tar", _tar(nest)),
        nest.given("an archive in an archive", "nested.zip", _nested(nest)),
        *_broken(nest),
    )


def lay(folder: Path, given: tuple[Given, ...]) -> Path:
    """Write the material into a new folder; give the folder."""
    folder.mkdir(mode=0o700)
    for each in given:
        path = folder / each.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(each.content)
    return folder


def _photograph(nest: Nest) -> Given:
    comment = nest.mark("a photograph's comment").encode()
    segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    plain = media.photograph()
    name = f"{nest.mark('a photograph name')}.jpg"
    return nest.given("a photograph", name, plain[:2] + segment + plain[2:], "image/jpeg")


def _cut_zip(nest: Nest) -> Given:
    whole = _zip({nest.mark("a member name"): nest.mark("a member").encode() * 9})
    name = f"{nest.mark('a broken file name')}.zip"
    return nest.given("a broken archive", name, whole[: len(whole) * 2 // 3])


def _broken(nest: Nest) -> tuple[Given, ...]:
    inside = nest.mark("broken content").encode()
    packed = _zip({nest.mark("a name in a broken file"): inside})
    member = _tar(nest)
    contents = {
        "a zip with a false checksum": packed.replace(b"PK\x01\x02", b"PK\x01\x03"),
        "a gzip cut short": gzip.compress(inside * 50)[:-9],
        "a tar with a false header": member[:140] + b"\xff" * 20 + member[160:],
        "a tar cut short": member[: 512 + 3],
        "a 7z of nothing": b"7z\xbc\xaf\x27\x1c\0\4" + inside * 4,
        "a rar of nothing": b"Rar!\x1a\x07\x01\0" + inside * 4,
        "a cabinet of nothing": b"MSCF\0\0\0\0" + inside * 4,
        "a PDF of nothing": b"%PDF-1.7\n" + inside + b"\nstartxref\n-1\n%%EOF",
        "a photograph of nothing": b"\xff\xd8\xff\xe1\xff\xff" + inside,
        "an office file of nothing": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + inside * 40,
        "a program of nothing": b"MZ" + b"\0" * 58 + b"\xff\xff\xff\x7f" + inside,
        "XML without an end": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "' + inside + b'">]>',
    }
    return tuple(
        nest.given(what, f"{nest.mark(f'the name of {what}')}.zip", content)
        for what, content in contents.items()
    )


def _nested(nest: Nest) -> bytes:
    inner = _zip({nest.mark("a name two deep"): nest.mark("a content two deep").encode()})
    folder = f"{nest.letters('a folder in an archive')}/{nest.mark('an inner archive')}.zip"
    return _zip({folder: inner}, comment=nest.mark("an archive comment").encode())


def _zip(members: dict[str, bytes], comment: bytes = b"") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()


def _tar(nest: Nest) -> bytes:
    target, content = io.BytesIO(), nest.mark("a tar member").encode()
    with tarfile.open(fileobj=target, mode="w") as archive:
        member = tarfile.TarInfo(f"{nest.letters('a tar member name')}.txt")
        member.size, member.uname = len(content), nest.mark("an owner in a tar")
        archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo(nest.mark("a link in a tar"))
        link.type, link.linkname = tarfile.SYMTYPE, nest.mark("a link's target")
        archive.addfile(link)
    return target.getvalue()
