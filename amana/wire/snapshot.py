"""The terms snapshot: every condition over a submission, as it stood on one day.

It travels with the package, so that whoever holds the material holds its conditions and can
evaluate them with no help from us. What a layer means is `terms`' alone. The mandate is not in it:
it is code, and nobody can leave it out. Format: docs/format/12-terms-snapshot.md.
"""

from datetime import date
from typing import ClassVar

from amana.wire.conditions import LAYER
from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Day, Many, Nullable
from amana.wire.ids import (
    CONSENT_ID,
    DIGEST,
    SUBMISSION_ID,
    ConsentId,
    Digest,
    SubmissionId,
)
from amana.wire.vocabulary import Deployment
from terms.consent import ConsentState
from terms.errors import TermsError
from terms.layer import ConsentExemptReason, Layer, LayerKind, Terms


@record
class SnapshotLayer:
    """One layer, and the document that it was taken from."""

    layer: Layer = carries(LAYER, "The conditions of one party, in one version.")
    source_sha256: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the signed document; null where there is none."
    )


@record
class ConsentStanding:
    """Where one person's consent stood on that day."""

    consent_id: ConsentId = carries(CONSENT_ID, "The consent record.")
    sha256: Digest = carries(DIGEST, "SHA-256 of the record's document.")
    state: ConsentState = carries(Choice(ConsentState), "Where it stood.")


@record
class TermsSnapshot(Document):
    """Every condition over a submission, as it stood on one day.

    FieldError: a layer twice, a mandate among them, or a consent record twice.
    """

    FORMAT: ClassVar = "amana/terms-snapshot/v1"
    LIMIT_BYTES: ClassVar = 16 << 20

    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission.")
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    taken_on: date = carries(Day(), "The day on which this was how things stood.")
    layers: tuple[SnapshotLayer, ...] = carries(
        Many(Nested(SnapshotLayer), 4_096), "All layers but the mandate, in any order."
    )
    consents: tuple[ConsentStanding, ...] = carries(
        Many(Nested(ConsentStanding), 4_096), "The consent records behind the consent layers."
    )
    consent_exempt_reason: ConsentExemptReason | None = carries(
        Nullable(Choice(ConsentExemptReason)), "Why nobody's consent is needed, where that is so."
    )

    def __post_init__(self) -> None:
        if len({each.consent_id for each in self.consents}) != len(self.consents):
            raise FieldError("names a record twice", "consents")
        if any(each.layer.kind is LayerKind.MANDATE for each in self.layers):
            raise FieldError("has a mandate, which is never carried", "layers")
        try:
            self.to_terms()
        except TermsError as failure:
            raise FieldError("are not layers that terms can have together", "layers") from failure

    def to_terms(self) -> Terms:
        """Give the layers as `terms.evaluate` reads them."""
        return Terms(
            layers=tuple(each.layer for each in self.layers),
            consent_exempt_reason=self.consent_exempt_reason,
        )
