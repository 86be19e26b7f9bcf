"""Custody events: who did what to which thing, when, and with what outcome.

An event is one leaf of the log. Its salt keeps the leaf from being guessed, its id is derived from
what makes it one event, so that a step run twice yields one, and its type is one of PREMIS 3. It
names keys and roles, never people. Format: docs/format/11-custody-events.md.
"""

from datetime import date, datetime
from enum import StrEnum, unique
from typing import ClassVar, Final, Self

from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Day, Instant, Many, Nullable, Whole
from amana.wire.ids import (
    DIGEST,
    EVENT_ID,
    KEY_ID,
    SALT,
    THING_ID,
    Digest,
    EventId,
    KeyId,
    Salt,
    ThingId,
    hash_parts,
)
from amana.wire.reasons import ReasonCode
from amana.wire.vocabulary import Deployment
from crypto import merkle
from crypto.merkle import TreeHash

EVENT_TYPE_BASE: Final = "http://id.loc.gov/vocabulary/preservation/eventType/"
"""Where the Library of Congress lists the event types of PREMIS 3."""


@unique
class EventType(StrEnum):
    """What was done: the codes of PREMIS 3 event types. Decryption is `der`; `dec` is another."""

    ACCESSION = "acc"
    DEACCESSION = "dea"
    DECRYPTION = "der"
    DELETION = "del"
    DIGITAL_SIGNATURE_GENERATION = "dsg"
    DIGITAL_SIGNATURE_VALIDATION = "dig"
    DISSEMINATION = "dis"
    ENCRYPTION = "enc"
    FIXITY_CHECK = "fix"
    FORMAT_IDENTIFICATION = "for"
    INFORMATION_PACKAGE_CREATION = "ipc"
    INFORMATION_PACKAGE_SPLITTING = "ips"
    INGESTION = "ing"
    INGESTION_END = "ine"
    INGESTION_START = "ins"
    MESSAGE_DIGEST_CALCULATION = "mes"
    METADATA_EXTRACTION = "mee"
    METADATA_MODIFICATION = "mem"
    POLICY_ASSIGNMENT = "poa"
    QUARANTINE = "qua"
    REDACTION = "red"
    TRANSFER = "tra"
    UNQUARANTINE = "unq"
    VIRUS_CHECK = "vir"

    @property
    def uri(self) -> str:
        """The type as PREMIS exports name it."""
        return EVENT_TYPE_BASE + self.value


@unique
class Outcome(StrEnum):
    """How it ended."""

    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    PARTIAL = "PARTIAL"


@unique
class Role(StrEnum):
    """In what capacity the agent acted. Names of people live in a register of their own."""

    PROVIDER = "provider"
    PORTAL = "portal"
    QUARANTINE = "quarantine"
    KEY_AGENT = "key-agent"
    SCANNER = "scanner"
    INTAKE_OFFICER = "intake-officer"
    REGISTRAR = "registrar"
    LEGAL_OFFICER = "legal-officer"
    PROTECTION_OFFICER = "protection-officer"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    REPOSITORY = "repository"


@unique
class ThingKind(StrEnum):
    """What an event can be about."""

    ACCOUNT = "account"
    AGREEMENT = "agreement"
    BATCH = "batch"
    CARD = "card"
    CONSENT = "consent"
    CONSIGNMENT = "consignment"
    DECISION = "decision"
    ITEM = "item"
    KEY = "key"
    MESSAGE = "message"
    NOTE = "note"
    OBJECT = "object"
    PACKAGE = "package"
    RECEIPT = "receipt"
    SUBMISSION = "submission"
    TERMS = "terms"
    TRANSFER = "transfer"


@record
class Thing:
    """One thing that an event is about."""

    kind: ThingKind = carries(Choice(ThingKind), "What it is.")
    id: ThingId = carries(THING_ID, "Its id, or its digest where it has no id.")


@record
class Agent:
    """Who acted: a role, and the key that could be used for it."""

    role: Role = carries(Choice(Role), "In what capacity.")
    key_id: KeyId = carries(KEY_ID, "The signing key of the agent.")


@record
class CustodyEvent(Document):
    """One change of hands or of state.

    Use `CustodyEvent.of(...)`, which derives the id. FieldError: the id is not the derived one, or
    the time is not within the day.
    """

    FORMAT: ClassVar = "amana/custody-event/v1"
    LIMIT_BYTES: ClassVar = 1 << 15

    salt: Salt = carries(SALT, "Random, new for each event: keeps the leaf from being guessed.")
    event_id: EventId = carries(EVENT_ID, "Hash of type, thing, others and occurrence.")
    type: EventType = carries(Choice(EventType), "What was done.")
    thing: Thing = carries(Nested(Thing), "What it was done to.")
    others: tuple[Thing, ...] = carries(
        Many(Nested(Thing), 64), "Other things that took part: package, decision, card."
    )
    occurrence: int = carries(
        Whole(0, (1 << 32) - 1),
        "Tells apart what happens more than once with the same things: 0, 1, 2 …",
    )
    deployment: Deployment = carries(Choice(Deployment), "Whether the material is real.")
    on: date = carries(Day(), "The day, in UTC.")
    at: datetime | None = carries(
        Nullable(Instant()), "The time; null wherever a witness's time could show."
    )
    agent: Agent = carries(Nested(Agent), "Who acted.")
    digest_before: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the thing before, where it has bytes."
    )
    digest_after: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the thing after, where it has bytes."
    )
    outcome: Outcome = carries(Choice(Outcome), "How it ended.")
    reason: ReasonCode | None = carries(Nullable(Choice(ReasonCode)), "Why, where it needs saying.")
    terms: Digest | None = carries(
        Nullable(DIGEST), "SHA-256 of the terms snapshot under which it was done."
    )

    def __post_init__(self) -> None:
        if self.event_id != derive_event_id(self.type, self.thing, self.others, self.occurrence):
            raise FieldError("is not the hash of what makes the event", "event_id")
        if self.at is not None and self.at.date() != self.on:
            raise FieldError("is not within the day", "at")

    @classmethod
    def of(  # the fields of an event, less the one that follows from others
        cls,
        *,
        salt: Salt,
        type: EventType,  # noqa: A002 - the field's name in PREMIS
        thing: Thing,
        deployment: Deployment,
        on: date,
        agent: Agent,
        outcome: Outcome,
        others: tuple[Thing, ...] = (),
        occurrence: int = 0,
        at: datetime | None = None,
        digest_before: Digest | None = None,
        digest_after: Digest | None = None,
        reason: ReasonCode | None = None,
        terms: Digest | None = None,
    ) -> Self:
        """Give the event with its id derived. What is left out is not known, or none."""
        return cls(
            salt=salt,
            event_id=derive_event_id(type, thing, others, occurrence),
            type=type,
            thing=thing,
            others=others,
            occurrence=occurrence,
            deployment=deployment,
            on=on,
            at=at,
            agent=agent,
            digest_before=digest_before,
            digest_after=digest_after,
            outcome=outcome,
            reason=reason,
            terms=terms,
        )

    @property
    def leaf(self) -> TreeHash:
        """The leaf of this event in the log: RFC 6962 leaf hash of its bytes."""
        return merkle.leaf_hash(self.to_bytes())


def derive_event_id(
    kind: EventType, thing: Thing, others: tuple[Thing, ...], occurrence: int
) -> EventId:
    """Give the id of an event. A step that runs again has the same id, whatever the time."""
    things = (part for each in (thing, *others) for part in (each.kind.value, each.id))
    parts = (kind.value, str(occurrence), *things)
    return EventId(hash_parts("amana/event-id/v1", *(part.encode("utf-8") for part in parts)))
