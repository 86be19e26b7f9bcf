"""The key agent: the one process that holds private keys of sealed objects while it runs.

It opens no object and reads no content: it finds file keys in headers, for as many as the budget
allows, as long as an officer has unlocked it. SIGUSR1 forgets the keys at once; SIGTERM and SIGINT
do so and end it. After kill -9 nothing is lost and the keys are locked.
Format: docs/format/25-key-store.md.
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

from amana.clock import Clock
from crypto.errors import KeyStoreError
from crypto.private.keystore import KeyStore
from worker.agent_desk import Desk, Limits
from worker.agent_journal import Act, Entry, Journal
from worker.agent_places import KeyPlaces
from worker.agent_server import Server, listen
from worker.errors import KeyPlaceError
from worker.hardening import harden

_OWN_USER, _ANY_USER = 0o600, 0o666
_PASSABLE = 0o711


@dataclass(slots=True)
class _Alarm:
    """What signals ask for."""

    desk: Desk
    is_stopped: bool = False

    def forget(self, _number: int, _frame: FrameType | None) -> None:
        """Drop the keys between two steps of whatever is going on."""
        self.desk.forget()

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """Drop the keys, and end when the request at hand is answered."""
        self.desk.forget()
        self.is_stopped = True


def run(
    places: KeyPlaces,
    clock: Clock,
    *,
    uids: Collection[int],
    limits: Limits,
    say_ready: Callable[[bool], None],
) -> None:
    """Be the key agent until told to stop. The process is hardened, for good.

    uids: users who may ask, beside the agent's own. say_ready: called once the socket is there,
    with whether memory is locked. AgentRunningError: there is an agent already. KeyPlaceError:
    there is no key store, or others can read it. Replays tombstones before anything else.
    """
    if not places.keys.is_dir():
        raise KeyPlaceError("there is no key store yet: amana key init")
    with ExitStack() as held:
        held.enter_context(places.held())
        is_memory_locked = harden()
        journal = Journal(places.journal, clock)
        held.callback(journal.close)
        desk = Desk(
            _opened(places),
            journal,
            limits=limits,
            monotonic=_seconds,
            is_memory_locked=is_memory_locked,
        )
        journal.write([Entry(act=Act.STARTED)])
        alarm = _Alarm(desk)
        others = frozenset(uids) - {os.geteuid()}
        if others:
            places.keys.chmod(_PASSABLE)
        listener = listen(places.socket, mode=_ANY_USER if others else _OWN_USER)
        held.callback(places.socket.unlink, missing_ok=True)
        server = Server(listener, desk.answer, uids={*others, os.geteuid()}, monotonic=_seconds)
        with closing(server), _signals(alarm) as wakened:
            server.watch(wakened)
            say_ready(is_memory_locked)
            while not alarm.is_stopped:
                server.serve_once()
                desk.tidy()
        desk.tidy()
        with suppress(OSError):  # a full disk is no reason to stay
            journal.write([Entry(act=Act.STOPPED)])


def _opened(places: KeyPlaces) -> KeyStore:
    try:
        return KeyStore.open(places.keys, places.tombstones)
    except KeyStoreError as failure:
        raise KeyPlaceError("the key store is not whole, or others can read it") from failure


@contextmanager
def _signals(alarm: _Alarm) -> Iterator[socket.socket]:
    """Have signals heed the alarm, and give the socket that wakes the server when one comes."""
    wakened, waker = socket.socketpair()
    waker.settimeout(0)
    asked = {
        signal.SIGUSR1: alarm.forget,
        signal.SIGTERM: alarm.stop,
        signal.SIGINT: alarm.stop,
    }
    before = {number: signal.signal(number, act) for number, act in asked.items()}
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    try:
        yield wakened
    finally:
        signal.set_wakeup_fd(-1)
        for number, act in before.items():
            signal.signal(number, act)
        wakened.close()
        waker.close()


def _seconds() -> float:
    """Seconds that pass while the machine sleeps too: a closed lid must not keep keys awake."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
