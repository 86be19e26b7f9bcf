"""The quarantine's own signing keys: notes, the pull, its custody log, and what it cosigns.

These keys open nothing. Who steals them can claim that the quarantine said something, never read
what was given to it; so they lie in a plain file that its own user alone may read, as the portal's
do, and the quarantine can sign while no officer is there. Format: docs/format/25-key-store.md
section 7.
"""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, NewType, Self

from amana.durable import durable
from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import WireError
from amana.wire.fields import Base64
from amana.wire.ids import LOG_ORIGIN, LogOrigin
from amana.wire.signers import SIGNER
from crypto.errors import KeyFormatError
from crypto.note import DualKey
from crypto.sign import SEED_BYTES, Cosigner, LogSigner, NoteSigner, SigningSeeds
from worker.errors import SignersError

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO

Seed = NewType("Seed", bytes)
_SEED: Final = Base64(Seed, SEED_BYTES, SEED_BYTES)


@record
class Seeds:
    """Both seeds of one signer. Never shown by repr."""

    ed25519: Seed = carries(_SEED, "The Ed25519 seed.")
    mldsa44: Seed = carries(_SEED, "The ML-DSA-44 seed.")

    def __repr__(self) -> str:
        return "Seeds(hidden)"

    @classmethod
    def of(cls, seeds: SigningSeeds) -> Self:
        """Give the seeds as the file has them."""
        return cls(ed25519=Seed(seeds.ed25519), mldsa44=Seed(seeds.mldsa))

    @property
    def signing(self) -> SigningSeeds:
        """The seeds, ready to sign."""
        return SigningSeeds(ed25519=self.ed25519, mldsa=self.mldsa44)


@record
class SignersFile(Document):
    """The quarantine's signing keys as they lie on its disk. Never shown by repr."""

    FORMAT: ClassVar = "amana/quarantine-signers/v1"
    LIMIT_BYTES: ClassVar = 4_096

    origin: LogOrigin = carries(LOG_ORIGIN, "The quarantine's custody log; its signers' prefix.")
    note: Seeds = carries(Nested(Seeds), "Signs receipts, packages and feedback.")
    pull: Seeds = carries(Nested(Seeds), "Signs requests to the portal.")
    log: Seeds = carries(Nested(Seeds), "Signs the custody log's checkpoints.")
    cosigner: Seeds = carries(Nested(Seeds), "Cosigns the portal's checkpoints.")

    def __repr__(self) -> str:
        return "SignersFile(hidden)"


@record
class PublicSigners(Document):
    """The public halves, for whoever pins the quarantine."""

    FORMAT: ClassVar = "amana/quarantine-signers-public/v1"
    LIMIT_BYTES: ClassVar = 32_768

    note: DualKey = carries(SIGNER, "Signs receipts, packages and feedback.")
    pull: DualKey = carries(SIGNER, "Signs requests to the portal.")
    log: DualKey = carries(SIGNER, "Signs the custody log's checkpoints.")
    cosigner: DualKey = carries(SIGNER, "Cosigns the portal's checkpoints.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """The quarantine's signers, ready to use: one pair of seeds for each purpose."""

    note: NoteSigner = field(repr=False)
    pull: NoteSigner = field(repr=False)
    log: LogSigner = field(repr=False)
    cosigner: Cosigner = field(repr=False)

    @classmethod
    def generate(cls, origin: LogOrigin) -> Self:
        """Make new keys. SignersError: the log's name can be no signer's."""
        note, pull, log, cosigner = (Seeds.of(SigningSeeds.generate()) for _ in range(4))
        return cls._of(SignersFile(origin=origin, note=note, pull=pull, log=log, cosigner=cosigner))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `DATA/worker/keys/signers.json`.

        SignersError: it is missing or malformed, or others can read it.
        """
        try:
            with path.open("rb") as source:
                # Of what is open, not of the name: that may be another file by now.
                is_loose = os.fstat(source.fileno()).st_mode & _OTHERS
                untrusted = source.read(SignersFile.LIMIT_BYTES + 1)
        except FileNotFoundError as failure:
            raise SignersError("there are no signing keys yet: amana key new-signer") from failure
        if is_loose:
            raise SignersError("others can read the quarantine's signing keys")
        try:
            return cls._of(SignersFile.from_bytes(untrusted))
        except WireError as failure:
            raise SignersError("the quarantine's signing keys are malformed") from failure

    def save(self, path: Path) -> None:
        """Write a new file. FileExistsError: there is one; keys are never overwritten."""
        kept = SignersFile(
            origin=LogOrigin(self.log.key.name),
            note=Seeds.of(self.note.seeds),
            pull=Seeds.of(self.pull.seeds),
            log=Seeds.of(self.log.seeds),
            cosigner=Seeds.of(self.cosigner.seeds),
        )
        with durable(path) as target:
            target.write(kept.to_bytes())

    @property
    def public(self) -> PublicSigners:
        """The public halves."""
        return PublicSigners(
            note=self.note.key,
            pull=self.pull.key,
            log=self.log.key,
            cosigner=self.cosigner.key,
        )

    @classmethod
    def _of(cls, kept: SignersFile) -> Self:
        try:
            return cls(
                note=_note_signer(f"{kept.origin}/notes", kept.note),
                pull=_note_signer(f"{kept.origin}/pull", kept.pull),
                log=LogSigner.from_seeds(kept.origin, kept.log.signing),
                cosigner=Cosigner.from_seeds(f"{kept.origin}/cosigner", kept.cosigner.signing),
            )
        except KeyFormatError as failure:
            raise SignersError("the log's name can be no signer's") from failure


def _note_signer(name: str, seeds: Seeds) -> NoteSigner:
    return NoteSigner.from_seeds(name, ed25519_seed=seeds.ed25519, mldsa_seed=seeds.mldsa44)
