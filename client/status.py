"""What the Mechanism tells this organisation: carried by the portal, the quarantine's own word.

The portal carries and is not believed: the batch counts with both signatures of a key that the
directory certified for it, the entry with its proof, the object by opening. The newest batch and
signer card are remembered beside the kit, so that nobody can bring older news back unseen.
Format: docs/format/24-feedback.md.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import ClassVar, Final

from amana.durable import durable, sync_folder
from amana.wire.card import SEQUENCE, CardStatus, Pin
from amana.wire.documents import Document, carries, record
from amana.wire.errors import CardError, CardFault, UnsignedError, WireError
from amana.wire.feedback import (
    CONTENT_LIMIT_BYTES,
    NUMBER,
    FeedbackAnswer,
    FeedbackBatch,
    FeedbackContent,
    require_entry,
)
from amana.wire.fields import Nullable
from amana.wire.ids import CARD_ID, AccountId, CardId
from amana.wire.kit import EnrolmentKit
from amana.wire.signer_card import (
    ExpectedSigner,
    SignerCard,
    SignerPurpose,
    SignerTrail,
    read_signers,
)
from amana.wire.signers import read_signed
from client.errors import KeysError, StatusError
from crypto.errors import CryptoError, NoMatchError
from crypto.opening import HybridIdentity, open_object
from crypto.padding import Kind

PURPOSE: Final = SignerPurpose.QUARANTINE_RECEIPTS
"""What the key that signs batches is certified for: the quarantine's word to its providers."""


@record
class SeenFeedback(Document):
    """The newest signer card and batch that this machine saw."""

    FORMAT: ClassVar = "amana/seen-feedback/v1"
    LIMIT_BYTES: ClassVar = 1_024

    card: CardId = carries(CARD_ID, "The newest signer card.")
    sequence: int = carries(SEQUENCE, "Its place in its chain.")
    number: int | None = carries(
        Nullable(NUMBER), "The newest batch; null before one was believed."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told in the newest batch, and when there is more."""

    batch: FeedbackBatch
    content: FeedbackContent

    def is_overdue(self, today: date) -> bool:
        """Tell whether the next batch should be here already."""
        return today > self.batch.next_on


def read_feedback(
    untrusted: bytes,
    *,
    kit_path: Path,
    kit: EnrolmentKit,
    identity: HybridIdentity,
    today: date,
    signer_notes: Sequence[bytes] = (),
) -> Told:
    """Give what an answer of the portal tells this member, if the quarantine says so.

    signer_notes: signer cards, oldest first, in place of those in the answer. StatusError: the
    answer, its batch or its entry is not to be believed, is older than what was seen, or is not
    for this member. KeysError: the memory of what was seen is damaged.
    """
    try:
        answer = FeedbackAnswer.from_bytes(untrusted)
        seen = _seen(_memory(kit_path))
        notes = tuple(signer_notes) or tuple(each.encode("utf-8") for each in answer.signers)
        trail = read_signers(notes, _expected(kit, seen))
        number = None if seen is None else seen.number
        # Before anything is judged: whoever saw a key revoked does not forget it.
        _remember(_memory(kit_path), trail.pin, number)
        batch = _believed(trail, answer.note.encode("utf-8"), today)
        content = _opened(answer, batch, kit.account, identity)
    except CardError as failure:
        raise StatusError("feedback-signer", fault=failure.fault.value) from failure
    except WireError as failure:
        raise StatusError("feedback-not-believed", reason=str(failure)) from failure
    if batch.deployment is not kit.deployment:
        raise StatusError("feedback-other-deployment")
    if number is not None and batch.number < number:
        raise StatusError("feedback-older", number=batch.number, seen=number)
    _remember(_memory(kit_path), trail.pin, batch.number)
    return Told(batch=batch, content=content)


def _expected(kit: EnrolmentKit, seen: SeenFeedback | None) -> ExpectedSigner:
    expected = kit.expected_signer(PURPOSE)
    if seen is None:
        return expected
    return replace(expected, pin=Pin(card_id=seen.card, sequence=seen.sequence))


def _believed(trail: SignerTrail, note: bytes, today: date) -> FeedbackBatch:
    """Give the batch, if the key of one of these cards signed it and counts on its day."""
    refused: CardError | None = None
    for card in reversed(trail.cards):
        try:
            batch = read_signed(FeedbackBatch, note, card.key)
            trail.certify(card.card_id, on=batch.published_on)
        except UnsignedError:
            continue
        except CardError as failure:
            refused = failure  # the same key may have had another card on that day
            continue
        _require_not_revoked(trail, card, today)
        return batch
    if refused is not None:
        raise refused
    raise UnsignedError("no certified key has signed the batch")


def _require_not_revoked(trail: SignerTrail, card: SignerCard, today: date) -> None:
    """Whoever has a revoked key can write any day under it."""
    last = [each for each in trail.cards if each.key == card.key][-1]
    if last.status is not CardStatus.ACTIVE and today >= last.valid_from:
        raise CardError(CardFault.REVOKED)


def _opened(
    answer: FeedbackAnswer, batch: FeedbackBatch, account: AccountId, identity: HybridIdentity
) -> FeedbackContent:
    for entry in answer.entries:
        require_entry(batch, entry)
        try:
            pieces = open_object(io.BytesIO(entry.sealed), identity, kind=Kind.RECORD)
            content = FeedbackContent.from_bytes(b"".join(pieces)[: CONTENT_LIMIT_BYTES + 1])
        except NoMatchError:
            continue  # another member's
        except CryptoError as failure:
            raise StatusError("feedback-damaged", reason=type(failure).__name__) from failure
        if (content.account, content.number) != (account, batch.number):
            raise StatusError("feedback-of-another")
        return content
    raise StatusError("feedback-not-for-you")


def _memory(kit_path: Path) -> Path:
    return kit_path.with_name(kit_path.name + ".feedback")


def _seen(path: Path) -> SeenFeedback | None:
    try:
        with path.open("rb") as source:
            return SeenFeedback.from_bytes(source.read(SeenFeedback.LIMIT_BYTES + 1))
    except FileNotFoundError:
        return None
    except WireError as failure:
        # Never begin anew: whoever damaged the memory may want old news to count.
        raise KeysError("memory-of-cards-damaged", path=str(path)) from failure


def _remember(path: Path, pin: Pin, number: int | None) -> None:
    now = SeenFeedback(card=pin.card_id, sequence=pin.sequence, number=number)
    if path.exists() and now == _seen(path):
        return
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with durable(fresh) as target:
        target.write(now.to_bytes())
    fresh.replace(path)
    sync_folder(path.parent)
