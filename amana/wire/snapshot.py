"""The terms snapshot: every condition over a submission, as it stood on one day.

It travels with the package, so that whoever holds the material holds its conditions and can
evaluate them with no help from us. A person's consent is here as the record itself, and nowhere a
second time as a layer; what stands over one item is worked out from what that item names, by
`amana.wire.item_terms` and by nothing else. The mandate is not in it: it is code, and nobody can
leave it out. Format: docs/format/12-terms-snapshot.md.
"""

import hashlib
from datetime import date
from typing import ClassVar

from amana.wire.conditions import CONSENT, LAYER
from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Day, Many, Nullable
from amana.wire.ids import CONSENT_ID, DIGEST, SUBMISSION_ID, ConsentId, Digest, SubmissionId
from amana.wire.vocabulary import Deployment
from crypto import canonical
from terms.consent import ConsentRecord
from terms.errors import TermsError
from terms.layer import Layer, LayerKind, Terms

NEVER_CARRIED = frozenset({LayerKind.MANDATE, LayerKind.CONSENT})
"""Layers that are not documents: one is code, the other follows from a person's own record."""


@record
class SnapshotLayer:
    """One layer, and the document that it was taken from."""

    layer: Layer = carries(LAYER, "The conditions of one party, in one version.")
    source_sha256: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the signed document; null where there is none."
    )


@record
class TermsSnapshot(Document):
    """Every condition over a submission, as it stood on one day.

    FieldError: a layer twice, a mandate or a consent among them, or a person's record twice or
    under a name that is no consent id.
    """

    FORMAT: ClassVar = "amana/terms-snapshot/v1"
    LIMIT_BYTES: ClassVar = 16 << 20

    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission.")
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    taken_on: date = carries(Day(), "The day on which this was how things stood.")
    layers: tuple[SnapshotLayer, ...] = carries(
        Many(Nested(SnapshotLayer), 4_096), "All layers but mandate and consents, in any order."
    )
    consents: tuple[ConsentRecord, ...] = carries(
        Many(CONSENT, 4_096), "The persons' records, whole, with every word since; in any order."
    )

    def __post_init__(self) -> None:
        if any(each.layer.kind in NEVER_CARRIED for each in self.layers):
            raise FieldError("has a mandate or a consent, which are never carried", "layers")
        try:
            Terms(layers=tuple(each.layer for each in self.layers))
        except TermsError as failure:
            raise FieldError("are not layers that terms can have together", "layers") from failure
        if len({consent_id(each) for each in self.consents}) != len(self.consents):
            raise FieldError("names a record twice", "consents")


def consent_id(consent: ConsentRecord) -> ConsentId:
    """Give the id by which items name a record. FieldError: its name is no such id."""
    try:
        return CONSENT_ID.read(str(consent.uid))
    except FieldError as fault:
        raise fault.inside("consents") from None


def consent_document(consent: ConsentRecord) -> bytes:
    """Give a record as the document that travels by itself: its canonical JSON."""
    return canonical.encode(CONSENT.write(consent))


def consent_digest(consent: ConsentRecord) -> Digest:
    """Give the SHA-256 of a record's document, by which packages and manifests name it."""
    return Digest(hashlib.sha256(consent_document(consent)).hexdigest())
