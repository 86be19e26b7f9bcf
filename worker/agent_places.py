"""Where the quarantine keeps its keys, and under which names.

The key store knows names only; here stands what they mean. Format: docs/format/25-key-store.md
sections 1 and 4.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from crypto.recipients import HybridRecipient
from terms.vocabulary import HandlingClass
from worker.agent_messages import CardHolder, ClassHolder, Holder
from worker.errors import AgentRunningError

TRIAGE: Final = "triage"
"""The group that opens what comes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlaces:
    """The folders and files of the quarantine's keys."""

    data_directory: Path

    @property
    def home(self) -> Path:
        """What belongs to the quarantine and to no other zone."""
        return self.data_directory / "worker"

    @property
    def keys(self) -> Path:
        """The key store, and everything else that is named here but the tombstones."""
        return self.home / "keys"

    @property
    def tombstones(self) -> Path:
        """What was destroyed. Backed up apart from the keys, and never restored to an older one."""
        return self.home / "tombstones"

    @property
    def socket(self) -> Path:
        """Where the key agent is asked."""
        return self.keys / "agent.sock"

    @property
    def journal(self) -> Path:
        """What the key agent did."""
        return self.keys / "journal"

    @property
    def signers(self) -> Path:
        """The quarantine's own signing keys."""
        return self.keys / "signers.json"

    @property
    def public_signers(self) -> Path:
        """Their public halves."""
        return self.keys / "signers.public"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the keys for one agent; a kill frees them. AgentRunningError: another holds them."""
        handle = os.open(self.keys / "agent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as failure:
            raise AgentRunningError("another key agent holds these keys") from failure
        finally:
            os.close(handle)


def group_of(handling_class: HandlingClass) -> str:
    """Give the group that opens what is of this class."""
    return handling_class.value.lower()


GROUPS: Final = (TRIAGE, *(group_of(each) for each in HandlingClass))
"""Every group of the key store."""


def name_of(holder: Holder) -> str:
    """Give the name of a holder's identity in the key store."""
    match holder:
        case CardHolder(card=card):
            return f"card-{card}"
        case ClassHolder(submission=submission, handling_class=handling_class):
            return f"class-{submission}-{group_of(handling_class)}"
    assert_never(holder)


def intake_name(recipient: HybridRecipient) -> str:
    """Give the name of the intake identity of a recipient: a card is bound to it later."""
    return f"intake-{hashlib.sha256(recipient.public_key).hexdigest()}"
