"""Any document at all: strategies made from the very codecs that read and write it.

Where fields depend on one another, a rule below makes them fit; everything else is free.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar, cast

from hypothesis import strategies as st

from amana.wire.bundle import Disk
from amana.wire.card import LONGEST_DAYS, Audience, KeyCard
from amana.wire.conditions import TermsName, TermsRecord
from amana.wire.documents import Carried, Nested, shape_of
from amana.wire.event import CustodyEvent, EventType, Thing, ThingKind, derive_event_id
from amana.wire.fields import (
    Base64,
    Choice,
    Codec,
    Day,
    Flag,
    Instant,
    Many,
    Nullable,
    Text,
    Token,
    Whole,
)
from amana.wire.ids import Digest, Recipient, ThingId, derive_submission_id
from amana.wire.manifest import ItemKind, ItemManifest
from amana.wire.minted import MintedBatch
from amana.wire.names import FILE_TIME, RawName, file_time
from amana.wire.note import Attestation, PackageNote
from amana.wire.provenance import When
from amana.wire.receipt import Decision, Fate, ReceiptItem, ReceiptR1, ReceiptR2
from amana.wire.references import ConsentReference, TermsReference
from amana.wire.sealed import RecordKind, RecordObject
from amana.wire.signer_card import SignerCard
from amana.wire.signers import Signer
from amana.wire.snapshot import SnapshotLayer, TermsSnapshot
from amana.wire.submission import SubmissionManifest
from amana.wire.vocabulary import ConsentBasis, TermsState
from terms.feedback import NotKeptReason
from terms.layer import ConsentExemptReason, Layer
from terms.names import uid
from tests.wire import cards, examples, givens

T = TypeVar("T")
Fields = dict[str, object]
Strategy = st.SearchStrategy[object]

FIRST, LAST = date(1900, 1, 1), date(9999, 12, 31)
START, END = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def values(codec: Codec[T]) -> Strategy:
    """Any value that a codec can carry, kept short."""
    match codec:
        case Nullable(codec=inner):
            return st.none() | values(inner)
        case Many(codec=inner, least=least, most=most):
            return st.lists(values(inner), min_size=least, max_size=min(most, 3)).map(tuple)
        case Nested(kind=kind):
            return records(kind)
        case TermsRecord(kind=kind):
            return st.just(examples.LAYER if kind is Layer else examples.CONSENT)
        case Signer():
            return st.sampled_from(givens.DIRECTORY_KEYS)
        case _:
            return _texts(codec)


def _texts(codec: Codec[T]) -> Strategy:
    match codec:
        case Text():
            return st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
        case Token(words=words) if words == FILE_TIME.words:
            return st.integers(-(2**63), 2**63 - 1).map(file_time)
        case Token(kind=kind, pattern=pattern):
            return _shaped(pattern).map(kind)
        case Base64(kind=kind, least_bytes=least, most_bytes=most):
            return st.binary(min_size=least, max_size=min(most, max(least, 40))).map(kind)
        case TermsName():
            return st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,20}", fullmatch=True).map(uid)
        case _:
            return _plain(codec)


def _shaped(pattern: re.Pattern[str]) -> st.SearchStrategy[str]:
    # Drawing digits one by one is slow, and most shapes here are digests.
    for size in (16, 32, 64):
        if pattern.fullmatch("0a" * size):
            return st.binary(min_size=size, max_size=size).map(bytes.hex)
    return st.from_regex(pattern, fullmatch=True)


def _plain(codec: Codec[T]) -> Strategy:
    match codec:
        case Recipient():
            return st.sampled_from([card.recipient for card in cards.ONE_TIME_CARDS])
        case Whole(least=least, most=most):
            return st.integers(least, most)
        case Flag():
            return st.booleans()
        case Choice(kind=words):
            return st.sampled_from(list(words.__members__.values()))
        case Day():
            return st.dates(FIRST, LAST)
        case Instant():
            seconds = st.integers(0, int((END - START).total_seconds()))
            return seconds.map(lambda count: START + timedelta(seconds=count))
        case _:
            raise AssertionError("a codec without a strategy")


def records(kind: type[T]) -> st.SearchStrategy[T]:
    """Any record of a class."""
    shape: Mapping[str, Carried[object]] = shape_of(kind)
    loose = st.fixed_dictionaries({name: values(field.codec) for name, field in shape.items()})
    make: Callable[..., T] = kind
    repair = REPAIRS.get(kind, _as_drawn)
    return loose.map(lambda given: make(**repair(given)))


def _as_drawn(given: Fields) -> Fields:
    return given


def _name(given: Fields) -> Fields:
    name = RawName.of(cast("bytes", given["raw"]))
    return {"raw": name.raw, "text": name.text}


def _when(given: Fields) -> Fields:
    latest = cast("date | None", given["latest"])
    earliest = cast("date | None", given["earliest"])
    backwards = latest is not None and earliest is not None and latest < earliest
    return given | ({"latest": earliest} if backwards else {})


def _terms(given: Fields) -> Fields:
    unknown = given["state"] is TermsState.UNKNOWN
    return given | {"named": None if unknown else given["named"] or examples.AGREEMENT_REF}


def _consent(given: Fields) -> Fields:
    record = examples.FOLDER_ITEM.consents[0].consent_id
    reason = ConsentExemptReason.PUBLIC_SOURCE
    return given | {
        "consent_id": record if given["state"] is ConsentBasis.RECORDED else None,
        "exempt_reason": reason if given["state"] is ConsentBasis.EXEMPT else None,
    }


def _item(given: Fields) -> Fields:
    is_file, is_link = given["kind"] is ItemKind.FILE, given["kind"] is ItemKind.LINK
    return given | {
        "content": (given["content"] or examples.BARE_ITEM.content) if is_file else None,
        "link_target": (given["link_target"] or RawName.of(b"../x")) if is_link else None,
    }


def _event(given: Fields) -> Fields:
    at = cast("datetime | None", given["at"])
    derived = derive_event_id(
        cast("EventType", given["type"]),
        cast("Thing", given["thing"]),
        cast("tuple[Thing, ...]", given["others"]),
        cast("int", given["occurrence"]),
    )
    return given | {"event_id": derived, "on": given["on"] if at is None else at.date()}


def _note(given: Fields) -> Fields:
    observed = given["attestation"] is Attestation.OBSERVED
    return given | {
        "received_on": (given["received_on"] or givens.TODAY) if observed else None,
        "submission_manifest": examples.SEALED_SUBMISSION,
        "item_manifests": (examples.SEALED_ITEMS,) if given["item_manifests"] else (),
        "records": (examples.SEALED_CONSENT.outside,) if given["records"] else (),
        "objects": (examples.PHOTO.outside,) if given["objects"] else (),
    }


def _submission(given: Fields) -> Fields:
    make = cast("Callable[..., str]", derive_submission_id)
    return given | {
        "submission_id": make(given["client_nonce"], given["account"], given["card"]),
        "item_manifests": (examples.SEALED_ITEMS,) if given["item_manifests"] else (),
        "records": (examples.SEALED_CONSENT,) if given["records"] else (),
        "batch_terms": (examples.LAYER,) if given["batch_terms"] else (),
        "objects": (examples.PHOTO,) if given["objects"] else (),
    }


def _days(given: Fields, longest: int) -> Fields:
    first = min(cast("date", given["valid_from"]), LAST - timedelta(days=longest))
    wanted = (cast("date", given["valid_to"]) - first).days % longest
    return given | {"valid_from": first, "valid_to": first + timedelta(days=wanted)}


def _card(given: Fields) -> Fields:
    audience = cast("Audience", given["audience"])
    return _days(given, LONGEST_DAYS[audience]) | {
        "account": (given["account"] or givens.ACCOUNT) if audience is Audience.CSO else None,
        "previous": (None if given["sequence"] == 1 else given["previous"] or cards.CARD.card_id),
    }


def _fate(given: Fields) -> Fields:
    opened = ("size", "sha256", "sha512")
    unknown = dict.fromkeys(opened) if None in (given[name] for name in opened) else {}
    reason = given["reason"] or NotKeptReason.UNSAFE_TO_OPEN
    return given | {
        "reason": reason if given["fate"] is Fate.NOT_KEPT else None,
        "terms": given["terms"] or givens.a_digest("terms"),
        **unknown,
    }


def _promised(given: Fields) -> Fields:
    event = replace(
        examples.EVENT,
        thing=Thing(kind=ThingKind.SUBMISSION, id=ThingId(cast("str", given["submission_id"]))),
        event_id=derive_event_id(
            examples.EVENT.type,
            Thing(kind=ThingKind.SUBMISSION, id=ThingId(cast("str", given["submission_id"]))),
            (),
            0,
        ),
        digest_after=Digest(cast("str", given["note_sha256"])),
    )
    return given | {"event": event, "merged_by": max(cast("date", given["merged_by"]), event.on)}


def _decision(given: Fields) -> Fields:
    items = cast("tuple[ReceiptItem, ...]", given["items"])
    previous = given["previous"] or givens.a_digest("the decision before")
    return given | {
        "items": tuple({each.item_id: each for each in items}.values()),
        "previous": None if given["sequence"] == 1 else previous,
    }


def _decided(given: Fields) -> Fields:
    decision = cast("Decision", given["decision"])
    thing = Thing(kind=ThingKind.SUBMISSION, id=ThingId(decision.submission_id))
    event = replace(
        examples.R2.event,
        thing=thing,
        event_id=derive_event_id(examples.R2.event.type, thing, (), 0),
        deployment=decision.deployment,
        digest_before=decision.previous,
        digest_after=decision.digest,
    )
    return given | {"event": event, "merged_by": max(cast("date", given["merged_by"]), event.on)}


def _snapshot(given: Fields) -> Fields:
    layers = cast("tuple[SnapshotLayer, ...]", given["layers"])
    return given | {
        "layers": layers[:1],
        "consents": (examples.CONSENT,) if given["consents"] else (),
    }


def _record(given: Fields) -> Fields:
    is_consent = given["kind"] is RecordKind.CONSENT
    consent_id = given["consent_id"] or examples.CONSENT_ID
    return given | {"consent_id": consent_id if is_consent else None}


def _signer_card(given: Fields) -> Fields:
    previous = given["previous"] or cards.SIGNER_CARD.card_id
    return _days(given, 90) | {
        "purpose": cards.SIGNER_CARD.purpose,
        "previous": None if given["sequence"] == 1 else previous,
    }


def _disk(given: Fields) -> Fields:
    return given | {"number": min(cast("int", given["number"]), cast("int", given["disks"]))}


REPAIRS: Mapping[type, Callable[[Fields], Fields]] = {
    RawName: _name,
    When: _when,
    TermsReference: _terms,
    ConsentReference: _consent,
    ItemManifest: _item,
    CustodyEvent: _event,
    PackageNote: _note,
    SubmissionManifest: _submission,
    KeyCard: _card,
    SignerCard: _signer_card,
    MintedBatch: lambda given: _days(given, 35),
    ReceiptItem: _fate,
    ReceiptR1: _promised,
    Decision: _decision,
    ReceiptR2: _decided,
    RecordObject: _record,
    Disk: _disk,
    TermsSnapshot: _snapshot,
}
