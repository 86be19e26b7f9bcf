"""Signing: the only module here that holds the private halves of note keys.

A signer is two seeds under a name. The portal may import this module for its receipt and log keys;
shared code never does (the import contract says so). Seeds are never shown by repr() and leave only
through `seeds`, for the key store. Format: docs/format/03-signed-note.md.
"""

import secrets
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from nacl.signing import SigningKey

from crypto.algorithm import TIME_BYTES, Algorithm
from crypto.checkpoint import Checkpoint
from crypto.errors import KeyFormatError, ProofError
from crypto.note import DualKey, Purpose, SignatureLine, SignedNote, VerifierKey

SEED_BYTES: Final = 32
"""Length of both seeds: RFC 8032 section 5.1.5; FIPS 204 algorithm 6 (xi)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SigningSeeds:
    """The two secrets of one signer. KeyFormatError: one is not SEED_BYTES long."""

    ed25519: bytes = field(repr=False)
    mldsa: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not len(self.ed25519) == len(self.mldsa) == SEED_BYTES:
            raise KeyFormatError(f"a signing seed is not {SEED_BYTES} bytes")

    @classmethod
    def generate(cls) -> "SigningSeeds":
        """Draw both seeds from the operating system."""
        return cls(ed25519=secrets.token_bytes(SEED_BYTES), mldsa=secrets.token_bytes(SEED_BYTES))

    def public(self, name: str, purpose: Purpose) -> DualKey:
        """Return the public keys under a name; KeyFormatError for a name that no key may have."""
        ed25519, mldsa = purpose.value
        return DualKey(
            ed25519=VerifierKey(
                name=name, algorithm=ed25519, public=bytes(SigningKey(self.ed25519).verify_key)
            ),
            mldsa=VerifierKey(
                name=name,
                algorithm=mldsa,
                public=MLDSA44PrivateKey.from_seed_bytes(self.mldsa)
                .public_key()
                .public_bytes_raw(),
            ),
        )

    def lines(self, text: str, key: DualKey, at: int) -> tuple[SignatureLine, ...]:
        """Make both signature lines under a text, Ed25519 first. `at` as in Algorithm.message()."""
        return tuple(self._line(text, half, at) for half in key.halves)

    def _line(self, text: str, half: VerifierKey, at: int) -> SignatureLine:
        algorithm = half.algorithm
        message = algorithm.message(name=half.name, text=text, at=at)
        signature = self._signature(algorithm, message)
        stated_time = at.to_bytes(TIME_BYTES) if algorithm.is_timed else b""
        return SignatureLine(name=half.name, key_id=half.key_id, signature=stated_time + signature)

    def _signature(self, algorithm: Algorithm, message: bytes) -> bytes:
        if algorithm.is_ed25519:
            return SigningKey(self.ed25519).sign(message).signature
        return MLDSA44PrivateKey.from_seed_bytes(self.mldsa).sign(message)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoteSigner:
    """Signs notes of every kind but checkpoints. Make one with generate() or from_seeds()."""

    seeds: SigningSeeds
    key: DualKey

    @classmethod
    def generate(cls, name: str) -> "NoteSigner":
        """Make a new signer; KeyFormatError for a name that no key may have."""
        return cls._of(name, SigningSeeds.generate())

    @classmethod
    def from_seeds(cls, name: str, *, ed25519_seed: bytes, mldsa_seed: bytes) -> "NoteSigner":
        """Make the signer of these seeds; KeyFormatError: name or seeds are malformed."""
        return cls._of(name, SigningSeeds(ed25519=ed25519_seed, mldsa=mldsa_seed))

    @classmethod
    def _of(cls, name: str, seeds: SigningSeeds) -> "NoteSigner":
        return cls(seeds=seeds, key=seeds.public(name, Purpose.NOTE))

    def sign(self, text: str) -> SignedNote:
        """Make a note with this signer's two lines; NoteError if the text can be no note's."""
        return SignedNote(text=text, signatures=self.seeds.lines(text, self.key, 0))

    def cosign(self, note: SignedNote) -> SignedNote:
        """Add this signer's two lines below those of others, which are not verified here.

        NoteError: the note would have too many lines.
        """
        return _with_lines(note, self.seeds.lines(note.text, self.key, 0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogSigner:
    """Signs a log's own checkpoints. The log's name is its origin.

    It keeps no history: never signing two checkpoints of which one does not continue the other is
    the log's duty (C2SP tlog-checkpoint).
    """

    seeds: SigningSeeds
    key: DualKey

    @classmethod
    def from_seeds(cls, origin: str, seeds: SigningSeeds) -> "LogSigner":
        """Make the log's signer; KeyFormatError for an origin that no key may have as a name."""
        return cls(seeds=seeds, key=seeds.public(origin, Purpose.LOG))

    def sign(self, checkpoint: Checkpoint, *, at: int = 0) -> SignedNote:
        """Make the signed checkpoint. at: POSIX seconds, 0 for no statement of time.

        ProofError: another log's checkpoint, or a time out of range.
        """
        if checkpoint.origin != self.key.name:
            raise ProofError("a log signs only its own checkpoints")
        text = checkpoint.to_text()
        return SignedNote(text=text, signatures=self.seeds.lines(text, self.key, at))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cosigner:
    """Signs that someone else's log only grew, as far as this cosigner has seen.

    The caller has verified the checkpoint and its consistency with the last one it cosigned.
    """

    seeds: SigningSeeds
    key: DualKey

    @classmethod
    def from_seeds(cls, name: str, seeds: SigningSeeds) -> "Cosigner":
        """Make the cosigner; KeyFormatError for a name that no key may have."""
        return cls(seeds=seeds, key=seeds.public(name, Purpose.COSIGNER))

    def cosign(self, note: SignedNote, *, at: int) -> SignedNote:
        """Add this cosigner's two lines. at: POSIX seconds, 0 for no statement of time.

        ProofError: the note is no checkpoint, or the time is out of range. NoteError: it would
        have too many lines.
        """
        return _with_lines(note, self.seeds.lines(note.text, self.key, at))


def _with_lines(note: SignedNote, lines: tuple[SignatureLine, ...]) -> SignedNote:
    return replace(note, signatures=note.signatures + lines)
