"""What every step of the pipeline works with: books, places, keys, scanner, ways out.

Made once when the quarantine starts to work, and passed to each step; nothing in it changes. And
the two small things that all steps share: opening a submission anew, and documents of our own that
lie sealed. Format: docs/format/26-quarantine.md.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from amana.durable import durable, make_folders
from amana.wire.ids import AccountId, CardId, LogOrigin, SubmissionId
from amana.wire.reasons import ReasonCode
from amana.wire.vocabulary import Deployment
from crypto.opening import open_object
from crypto.padding import HYBRID_HEADER_SIZE, Kind
from crypto.recipients import HybridRecipient
from crypto.seal import seal
from worker.agent_client import Holder, Keys
from worker.agreements import AgreementStore
from worker.clamd_wire import ClamdClient
from worker.custody import Custodian
from worker.enrolled import Register
from worker.errors import PipelineError
from worker.forward import Outbox
from worker.inspector import Inspector
from worker.opening import Held, Opened, open_again, open_submission
from worker.pipeline.rows import SubmissionRow
from worker.places import Places
from worker.records.books import Books
from worker.signers import Signers

MOST_TRIES: Final = 5
"""How often an item is examined that the scanner cannot get through; then it is held. Ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Everything a step may use.

    scanner: asked whether it is itself before each round. register: read anew at each use.
    """

    places: Places
    books: Books
    custodian: Custodian
    deployment: Deployment
    origin: LogOrigin
    keys: Keys
    signers: Signers = field(repr=False)
    scanner: ClamdClient
    inspector: Inspector
    agreements: AgreementStore
    outbox: Callable[[], Outbox]
    answers: Path

    def register(self) -> Register:
        """Read who may give material. RegisterError: there is no register, or it is damaged."""
        return Register.load(self.places.enrolled)

    def open(self, row: SubmissionRow) -> Opened | Held:
        """Open a submission's manifests anew. KeysUnavailableError: try again later.

        Held with NOTE_DISAGREES: what lies in its folder now is not what came.
        """
        found = open_submission(
            self.places.bundle(row.submission_id),
            self.register(),
            self.keys,
            self.deployment,
            on=row.fetched_on,
            despite=frozenset() if row.overruled is None else {row.overruled},
        )
        if isinstance(found, Held) or is_what_came(row, found):
            return found
        return Held(reason=ReasonCode.NOTE_DISAGREES, submission=row.submission_id)

    def open_again(self, row: SubmissionRow) -> Opened:
        """Open a submission that was examined. PipelineError: it is not what it was."""
        opened = open_again(
            self.places.bundle(row.submission_id),
            self.register(),
            self.keys,
            self.deployment,
            on=row.fetched_on,
        )
        if isinstance(opened, Held) or not is_what_came(row, opened):
            raise PipelineError("a submission that was opened before does not open any more")
        return opened

    def intake_recipient(self, account: AccountId, card: CardId) -> HybridRecipient:
        """Give the recipient of the card that a submission came under: our own notes go there."""
        found = self.register().cards_for(account).find(card)
        return HybridRecipient.from_text(found.recipient)


def is_what_came(row: SubmissionRow, opened: Opened) -> bool:
    """Tell whether what was opened is the submission that arrived, under the note that it had.

    Whoever can write into the folder can put another submission there, whole and signed.
    """
    note = opened.note
    return (note.submission_id, note.digest) == (row.submission_id, row.note_sha256)


def write_sealed(path: Path, content: bytes, recipient: HybridRecipient) -> None:
    """Keep a document of ours sealed; what lay there before is replaced."""
    make_folders(path.parent)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with durable(fresh) as target:
        for piece in seal((content,), recipient, Kind.RECORD):
            target.write(piece)
    os.replace(fresh, path)  # noqa: PTH105 - over the one that is there
    # The name is as durable as the file: whoever is told of it may rely on it.
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_sealed(
    path: Path, keys: Keys, submission: SubmissionId, holder: Holder, limit_bytes: int
) -> bytes:
    """Give a document of ours. PipelineError: it is longer than it may be."""
    with path.open("rb") as source:
        (file_key,) = keys.file_keys(submission, holder, [source.read(HYBRID_HEADER_SIZE)])
        content = bytearray()
        for piece in open_object(source, file_key, kind=Kind.RECORD):
            content += piece
            if len(content) > limit_bytes:
                raise PipelineError("a document of ours is longer than it may be")
    return bytes(content)
