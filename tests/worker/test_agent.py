"""A real key agent, as processes meet it: asked, alarmed, killed, abused."""

import hashlib
import io
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from amana.wire.ids import CardId, SubmissionId
from crypto.filekey import FileKey
from crypto.identities import HybridIdentity
from crypto.opening import open_object
from crypto.padding import HYBRID_HEADER_SIZE, Kind
from crypto.recipients import HybridRecipient
from crypto.seal import seal
from terms.vocabulary import HandlingClass
from tests.worker.agents import PHRASE, Running, make_store, running, wait_until_locked
from worker.agent_client import CardHolder, ClassHolder
from worker.agent_journal import Act, read_journal
from worker.agent_messages import (
    HEADERS_PER_REQUEST,
    OfficerName,
)
from worker.errors import (
    HeaderRefusedError,
    KeyDestroyedError,
    KeyMissingError,
    KeysLockedError,
    KeysUnavailableError,
    RequestRefusedError,
    RetryError,
    WrongPassphraseError,
)

SUBMISSION = SubmissionId("5a" * 32)
CARD = CardId("c4" * 32)
CONTENT = b"what somebody saw"


def sealed_to(recipient: HybridRecipient, content: bytes = CONTENT) -> bytes:
    return b"".join(seal((content,), recipient, Kind.RECORD))


def opened(sealed: bytes, key: FileKey) -> bytes:
    return b"".join(open_object(io.BytesIO(sealed), key))


def hold(agent: Running, card: CardId) -> HybridRecipient:
    """An intake identity whose card came."""
    recipient = agent.client.new_intake()
    agent.client.bind(card, recipient)
    return recipient


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One agent for the tests that leave it as it was."""
    data = tmp_path_factory.mktemp("shared") / ("deep-" * 30)
    make_store(data)
    with running(data) as agent:
        yield agent


@pytest.fixture
def agent(shared: Running) -> Running:
    shared.unlock()
    return shared


def test_a_file_key_opens_its_object_and_comes_in_the_order_of_the_headers(agent: Running) -> None:
    card = CardId("01" * 32)
    recipient = hold(agent, card)
    contents = [f"object {number}".encode() for number in range(HEADERS_PER_REQUEST + 3)]
    sealed = [sealed_to(recipient, content) for content in contents]
    keys = agent.client.file_keys(SUBMISSION, CardHolder(card=card), sealed)
    assert [opened(each, key) for each, key in zip(sealed, keys, strict=True)] == contents
    assert agent.client.file_keys(SUBMISSION, CardHolder(card=card), []) == ()


def test_a_class_has_one_recipient_on_every_call(agent: Running) -> None:
    made = [
        agent.client.class_recipient(SUBMISSION, each) for each in (*HandlingClass, *HandlingClass)
    ]
    assert made[:4] == made[4:]
    assert len({each.public_key for each in made}) == 4
    sgbv = ClassHolder(submission=SUBMISSION, handling_class=HandlingClass.SGBV)
    sealed = sealed_to(agent.client.class_recipient(SUBMISSION, HandlingClass.SGBV))
    (key,) = agent.client.file_keys(SUBMISSION, sgbv, [sealed])
    assert opened(sealed, key) == CONTENT


@pytest.mark.threat("T-02")
def test_a_header_that_is_anothers_is_named_by_its_place_and_no_key_is_given(
    agent: Running,
) -> None:
    card = CardId("02" * 32)
    recipient = hold(agent, card)
    own = sealed_to(recipient)
    changed = bytearray(own)
    changed[HYBRID_HEADER_SIZE - 10] ^= 1
    foreign = sealed_to(HybridIdentity.generate().recipient)
    many = [own] * (HEADERS_PER_REQUEST + 1)
    for other in (foreign, bytes(changed), own[:-5000], b"", bytes(HYBRID_HEADER_SIZE)):
        with pytest.raises(HeaderRefusedError) as refusal:
            agent.client.file_keys(SUBMISSION, CardHolder(card=card), [*many, other])
        assert refusal.value.index == len(many)
        assert not isinstance(refusal.value, RetryError)


def test_a_card_is_bound_once_and_to_a_key_of_this_store(agent: Running) -> None:
    card = CardId("03" * 32)
    with pytest.raises(KeyMissingError):
        agent.client.bind(card, HybridIdentity.generate().recipient)
    recipient = hold(agent, card)
    agent.client.bind(card, recipient)
    with pytest.raises(RequestRefusedError):
        agent.client.bind(card, agent.client.new_intake())
    with pytest.raises(KeyMissingError):
        agent.client.file_keys(
            SUBMISSION, CardHolder(card=CardId("04" * 32)), [sealed_to(recipient)]
        )


@pytest.mark.threat("T-07")
def test_a_destroyed_key_opens_nothing_and_is_not_made_again(agent: Running) -> None:
    card = CardId("05" * 32)
    submission = SubmissionId("05" * 32)
    intake = CardHolder(card=card)
    child = ClassHolder(submission=submission, handling_class=HandlingClass.CHILD)
    recipient = hold(agent, card)
    agent.client.class_recipient(submission, HandlingClass.CHILD)
    agent.client.lock()
    for holder in (intake, child, intake, child):
        agent.client.destroy(holder)
    agent.unlock()
    with pytest.raises(KeyDestroyedError):
        agent.client.file_keys(SUBMISSION, intake, [sealed_to(recipient)])
    with pytest.raises(KeyDestroyedError):
        agent.client.class_recipient(submission, HandlingClass.CHILD)
    with pytest.raises(KeyDestroyedError):
        agent.client.bind(CardId("06" * 32), recipient)


def test_destroying_a_card_that_was_never_bound_is_not_taken_for_done(agent: Running) -> None:
    with pytest.raises(KeyMissingError):
        agent.client.destroy(CardHolder(card=CardId("07" * 32)))
    never_made = ClassHolder(submission=SubmissionId("07" * 32), handling_class=HandlingClass.SGBV)
    agent.client.destroy(never_made)


def test_locked_keys_do_nothing_but_say_so(agent: Running) -> None:
    card = CardId("08" * 32)
    recipient = hold(agent, card)
    agent.client.lock()
    acts = (
        lambda: agent.client.file_keys(SUBMISSION, CardHolder(card=card), [sealed_to(recipient)]),
        lambda: agent.client.class_recipient(SUBMISSION, HandlingClass.SGBV),
        agent.client.new_intake,
        lambda: agent.client.bind(card, recipient),
    )
    for act in acts:
        with pytest.raises(KeysLockedError) as refusal:
            act()
        assert isinstance(refusal.value, KeysUnavailableError)
    status = agent.client.status()
    assert (status.is_locked, status.officer, status.cleared) == (True, None, ())
    assert status.unwraps_left == 0


@pytest.mark.threat("T-19")
@pytest.mark.parametrize("phrase", ["wrong", "", PHRASE + " ", "\udc80", "x" * 5000])
def test_a_wrong_passphrase_unlocks_nothing(phrase: str, agent: Running) -> None:
    agent.client.lock()
    with pytest.raises(WrongPassphraseError) as refusal:
        agent.client.unlock(OfficerName("registrar"), phrase)
    assert agent.client.status().is_locked
    assert not phrase or phrase not in str(refusal.value)


@pytest.mark.threat("T-19")
def test_the_alarm_locks_at_once(agent: Running) -> None:
    agent.process.send_signal(signal.SIGUSR1)
    wait_until_locked(agent)
    with pytest.raises(KeysLockedError):
        agent.client.new_intake()


@pytest.mark.threat("T-19")
def test_neither_keys_nor_passphrases_stand_in_anything_the_agent_writes(agent: Running) -> None:
    card = CardId("09" * 32)
    recipient = hold(agent, card)
    sealed = sealed_to(recipient)
    (key,) = agent.client.file_keys(SUBMISSION, CardHolder(card=card), [sealed])
    for typed in (PHRASE, "correct-horse-battery-staple"):
        with pytest.raises(WrongPassphraseError):
            agent.client.unlock(OfficerName(typed.replace(" ", "-")), typed)
    written = agent.places.journal.read_bytes()
    text = repr(agent.client.status()).encode() + written
    for secret in (key.secret.hex().encode(), PHRASE.encode(), b"olive", b"battery", b"SECRET"):
        assert secret not in text
    header = hashlib.sha256(sealed[:HYBRID_HEADER_SIZE]).hexdigest()
    lines = list(read_journal(agent.places.journal))
    assert [each.act for each in lines if each.header == header] == [Act.UNWRAPPED]
    assert lines[-1].act is Act.UNLOCK_REFUSED
    assert lines[-1].officer is None


@pytest.mark.threat("T-19")
def test_no_core_file_and_memory_locked_as_far_as_it_says(agent: Running) -> None:
    limits = Path(f"/proc/{agent.process.pid}/limits").read_text("ascii")
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    locked_kib = int(agent.status_of("VmLck").split()[1])
    assert (locked_kib > 0) == agent.client.status().is_memory_locked
