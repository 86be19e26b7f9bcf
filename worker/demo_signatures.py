"""A small signature database of our own, for demonstrations and tests: EICAR and two markers.

It finds the harmless test file that every scanner knows, a marker that stands for malware and one
that stands for something unwanted; of real malware it knows nothing. So each report made with it
says `demo`, and production refuses it (worker/signatures.py).
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from amana.wire.ids import Digest
from worker.canary import EICAR
from worker.signatures import (
    DESCRIPTION_NAME,
    SignatureDescription,
    SignatureFile,
    SignatureProfile,
)

MARKER: Final = b"amana demo marker: " + b"report this as malware"
"""What a demonstration puts into a file, anywhere in it, to have it reported as infected."""

UNWANTED_MARKER: Final = b"amana demo marker: " + b"report this as unwanted"
"""The same, to have it reported as flagged: its signature is of ClamAV's PUA family."""

_VERSION: Final = "demo-1"
_BODY: Final = "amana-demo.ndb"
_HASH: Final = "amana-demo.hdb"


def write_demo(folder: Path, dated: date) -> None:
    """Write the database, dated by the caller, and its description into an existing folder.

    An .ndb line is name:target:offset:hex (any target, any offset); an .hdb line is
    md5:size:name (ClamAV manual, "signatures"). The same day gives the same bytes.
    """
    md5 = hashlib.md5(EICAR, usedforsecurity=False).hexdigest()
    bodies = (("Amana.Demo.Eicar", EICAR), ("Amana.Demo.Marker", MARKER))
    unwanted = ("PUA.Amana.Demo.Marker", UNWANTED_MARKER)
    texts = {
        _HASH: f"{md5}:{len(EICAR)}:Amana.Demo.Eicar.File\n",
        _BODY: "".join(f"{name}:0:*:{body.hex()}\n" for name, body in (*bodies, unwanted)),
    }
    write_described(folder, texts, _VERSION, dated)


def write_described(folder: Path, texts: Mapping[str, str], version: str, dated: date) -> None:
    """Write a database of our own: its files, one signature a line, and the description."""
    files = []
    for name, text in sorted(texts.items()):
        (folder / name).write_text(text, encoding="ascii")
        digest = Digest(hashlib.sha256(text.encode("ascii")).hexdigest())
        files.append(SignatureFile(name=name, sha256=digest))
    description = SignatureDescription(
        profile=SignatureProfile.DEMO,
        version=version,
        dated=dated,
        count=sum(text.count("\n") for text in texts.values()),
        files=tuple(files),
    )
    (folder / DESCRIPTION_NAME).write_bytes(description.to_bytes())
