"""Open a submission in the quarantine, and believe nothing that does not agree.

Note and signer, card, deployment; every sealed digest, before a key is asked for; then the
submission manifest, the records and the item manifests. What does not agree is a value, Held, with
the reason: nothing is dropped, nothing is repaired, and no receipt R2 is given. Content is not
opened here: worker/contents.py does, by what this gives. Nothing is written, except that a change
of header which a kill interrupted is finished.
Formats: docs/format/17-bundle.md, 26-quarantine.md section 5, whose step numbers stand here.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from amana.wire.agree import Mismatch
from amana.wire.bundle import NOTE
from amana.wire.errors import CardError, CardFault, UnsignedError, WireError
from amana.wire.event import CustodyEvent, EventType, Outcome, Role, Thing, ThingKind
from amana.wire.ids import AccountId, ObjectId, SubmissionId, ThingId
from amana.wire.manifest import ItemManifest
from amana.wire.note import Attestation, PackageNote, read_note
from amana.wire.reasons import ReasonCode
from amana.wire.signers import SIGNATURES_LIMIT_BYTES, key_id
from amana.wire.submission import ReplyKeys, SubmissionManifest
from amana.wire.vocabulary import Deployment
from crypto.errors import NoteError
from crypto.merkle import TreeHash
from crypto.note import DualKey, SignedNote
from terms.consent import ConsentRecord
from worker.agent_client import Keys
from worker.agent_messages import CardHolder, Holder
from worker.documents import Documents, OpenedRecord
from worker.enrolled import CardChain, Register
from worker.errors import (
    DisagreementError,
    RegisterError,
)
from worker.rewrapped import Rewrapped, finish, read_rewrapped
from worker.sealed_contents import SealedContents
from worker.sealed_files import (
    EVENT,
    object_names,
    open_plain,
    require_bytes,
)

NOTE_LIMIT_BYTES: Final = PackageNote.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES

_EVENT_LIMIT_BYTES: Final = 4 * CustodyEvent.LIMIT_BYTES

_CLOCKS_DIFFER: Final = timedelta(days=1)
"""How far a portal's day may lie after ours: around midnight two good clocks differ by one."""

OVERRULABLE: Final = frozenset({ReasonCode.CARD_EXPIRED, ReasonCode.CARD_REVOKED})
"""What an officer may overrule: it says when a key was in force, not that anything disagrees."""

_CARD_REASONS: Final[Mapping[CardFault, ReasonCode]] = MappingProxyType(
    {
        CardFault.REVOKED: ReasonCode.CARD_REVOKED,
        CardFault.EXPIRED: ReasonCode.CARD_EXPIRED,
        CardFault.NOT_YET_VALID: ReasonCode.CARD_EXPIRED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Something does not agree. The submission is kept as it came, and opened no further.

    submission: None when there is no note to believe. object_id: where it shows, if in one object.
    """

    reason: ReasonCode
    submission: SubmissionId | None
    object_id: ObjectId | None = None
    mismatches: tuple[Mismatch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A submission in which note, manifests, records and sealed bytes agree.

    note_bytes: as it came, signatures and all. items: in the order of the submission, whose leaves
    are in the same order. consents: each under its own id (amana.wire.snapshot.consent_id).
    documents: the other records. arrival: what the portal wrote down; None when a disk was brought
    by hand. rewrapped: the last change of header of each object that had one. repr shows none of
    what was sealed.
    """

    note: PackageNote
    note_bytes: bytes = field(repr=False)
    submission: SubmissionManifest = field(repr=False)
    items: tuple[ItemManifest, ...] = field(repr=False)
    leaves: tuple[TreeHash, ...] = field(repr=False)
    consents: tuple[ConsentRecord, ...] = field(repr=False)
    documents: tuple[OpenedRecord, ...] = field(repr=False)
    arrival: CustodyEvent | None
    rewrapped: Mapping[ObjectId, Rewrapped] = field(repr=False)

    @property
    def account(self) -> AccountId:
        """Whose it is."""
        return self.note.account

    @property
    def reply(self) -> ReplyKeys | None:
        """How the provider can be answered; None when it wants no reply this way."""
        return self.submission.reply

    @property
    def holder(self) -> CardHolder:
        """Whose identity opens manifests, records, and material before its triage."""
        return CardHolder(card=self.note.card)

    def holder_of(self, object_id: ObjectId) -> Holder:
        """Give whose identity opens an object of this submission now."""
        change = self.rewrapped.get(object_id)
        return self.holder if change is None else change.holder

    def after(self, changes: Mapping[ObjectId, Rewrapped]) -> "Opened":
        """Give the same submission after changes of header."""
        return replace(self, rewrapped=MappingProxyType({**self.rewrapped, **changes}))


def open_submission(
    folder: Path,
    register: Register,
    keys: Keys,
    deployment: Deployment,
    *,
    on: date,
    despite: AbstractSet[ReasonCode] = frozenset(),
) -> Opened | Held:
    """Open the submission in a folder of the quarantine, as far as its manifests.

    on: the day on which the quarantine first had it; it counts where no portal tells an earlier
    one. despite: what an officer overruled for this submission, of OVERRULABLE; anything else in
    it counts for nothing. KeysUnavailableError: try again later. RegisterError, PipelineError: the
    quarantine's own files are damaged. OSError: the disk fails.
    """
    trust = _Trust(despite=despite & OVERRULABLE)
    return _open(_Opening(folder, register, keys, trust, on=on), deployment)


def open_again(
    folder: Path, register: Register, keys: Keys, deployment: Deployment, *, on: date
) -> Opened | Held:
    """Open a submission that was opened before, as far as its manifests.

    Note and documents are judged as the first time. What has happened to keys since is not: a
    member suspended or a card revoked today does not undo what was rightly taken in before. Nor is
    material hashed again: whoever reads it compares it with its manifests. Errors: as
    open_submission.
    """
    trust = _Trust(despite=OVERRULABLE, again=True)
    return _open(_Opening(folder, register, keys, trust, on=on), deployment)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trust:
    """What counts beyond the rule. again: whether all of it counted once before."""

    despite: AbstractSet[ReasonCode]
    again: bool = False


def _open(opening: "_Opening", deployment: Deployment) -> Opened | Held:
    if opening.register.deployment is not deployment:
        raise RegisterError("the register is another deployment's")
    try:
        return opening.open()
    except DisagreementError as found:
        return Held(
            reason=found.reason,
            submission=opening.submission_id,
            object_id=found.object_id,
            mismatches=found.mismatches,
        )


class _Opening:
    """One submission on its way. Every method raises DisagreementError for what does not agree."""

    def __init__(
        self,
        folder: Path,
        register: Register,
        keys: Keys,
        trust: _Trust,
        *,
        on: date,
    ) -> None:
        self.register = register
        self._folder = folder
        self._keys = keys
        self._trust = trust
        self._on = on
        self.submission_id: SubmissionId | None = None

    def open(self) -> Opened:
        """Do the steps, one after the other."""
        note_bytes, note = self._read_note()  # Step 1.
        self.submission_id = note.submission_id
        self._require_deployment(note)  # Step 2.
        chain = self._require_card(note)
        rewrapped = self._require_objects(note)  # Step 3.
        arrival = self._read_arrival(note)  # Step 4.
        self._require_day(note, chain, arrival)
        documents = Documents(self._folder, note, self._keys)
        submission = documents.read_submission()  # Step 5.
        consents, others = documents.read_records(submission)  # Step 6.
        leaves, items = documents.read_items(submission)  # Step 7.
        return Opened(
            note=note,
            note_bytes=note_bytes,
            submission=submission,
            items=items,
            leaves=leaves,
            consents=consents,
            documents=others,
            arrival=arrival,
            rewrapped=rewrapped,
        )

    def _read_note(self) -> tuple[bytes, PackageNote]:
        source = open_plain(self._folder / NOTE)
        if source is None:
            raise DisagreementError(ReasonCode.NOTE_DISAGREES)
        with source:
            untrusted = source.read(NOTE_LIMIT_BYTES + 1)
        portals = self.register.portals()
        key, attestation = self._signer(_signed_by(untrusted), portals)
        others = tuple(each for each in portals if each != key)
        try:
            return untrusted, read_note(untrusted, key, attestation, others)
        except UnsignedError as failure:
            raise DisagreementError(ReasonCode.NOTE_UNSIGNED) from failure
        except WireError as failure:
            raise DisagreementError(ReasonCode.NOTE_DISAGREES) from failure

    def _signer(
        self, names: Sequence[str], portals: Sequence[DualKey]
    ) -> tuple[DualKey, Attestation]:
        """Give whose word the note can be: a member's that counts, or else a portal's."""
        for name in names:
            account = self.register.enrolment(AccountId(name.partition("/")[0]))
            member = None if account is None else account.member(name)
            if member is not None and (self._trust.again or member.is_active):
                return member.member.signer, Attestation.SIGNED
        for portal in portals:
            if portal.name in names:
                return portal, Attestation.OBSERVED
        raise DisagreementError(ReasonCode.NOTE_UNSIGNED)

    def _require_deployment(self, note: PackageNote) -> None:
        if note.deployment is not self.register.deployment:
            raise DisagreementError(ReasonCode.OTHER_DEPLOYMENT)

    def _require_card(self, note: PackageNote) -> CardChain:
        chain = self.register.cards_for(note.account)
        try:
            chain.find(note.card)
            if ReasonCode.CARD_REVOKED not in self._trust.despite:
                chain.require_unrevoked(note.card)
        except CardError as failure:
            raise _card_disagreement(failure) from failure
        return chain

    def _require_day(
        self, note: PackageNote, chain: CardChain, arrival: CustodyEvent | None
    ) -> None:
        day = note.received_on or (self._on if arrival is None else arrival.on)
        if day > self._on + _CLOCKS_DIFFER:
            raise DisagreementError(ReasonCode.NOTE_DISAGREES)
        if ReasonCode.CARD_EXPIRED in self._trust.despite:
            return
        try:
            chain.require_in_force(note.card, day)
        except CardError as failure:
            raise _card_disagreement(failure) from failure

    def _require_objects(self, note: PackageNote) -> Mapping[ObjectId, Rewrapped]:
        rewrapped = read_rewrapped(self._folder, note.submission_id, note.objects)
        present = object_names(self._folder)
        stated = {f"{each.object_id}.age": each for each in note.everything()}
        for missing in (each for name, each in stated.items() if name not in present):
            raise DisagreementError(ReasonCode.OBJECT_MISSING, object_id=missing.object_id)
        if present - stated.keys():
            raise DisagreementError(ReasonCode.OBJECT_DISAGREES)
        for change in rewrapped.values():
            finish(self._folder, change)
        now = {object_id: change.sealed for object_id, change in rewrapped.items()}
        material = frozenset(note.objects)
        for each in stated.values():
            whole = not (self._trust.again and each in material)
            require_bytes(self._folder, now.get(each.object_id, each), whole=whole)
        return rewrapped

    def _read_arrival(self, note: PackageNote) -> CustodyEvent | None:
        source = open_plain(self._folder / EVENT)
        if source is None:
            return None
        with source:
            untrusted = source.read(_EVENT_LIMIT_BYTES + 1)
        try:
            holder = CardHolder(card=note.card)
            sealed = SealedContents(self._folder, note.submission_id, self._keys)
            event = CustodyEvent.from_bytes(sealed.record(holder, None, untrusted))
        except (WireError, DisagreementError) as failure:
            raise DisagreementError(ReasonCode.NOTE_DISAGREES) from failure
        portals = {key_id(key) for key in self.register.portals()}
        agrees = (
            event.type is EventType.TRANSFER,
            event.thing == Thing(kind=ThingKind.SUBMISSION, id=ThingId(note.submission_id)),
            event.deployment is note.deployment,
            event.digest_after == note.digest,
            event.agent.role is Role.PORTAL and event.agent.key_id in portals,
            event.outcome is Outcome.SUCCESS,
            note.received_on in {None, event.on},
        )
        if not all(agrees):
            raise DisagreementError(ReasonCode.NOTE_DISAGREES)
        return event


def _signed_by(untrusted: bytes) -> tuple[str, ...]:
    """Give the names under a note, each once; whether they signed it is not known here."""
    try:
        note = SignedNote.parse(untrusted, limit_bytes=NOTE_LIMIT_BYTES)
    except NoteError as failure:
        raise DisagreementError(ReasonCode.NOTE_DISAGREES) from failure
    return tuple(dict.fromkeys(line.name for line in note.signatures))


def _card_disagreement(failure: CardError) -> DisagreementError:
    return DisagreementError(_CARD_REASONS.get(failure.fault, ReasonCode.CARD_DISAGREES))
