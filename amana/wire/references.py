"""Which conditions something came under: references to terms and to consent records.

A reference names a version and its digest, so it can never come to mean a later text. What is not
known is said to be unknown, never left out: such an item is kept and not shared.
Format: docs/format/07-manifests.md.
"""

from typing import Final

from amana.wire.conditions import UID
from amana.wire.documents import Nested, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Nullable, Whole
from amana.wire.ids import CONSENT_ID, DIGEST, ConsentId, Digest
from amana.wire.vocabulary import ConsentBasis, TermsState
from terms.layer import ConsentExemptReason
from terms.names import Uid

VERSION: Final = Whole(1, 1_000_000)
"""Versions count from 1; no agreement is amended a million times."""


@record
class AgreementRef:
    """One version of an agreement or of standing terms."""

    uid: Uid = carries(UID, "The agreement, whatever its version.")
    version: int = carries(VERSION, "The version that was in force when the material was given.")
    digest: Digest = carries(DIGEST, "SHA-256 of that version's document.")


@record
class TermsReference:
    """The conditions that an item or a submission names.

    FieldError: something is named though not known, or not named though known.
    """

    state: TermsState = carries(Choice(TermsState), "Agreement, standing terms, or not known.")
    named: AgreementRef | None = carries(
        Nullable(Nested(AgreementRef)), "Which; null exactly when the state is *unknown*."
    )

    def __post_init__(self) -> None:
        if (self.named is None) != (self.state is TermsState.UNKNOWN):
            raise FieldError("is named though unknown, or not named", "named")


@record
class ConsentReference:
    """What is known of one person's consent to an item.

    FieldError: a record or reason that the state does not have, or lacks one that it has.
    """

    state: ConsentBasis = carries(Choice(ConsentBasis), "Recorded, not needed, or not known.")
    consent_id: ConsentId | None = carries(
        Nullable(CONSENT_ID), "The record; null unless the state is *recorded*."
    )
    exempt_reason: ConsentExemptReason | None = carries(
        Nullable(Choice(ConsentExemptReason)),
        "Why none is needed; null unless the state is *exempt*.",
    )

    def __post_init__(self) -> None:
        if (self.consent_id is not None) != (self.state is ConsentBasis.RECORDED):
            raise FieldError("does not fit the state", "consent_id")
        if (self.exempt_reason is not None) != (self.state is ConsentBasis.EXEMPT):
            raise FieldError("does not fit the state", "exempt_reason")
