"""Where things lie in a package, in which order, and how long they may be.

Conditions come before material: a reader knows what it may do before it holds a byte of it, and
can answer from the front of a large package. Format: docs/format/20-package.md sections 1 and 2.
"""

from typing import Final

from amana.wire import bag
from amana.wire.ids import ConsentId
from amana.wire.package import ObjectPath

# Outside.
SEALED: Final = "data/sealed.age"
SEAL_NOTE: Final = "seal/package.note"
OUTER_TAGS: Final = (
    bag.DECLARATION_NAME,
    bag.INFO_NAME,
    SEAL_NOTE,
    bag.Algorithm.SHA256.manifest,
    bag.Algorithm.SHA256.tag_manifest,
)
"""Every tag file of the outer bag."""

# Inside.
TOP: Final = "package/"
"""The one folder of the inner tar; a name that follows from its content could not stand in it."""
RECORD: Final = "data/metadata/package.json"
SNAPSHOT: Final = "data/metadata/policy/snapshot.json"
CONSENTS: Final = "data/metadata/consent/"
PROVIDER_NOTE: Final = "data/submissionDocumentation/package.note"
PROVIDER_SUBMISSION: Final = "data/submissionDocumentation/submission.json"
PROVIDER_LEAVES: Final = "data/submissionDocumentation/leaves.txt"
PROVIDER_ITEMS: Final = "data/submissionDocumentation/item-manifests.jsonl"
ITEMS: Final = "data/metadata/items.jsonl"
CUSTODY: Final = "data/metadata/custody.jsonl"
CHECKPOINT: Final = "data/metadata/checkpoint.note"
SCANS: Final = "data/metadata/scan/"
PREMIS: Final = "data/metadata/premis.xml"
METADATA: Final = "data/metadata/metadata.csv"
RIGHTS: Final = "data/metadata/rights.csv"
LOADFILE: Final = "data/metadata/loadfile.csv"
OBJECTS: Final = "data/objects/"

SCAN_LIMIT_BYTES: Final = 16 << 20
"""Longest scan report. Ours: what an inspector may answer about one batch."""


def consent_path(consent_id: ConsentId) -> str:
    """Give the place of a consent record."""
    return f"{CONSENTS}{consent_id}.json"


def scan_path(number: int) -> str:
    """Give the place of a scan report, counted from 1."""
    return f"{SCANS}{number:06d}.json"


def object_path(number: int) -> ObjectPath:
    """Give the place of an item's bytes, counted from 1."""
    return ObjectPath(f"{OBJECTS}{number:06d}.bin")
