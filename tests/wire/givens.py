"""What examples are made of: ids, keys and days that are the same on every machine.

Whatever is random in life is the hash of a label here.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeVar

from amana.wire.documents import Statement
from amana.wire.ids import AccountId, Digest, RecipientText
from amana.wire.vocabulary import Deployment
from crypto.identities import HybridIdentity
from crypto.sign import LogSigner, NoteSigner, SigningSeeds

IdT = TypeVar("IdT", bound=str)

TODAY = date(2026, 10, 2)
NOON = datetime(2026, 10, 2, 12, 0, 0, tzinfo=UTC)
TRAINING = Deployment.TRAINING


def seed(label: str) -> bytes:
    """32 bytes that stand for a random draw."""
    return hashlib.sha256(f"amana example: {label}".encode()).digest()


def an_id(kind: Callable[[str], IdT], label: str) -> IdT:
    return kind(seed(label)[:16].hex())


def a_digest(label: str) -> Digest:
    return Digest(seed(label).hex())


def a_signer(name: str) -> NoteSigner:
    return NoteSigner.from_seeds(
        name, ed25519_seed=seed(f"{name} ed25519"), mldsa_seed=seed(f"{name} mldsa")
    )


def a_log_signer(origin: str) -> LogSigner:
    seeds = SigningSeeds(ed25519=seed(f"{origin} ed25519"), mldsa=seed(f"{origin} mldsa"))
    return LogSigner.from_seeds(origin, seeds)


def a_recipient(label: str) -> RecipientText:
    return RecipientText(HybridIdentity(seed=seed(label)).recipient.to_text())


ACCOUNT = an_id(AccountId, "account")
DIRECTORY = tuple(a_signer(f"directory-{number}") for number in (1, 2, 3))
DIRECTORY_KEYS = tuple(signer.key for signer in DIRECTORY)
MEMBER = a_signer(f"{ACCOUNT}/member-1")
PORTAL = a_signer("portal-receipts-1")
QUARANTINE = a_signer("quarantine-receipts-1")
MINTER = a_signer("minter-1")
LOG = a_log_signer("example.org/portal-log")


def signed(statement: Statement, *signers: NoteSigner) -> bytes:
    """The note of a statement by these signers, in their order."""
    first, *others = signers
    note = first.sign(statement.to_bytes().decode())
    for signer in others:
        note = signer.cosign(note)
    return note.to_bytes()
