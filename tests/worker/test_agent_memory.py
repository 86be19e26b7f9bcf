"""What can be found in the key agent's memory, and when it is gone."""

import os
import re
from pathlib import Path

import pytest

from amana.wire.ids import CardId, SubmissionId
from crypto.padding import Kind
from crypto.seal import seal
from tests.worker.agents import OFFICER, PHRASE, make_store, running
from worker.agent_client import CardHolder
from worker.agent_places import name_of

pytestmark = pytest.mark.threat("T-32")

SUBMISSION = SubmissionId("5a" * 32)
HOLDER = CardHolder(card=CardId("c4" * 32))
SPAN = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw")


@pytest.mark.threat("T-19")
def test_keys_are_in_memory_only_while_unlocked_and_passphrases_never(tmp_path: Path) -> None:
    """Who may not read the memory cannot; who may (root) finds nothing that was forgotten."""
    store = make_store(tmp_path)
    ring = store.unlock(OFFICER, PHRASE)
    identities = [ring.identity(group) for group in ring.held]
    kept = [ring.mark_key, *(each.seed for each in identities)]
    passing = [PHRASE.encode(), *(each.to_text().encode() for each in identities)]
    with running(tmp_path) as agent:
        agent.unlock()
        recipient = agent.client.new_intake()
        agent.client.bind(HOLDER.card, recipient)
        sealed = b"".join(seal((b"what somebody saw",), recipient, Kind.RECORD))
        (key,) = agent.client.file_keys(SUBMISSION, HOLDER, [sealed])
        intake = store.identity(ring, name_of(HOLDER))
        passing += [key.secret, intake.seed, intake.to_text().encode()]
        try:
            while_unlocked = found_in_memory(agent.process.pid, [*kept, *passing])
        except PermissionError:
            return
        assert while_unlocked == kept
        agent.client.lock()
        assert found_in_memory(agent.process.pid, [*kept, *passing]) == []


def found_in_memory(pid: int, wanted: list[bytes]) -> list[bytes]:
    """Those of `wanted` that stand in any writable memory of a process."""
    maps = Path(f"/proc/{pid}/maps").read_text("ascii")
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        content = b"\n".join(
            span_of(memory.fileno(), int(match[1], 16), int(match[2], 16))
            for match in SPAN.finditer(maps)
        )
    return [each for each in wanted if each in content]


def span_of(descriptor: int, start: int, end: int) -> bytes:
    pieces = []
    while start < end and (piece := os.pread(descriptor, min(1 << 20, end - start), start)):
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)
