"""The pull: fetch what waits on the portal, say that it is here, carry back what providers get.

The quarantine connects, the portal never does. A submission's folder appears when all of it is on
the disk with the digests of its note; its signature and what is in it are judged behind this
(worker/opening.py). At each pull the portal's log is held against what it was: a log that lost or
changed a leaf stops the pull. Format: docs/format/22-pull.md.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

import httpx

from amana.clock import Clock, today
from amana.link.client import bounded
from amana.wire import pull as wire
from amana.wire.bundle import NOTE
from amana.wire.ids import Digest, LogOrigin, SubmissionId
from amana.wire.note import PackageNote
from amana.wire.pull import Acknowledged, CheckpointAnswer, Listed, PullAcknowledgement, PullList
from amana.wire.sealed import SealedObject
from amana.wire.vocabulary import Deployment
from crypto.checkpoint import Checkpoint
from crypto.errors import NoteError, ProofError, SignatureError
from crypto.merkle import EMPTY_ROOT, verify_consistency
from crypto.note import DualKey, SignedNote
from crypto.sign import Cosigner, NoteSigner
from crypto.tlogproof import LogPolicy, believe
from worker.pull_asking import Asker
from worker.pull_bundle import BundleFolder, read_note
from worker.pull_disk import SPARE_BYTES, import_bundle
from worker.pull_errors import PullError, PullFault
from worker.pull_memory import PullMemory
from worker.sealed_files import EVENT

__all__ = ["PullClient", "PullError", "PullFault", "import_bundle"]

MOST_WAITING: Final = 100_000
"""Most entries of a list that are looked at: ten times all witness accounts. A list without end
would keep the quarantine from everything else."""

MOST_RESUMES: Final = 8
"""How often an object that broke off is taken up again at once; then it is the next pull's."""


class PullClient:
    """One quarantine's way to one portal. Not for two threads at one time.

    link: from amana.link.open_link. signer: whose key the portal has in `pull.keys`, and cosigner
    likewise. log: the portal's log key; its name is the portal's. memory: a folder of its own.
    """

    def __init__(
        self,
        link: httpx.Client,
        signer: NoteSigner,
        *,
        cosigner: Cosigner,
        log: DualKey,
        deployment: Deployment,
        memory: Path,
        clock: Clock,
        spare_bytes: int = SPARE_BYTES,
    ) -> None:
        self._clock = clock
        self._cosigner = cosigner
        self._policy = LogPolicy(log=log)
        self._memory = PullMemory(memory, clock)
        self._spare_bytes = spare_bytes
        self._asker = Asker(
            link=link,
            signer=signer,
            audience=LogOrigin(log.name),
            deployment=deployment,
            memory=self._memory,
        )

    def waiting(self) -> Iterator[Listed]:
        """Yield what the portal says nobody has acknowledged, in the order to fetch it.

        A page is asked for when it is needed. PullError: there is no list, or it repeats itself or
        does not end.
        """
        seen: set[SubmissionId] = set()
        after: SubmissionId | None = None
        while True:
            page = self._asker.document(PullList, wire.list_path(after))
            for entry in page.entries:
                if entry.submission_id in seen or len(seen) >= MOST_WAITING:
                    raise PullError(PullFault.MALFORMED)
                seen.add(entry.submission_id)
                yield entry
            if not page.more:
                return
            after = page.entries[-1].submission_id

    def fetch(self, submission: SubmissionId, into: Path) -> None:
        """Bring a submission's bundle, and its sealed custody event, into a new folder.

        The folder appears whole or not at all; what came of it before is not fetched again. If it
        is here already, by whatever way it came, only a missing event is fetched. PullError: see
        PullFault; after UNREACHABLE and NO_ROOM the next call goes on.
        """
        raw = self._asker.get(wire.note_path(submission), wire.NOTE_LIMIT_BYTES)
        note = read_note(raw)
        if note.submission_id != submission:
            raise PullError(PullFault.MALFORMED)
        bundle = BundleFolder(into, self._spare_bytes)
        if bundle.has(note):
            self._fetch_event(submission, bundle)
            return
        bundle.begin()
        for stated in note.everything():
            for resumes_left in reversed(range(MOST_RESUMES)):
                try:
                    bundle.receive(stated, partial(self._bytes, submission, stated))
                    break
                except PullError as failure:
                    if failure.fault is not PullFault.UNREACHABLE or not resumes_left:
                        raise
        self._fetch_event(submission, bundle)
        bundle.finish(note, raw)

    def acknowledge(self, folder: Path) -> Acknowledged:
        """Say that the submission in this folder is here, every sealed digest of it by name.

        Only for a folder that fetch() or import_bundle() made; a custody event that came by no disk
        is fetched first. The portal removes its bytes when their days are over; said twice, it is
        said once. PullError: REFUSED, when the portal holds something else.
        """
        note = read_note((folder / NOTE).read_bytes())
        self._fetch_event(note.submission_id, BundleFolder(folder, self._spare_bytes))
        path = folder / EVENT
        return self._acknowledge(note, path.read_bytes() if path.exists() else None)

    def acknowledge_erased(self, submission: SubmissionId, note_sha256: Digest) -> Acknowledged:
        """Say that a submission was here whole, and has gone its way since.

        By the note that the portal has of it, which must be the one that came: every digest in it
        was held against bytes then. Its custody event is not fetched any more: there is no place
        left to keep it in. PullError: ANOTHER_NOTE, REFUSED.
        """
        note = read_note(self._asker.get(wire.note_path(submission), wire.NOTE_LIMIT_BYTES))
        if (note.submission_id, note.digest) != (submission, note_sha256):
            raise PullError(PullFault.ANOTHER_NOTE)
        try:
            event = self._asker.get(wire.event_path(submission), wire.EVENT_LIMIT_BYTES)
        except PullError as failure:
            if failure.fault is not PullFault.REFUSED:
                raise
            event = None
        return self._acknowledge(note, event)

    def cosign(self) -> Checkpoint:
        """Hold the portal's log against what it was, remember what it is, and cosign that.

        PullError: LOG_UNSIGNED, LOG_SHRUNK or LOG_FORKED; what the log signed is then kept beside
        the memory as evidence, nothing is cosigned, and nothing more may be pulled while it lies
        there: an officer looks, and takes it away.
        """
        before = self._memory.checkpoint(self._policy)
        old_size = before.size if before else 0
        answer = self._asker.document(CheckpointAnswer, wire.checkpoint_path(old_size))
        note, now = self._believed(answer)
        fault = _fault(before, now, answer, old_size)
        if fault is not None:
            if fault is not PullFault.MALFORMED:
                self._memory.keep_evidence(note)
            raise PullError(fault)
        if self._memory.has_evidence:
            # It shows its old face again; what it signed in between is no less signed.
            raise PullError(PullFault.LOG_FORKED)
        midnight = datetime.combine(today(self._clock), time(), UTC)
        cosigned = self._cosigner.cosign(note, at=int(midnight.timestamp()))
        # Remembered first: nothing is ever cosigned that could be forgotten.
        self._memory.remember(cosigned)
        self._asker.post(wire.COSIGN_PATH, BytesIO(cosigned.to_bytes()))
        return now

    def post_feedback(self, post: BinaryIO) -> None:
        """Hand over a feedback batch: the lines of amana.wire.feedback.write_post, in a file.

        The portal has all of it, or nothing changed; posted twice, it is posted once. PullError.
        """
        self._asker.post(wire.FEEDBACK_PATH, post)

    def post_receipt(self, submission: SubmissionId, sealed: bytes) -> None:
        """Hand over a sealed receipt R2; posted twice, it is posted once. PullError."""
        self._asker.post(wire.receipt_path(submission), BytesIO(sealed))

    def _acknowledge(self, note: PackageNote, event: bytes | None) -> Acknowledged:
        digests = [each.sealed_sha256 for each in note.everything()]
        if event is not None:
            digests.append(Digest(hashlib.sha256(event).hexdigest()))
        word = PullAcknowledgement(
            submission_id=note.submission_id,
            note_sha256=note.digest,
            sealed_sha256=tuple(digests),
            audience=self._asker.audience,
            deployment=self._asker.deployment,
        )
        signed = self._asker.signer.sign(word.to_bytes().decode("utf-8"))
        path = wire.acknowledge_path(note.submission_id)
        answer = self._asker.document(Acknowledged, path, signed.to_bytes())
        if answer.submission_id != note.submission_id:
            raise PullError(PullFault.MALFORMED)
        return answer

    def _bytes(self, submission: SubmissionId, stated: SealedObject, start: int) -> Iterator[bytes]:
        path = wire.sealed_path(submission, stated.object_id)
        size = stated.sealed_size
        with self._asker.asked("GET", path, start=start) as response:
            expected = f"bytes {start}-{size - 1}/{size}" if start else None
            if response.headers.get("content-range") != expected:
                raise PullError(PullFault.MALFORMED)
            yield from bounded(response, size - start)

    def _fetch_event(self, submission: SubmissionId, bundle: BundleFolder) -> None:
        """Fetch the custody event unless one is here. A portal without one has none to show."""
        if not bundle.needs_event:
            return
        try:
            sealed = self._asker.get(wire.event_path(submission), wire.EVENT_LIMIT_BYTES)
        except PullError as failure:
            if failure.fault is not PullFault.REFUSED:
                raise
            return
        bundle.keep_event(sealed)

    def _believed(self, answer: CheckpointAnswer) -> tuple[SignedNote, Checkpoint]:
        untrusted = answer.checkpoint.encode("utf-8")
        try:
            note = SignedNote.parse(untrusted, limit_bytes=wire.CHECKPOINT_LIMIT_BYTES)
            return note, believe(note, self._policy).checkpoint
        except (NoteError, ProofError, SignatureError) as failure:
            raise PullError(PullFault.LOG_UNSIGNED) from failure


def _fault(
    before: Checkpoint | None, now: Checkpoint, answer: CheckpointAnswer, old_size: int
) -> PullFault | None:
    """Say what is wrong with a log's new checkpoint; None: it continues the old one."""
    if answer.old_size != old_size:
        return PullFault.MALFORMED
    if now.size < old_size:
        return PullFault.LOG_SHRUNK
    try:
        verify_consistency(
            [bytes.fromhex(each) for each in answer.proof],
            old_size=old_size,
            old_root=before.root if before else EMPTY_ROOT,
            size=now.size,
            root=now.root,
        )
    except ProofError:
        return PullFault.LOG_FORKED
    return None
