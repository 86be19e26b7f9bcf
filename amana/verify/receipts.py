"""Judge a receipt, off line: whose word it is, of what, and whether the log has it.

It takes the enrolment kit, which was compared on paper, and the signer cards; nothing is asked of
the portal or the quarantine. A receipt without cards can only be read, not believed, and the
caller is told so. Format: docs/format/10-receipts.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from amana.verify.errors import NotProvenError, ReceiptDiffersError, SignerUnknownError
from amana.wire.errors import CardError, UnprovenError, WireError
from amana.wire.kit import EnrolmentKit
from amana.wire.receipt import NOTE_LIMIT_BYTES, ReceiptFile, ReceiptR1, ReceiptR2
from amana.wire.signer_card import SignerCard, SignerPurpose, SignerTrail, read_signers
from amana.wire.signers import read_signed_only
from crypto.errors import NoteError
from crypto.note import DualKey, SignedNote
from crypto.tlogproof import LogPolicy, ProvenLeaf

Receipt: TypeAlias = ReceiptR1 | ReceiptR2

FILE_LIMIT_BYTES: Final = ReceiptFile.LIMIT_BYTES
"""Longest receipt file, or bare signed note, that is looked at."""

_PURPOSES: Final = {
    ReceiptR1: (SignerPurpose.PORTAL_RECEIPTS, SignerPurpose.PORTAL_LOG),
    ReceiptR2: (SignerPurpose.QUARANTINE_RECEIPTS, SignerPurpose.QUARANTINE_LOG),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is known of a receipt. signer: None when it was only read. proof: None without one.

    Stamps in the file are not judged, so nothing is known by them.
    """

    receipt: Receipt
    signer: SignerCard | None
    proof: ProvenLeaf | None


def read_file(untrusted: bytes) -> ReceiptFile:
    """Give a receipt file; a bare signed note becomes one without a proof.

    ReceiptDiffersError: it is neither.
    """
    try:
        if untrusted.startswith(b"{"):
            return ReceiptFile.from_bytes(untrusted)
        return ReceiptFile(note=untrusted.decode("utf-8"), proof=None, timestamps=())
    except (WireError, UnicodeDecodeError) as failure:
        raise ReceiptDiffersError("the file is no receipt") from failure


def judge(
    file: ReceiptFile,
    kit: EnrolmentKit | None = None,
    cards: Sequence[bytes] = (),
    log_cards: Sequence[bytes] = (),
) -> Judged:
    """Judge a receipt by the kit and by signer cards, oldest first; without them, read it only.

    cards: of the key that signs receipts. log_cards: of the log's key; without them a proof is
    not judged. ReceiptDiffersError: no receipt, of another deployment, or a signature is wrong.
    SignerUnknownError: a card is not believed, or none is of the key that signed.
    NotProvenError: the proof in the file shows nothing.
    """
    note = _parse(file)
    kind = ReceiptR1 if note.text.startswith(f"{ReceiptR1.FORMAT}\n") else ReceiptR2
    try:
        receipt: Receipt = kind.from_bytes(note.text.encode("utf-8"))
    except WireError as failure:
        raise ReceiptDiffersError("the text is no receipt") from failure
    if kit is None:
        return Judged(receipt=receipt, signer=None, proof=None)
    if receipt.event.deployment is not kit.deployment:
        raise ReceiptDiffersError("the receipt is of another deployment")
    receipts, log = _PURPOSES[kind]
    signer = _certified(note, receipt, _trail(kit, receipts, cards)) if cards else None
    proof = _proof(file, receipt, _trail(kit, log, log_cards)) if log_cards else None
    return Judged(receipt=receipt, signer=signer, proof=proof)


def _parse(file: ReceiptFile) -> SignedNote:
    try:
        return SignedNote.parse(file.note.encode("utf-8"), limit_bytes=NOTE_LIMIT_BYTES)
    except NoteError as failure:
        raise ReceiptDiffersError("the file holds no signed note") from failure


def _trail(kit: EnrolmentKit, purpose: SignerPurpose, cards: Sequence[bytes]) -> SignerTrail:
    try:
        return read_signers(cards, kit.expected_signer(purpose))
    except WireError as failure:
        raise SignerUnknownError("a signer card is not believed") from failure


def _certified(note: SignedNote, receipt: Receipt, trail: SignerTrail) -> SignerCard:
    """Give the card of the key that signed, judged on the day of the event."""
    lines = {(line.name, line.key_id) for line in note.signatures}
    refused: CardError | None = None
    for card in trail.cards:
        if not lines.issuperset(_names(card.key)):
            continue
        try:
            read_signed_only(type(receipt), note.to_bytes(), card.key)
            return trail.certify(card.card_id, on=receipt.event.on)
        except CardError as failure:
            refused = failure  # the same key may have had another card on that day
        except WireError as failure:
            raise ReceiptDiffersError("a signature below the receipt is wrong") from failure
    if refused is not None:
        raise SignerUnknownError("the key was not certified on that day") from refused
    raise SignerUnknownError("no card is of the key that signed")


def _proof(file: ReceiptFile, receipt: Receipt, trail: SignerTrail) -> ProvenLeaf | None:
    failure: UnprovenError | None = None
    for card in reversed(trail.cards):
        try:
            # The checkpoint may be much younger than the event: no word against the key may stand.
            trail.certify(card.card_id, on=card.valid_to)
            return file.prove(receipt, LogPolicy(log=card.key))
        except CardError:
            continue
        except UnprovenError as unproven:
            failure = unproven
    raise NotProvenError("the proof does not show that the leaf is in the log") from failure


def _names(key: DualKey) -> set[tuple[str, bytes]]:
    return {(half.name, half.key_id) for half in key.halves}
