"""Chapter 25 says what the code does: every message, field and word, no more and no fewer."""

import re
from pathlib import Path

import pytest

from amana.wire.documents import shape_of
from crypto.private import kept, keystore, ring
from worker import agent_desk, agent_server
from worker.agent_journal import Act, JournalLine
from worker.agent_messages import (
    ANSWERS,
    HEADERS_PER_REQUEST,
    MESSAGE_LIMIT_BYTES,
    REQUESTS,
    AgentRefusal,
    Message,
)
from worker.agent_places import GROUPS
from worker.signers import SignersFile

CHAPTER = (Path(__file__).parents[2] / "docs" / "format" / "25-key-store.md").read_text("utf-8")
ROWS = {
    match[1]: match[2]
    for match in re.finditer(r"^\| `([\w/-]+)` \| ([^|]*) \|", CHAPTER, re.MULTILINE)
}


@pytest.mark.parametrize("kind", [*REQUESTS, *ANSWERS])
def test_each_message_has_a_row_with_its_fields(kind: type[Message]) -> None:
    assert re.findall(r"`(\w+)`", ROWS[kind.FORMAT]) == [*shape_of(kind)]


def test_there_is_no_row_for_a_message_that_is_none() -> None:
    messages = {name for name in ROWS if name.startswith("amana/key-agent-")}
    assert messages == {kind.FORMAT for kind in (*REQUESTS, *ANSWERS)}


def test_each_refusal_has_a_row_and_each_act_its_word() -> None:
    assert {reason.value for reason in AgentRefusal} <= ROWS.keys()
    (acts,) = re.findall(r"^\| `act` \| (.*) \|$", CHAPTER, re.MULTILINE)
    assert re.findall(r"`([\w-]+)`", acts) == [act.value for act in Act]


def test_every_field_and_name_stands_there() -> None:
    words = set(re.findall(r"`([^`\n]+)`", CHAPTER))
    fields = {*shape_of(JournalLine), *shape_of(SignersFile)}
    formats = {
        JournalLine.FORMAT,
        SignersFile.FORMAT,
        kept.IDENTITY_FORMAT,
        kept.INSIDE_FORMAT,
        kept.ALIAS_FORMAT,
        ring.FORMAT,
        keystore.TOMBSTONE.decode().strip(),
    }
    assert {*fields, *formats, *GROUPS, f"{ring.NAME.pattern}"} - words == set()


def test_the_numbers_are_those_of_the_code() -> None:
    limits = agent_desk.Limits()
    numbers = (
        f"at most {kept.LIMIT_BYTES:,} bytes",
        f"at most {ring.LIMIT_BYTES:,} bytes",
        f"at most {JournalLine.LIMIT_BYTES:,} bytes",
        f"at most {MESSAGE_LIMIT_BYTES:,} bytes",
        f"1 to {HEADERS_PER_REQUEST} times 1,627 bytes",
        f"1 to {ring.MOST_GROUPS} groups",
        f"{limits.unwraps:,} unwraps",
        f"{limits.idle_seconds / 60:.0f} minutes without use",
        f"whole after {agent_server.REQUEST_SECONDS:.0f} seconds",
        f"when {agent_server.MOST_CONNECTIONS}\n",
    )
    assert [number for number in numbers if number not in CHAPTER] == []
