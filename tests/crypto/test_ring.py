"""What an officer's file may hold, and what a record that carries the mark may say."""

import base64
import json
from pathlib import Path

import pytest

from crypto import canonical
from crypto.canonical import JsonValue
from crypto.errors import KeyFormatError, KeyStoreError, NotHeldError
from crypto.identities import HybridIdentity
from crypto.padding import Kind
from crypto.private.kept import (
    ALIAS_FORMAT,
    IDENTITY_FORMAT,
    INSIDE_FORMAT,
    KeptAlias,
    KeptIdentity,
)
from crypto.private.keyfile import LEAST_MEMORY_BYTES, Cost
from crypto.private.keystore import KeyStore
from crypto.private.ring import MOST_GROUPS, Group, Ring
from crypto.seal import seal

RING = Ring.generate("first", ("triage", "sgbv"))
IDENTITY = HybridIdentity.generate()
NAME = "intake-1"
PHRASE = "olive basket morning river"
INSIDE = {"format": INSIDE_FORMAT, "identity": IDENTITY.to_text(), "name": NAME}


def sealed(inside: object, *, kind: Kind = Kind.RECORD, group: str = "triage") -> str:
    content = json.dumps(inside, sort_keys=True, separators=(",", ":")).encode()
    whole = b"".join(seal((content,), RING.recipient(group), kind))
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode("ascii")


def record(changes: dict[str, JsonValue]) -> bytes:
    """A record with the mark of the store, whatever it says."""
    fields: dict[str, JsonValue] = {
        "format": IDENTITY_FORMAT,
        "group": "triage",
        "name": NAME,
        "recipient": IDENTITY.recipient.to_text(),
        "sealed": sealed(INSIDE),
        **changes,
    }
    mark = RING.mark(canonical.encode(fields)).hex()
    return canonical.encode({**fields, "mark": mark}) + b"\n"


def test_a_record_as_its_format_says_opens() -> None:
    assert KeptIdentity.from_bytes(record({}), NAME, RING).identity(RING) == IDENTITY


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "intake-2"},
        {"recipient": "age1pq1"},
        {"sealed": "*"},
        {"sealed": "A"},
        {"group": 7},
        {"comment": "unknown"},
        {"format": ALIAS_FORMAT},
        {"sealed": sealed(INSIDE, kind=Kind.RAW)},
        {"sealed": sealed(INSIDE, group="sgbv")},
        {"sealed": sealed([])},
        {"sealed": sealed({**INSIDE, "name": "intake-2"})},
        {"sealed": sealed({**INSIDE, "format": "amana/kept-secret/v2"})},
        {"sealed": sealed({**INSIDE, "identity": "AGE-SECRET-KEY-PQ-1"})},
        {"sealed": sealed({**INSIDE, "identity": 7})},
        {"sealed": sealed({**INSIDE, "comment": "unknown"})},
        {"recipient": HybridIdentity.generate().recipient.to_text()},
    ],
)
def test_a_marked_record_that_its_format_forbids_is_refused(changes: dict[str, JsonValue]) -> None:
    with pytest.raises(KeyStoreError) as refusal:
        KeptIdentity.from_bytes(record(changes), NAME, RING).identity(RING)
    assert IDENTITY.to_text() not in repr(refusal.value)


def test_a_record_of_a_group_that_is_none_is_nobodys() -> None:
    with pytest.raises(NotHeldError):
        KeptIdentity.from_bytes(record({"group": "other"}), NAME, RING).identity(RING)
    with pytest.raises(NotHeldError):
        KeptIdentity.of(NAME, "other", IDENTITY, RING)


def test_an_alias_names_nothing_outside_the_store() -> None:
    fields: dict[str, JsonValue] = {"alias": "card-1", "format": ALIAS_FORMAT, "name": "../x"}
    mark = RING.mark(canonical.encode(fields)).hex()
    with pytest.raises(KeyStoreError):
        KeptAlias.from_bytes(canonical.encode({**fields, "mark": mark}) + b"\n", "card-1", RING)


def ring_with(changes: dict[str, JsonValue]) -> bytes:
    fields = json.loads(RING.to_bytes())
    return canonical.encode({**fields, **changes})


def group_with(changes: dict[str, JsonValue]) -> dict[str, JsonValue]:
    groups = json.loads(RING.to_bytes())["groups"]
    return {"groups": {**groups, "sgbv": {**groups["sgbv"], **changes}}}


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "amana/officer-ring/v2"},
        {"officer": 7},
        {"officer": "../x"},
        {"officer": ""},
        {"mark_key": "00"},
        {"mark_key": "AA" * 32},
        {"mark_key": "zz" * 32},
        {"mark_key": None},
        {"groups": {}},
        {"groups": []},
        {"groups": {"triage": None}},
        {"groups": {"../x": json.loads(RING.to_bytes())["groups"]["sgbv"]}},
        {"comment": "unknown"},
        group_with({"recipient": None}),
        group_with({"recipient": "age1pq1"}),
        group_with({"identity": 7}),
        group_with({"identity": ""}),
        group_with({"identity": IDENTITY.to_text()}),
        group_with({"comment": "unknown"}),
    ],
)
def test_a_ring_that_its_format_forbids_is_refused(changes: dict[str, JsonValue]) -> None:
    with pytest.raises(KeyStoreError):
        Ring.from_bytes(ring_with(changes))


def test_a_ring_comes_back_as_it_was_written() -> None:
    lesser = RING.ring_for("second", ("triage",))
    read = Ring.from_bytes(lesser.to_bytes())
    assert (read.officer, dict(read.groups), read.mark_key) == (
        "second",
        {
            "triage": RING.groups["triage"],
            "sgbv": Group(recipient=RING.recipient("sgbv"), identity=None),
        },
        RING.mark_key,
    )
    assert read.held == ("triage",)
    with pytest.raises(NotHeldError):
        read.identity("sgbv")
    with pytest.raises(NotHeldError):
        read.recipient("other")


@pytest.mark.parametrize(("officer", "groups"), [("A", ("triage",)), ("a", ()), ("a", ("../x",))])
def test_a_name_outside_the_format_gets_no_ring(officer: str, groups: tuple[str, ...]) -> None:
    with pytest.raises(KeyFormatError):
        Ring.generate(officer, groups)


def test_the_largest_ring_fits_into_an_officers_file(tmp_path: Path) -> None:
    groups = [f"group-{number:02}" for number in range(MOST_GROUPS)]
    store = KeyStore.create(
        tmp_path / "keys",
        tmp_path / "tombstones",
        groups=groups,
        officer="o" * 32,
        passphrase=PHRASE,
        cost=Cost(memory_bytes=LEAST_MEMORY_BYTES, operations=1),
    )
    assert store.unlock("o" * 32, PHRASE).held == tuple(groups)
    with pytest.raises(KeyFormatError):
        Ring.generate("first", [*groups, "one-more"])
