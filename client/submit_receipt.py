"""Judge the receipt of a hand-over, and keep it: it is the only proof the provider has.

Format: docs/format/10-receipts.md.
"""

from collections.abc import Sequence
from pathlib import Path

from amana.durable import durable
from amana.verify.errors import VerifyError
from amana.verify.receipts import Judged, judge, read_file
from amana.wire.card import CARD_LIMIT_BYTES
from amana.wire.ids import LogOrigin
from amana.wire.kit import EnrolmentKit
from amana.wire.note import PackageNote
from amana.wire.receipt import ReceiptFile, ReceiptR1
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from client.errors import ClientError, KeysError

_CARD_NOTE_BYTES = CARD_LIMIT_BYTES + SIGNATURES_LIMIT_BYTES


class ReceiptError(ClientError):
    """What the portal gave as a receipt is none of this submission."""


def believe(
    untrusted: bytes,
    note: PackageNote,
    log: LogOrigin | None,
    kit: EnrolmentKit,
    card_paths: Sequence[Path],
) -> tuple[ReceiptR1, bool]:
    """Give the receipt, if it is about this note; and whether its signer was judged too.

    log: what the portal called itself. card_paths: signer cards of the portal's receipts, oldest
    first; without any, the signature cannot be judged. ReceiptError: it is about something else,
    or not signed as it must be. KeysError: a card cannot be read.
    """
    judged = _judged(untrusted, kit, [_read(path) for path in card_paths])
    receipt = judged.receipt
    is_ours = (
        isinstance(receipt, ReceiptR1)
        and receipt.submission_id == note.submission_id
        and receipt.note_sha256 == note.digest
        and receipt.event.deployment is note.deployment
        and (log is None or receipt.log == log)
    )
    if not is_ours or not isinstance(receipt, ReceiptR1):
        raise ReceiptError("receipt-of-something-else")
    return receipt, judged.signer is not None


def keep(content: bytes, path: Path) -> Path:
    """Write the receipt file; one that is there already with the same receipt stays.

    ReceiptError: another file has the name.
    """
    file = ReceiptFile(note=content.decode("utf-8"), proof=None, timestamps=())
    try:
        with durable(path) as target:
            target.write(file.to_bytes())
    except FileExistsError as failure:
        try:
            known = read_file(path.read_bytes()).note
        except (OSError, VerifyError):
            known = ""
        if known != file.note:
            raise ReceiptError("receipt-in-the-way", path=str(path)) from failure
    return path


def _judged(untrusted: bytes, kit: EnrolmentKit, cards: Sequence[bytes]) -> Judged:
    try:
        # A bare note: what begins a file of ours is not what a portal sends.
        if untrusted.startswith(b"{"):
            raise ReceiptError("receipt-not-believed", reason="no signed note")
        return judge(read_file(untrusted), kit, cards)
    except VerifyError as failure:
        raise ReceiptError("receipt-not-believed", reason=str(failure)) from failure


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as source:
            return source.read(_CARD_NOTE_BYTES + 1)
    except OSError as failure:
        raise KeysError(
            "file-unreadable", path=str(path), reason=failure.strerror or ""
        ) from failure
