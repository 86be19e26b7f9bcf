"""The four kinds of signature line, and the exact bytes that each of them signs.

What is signed decides what a signature means, so it is written once, here, for signing and for
verifying. No key is in this module. Format: docs/format/03-signed-note.md, section "Signed bytes".
"""

from enum import Enum
from typing import Final, assert_never

from crypto.checkpoint import Checkpoint
from crypto.errors import NoteError, ProofError
from crypto.lines import MAX_NUMBER, utf8_of

TIME_BYTES: Final = 8
"""C2SP tlog-cosignature: u64 POSIX seconds, big-endian, before the signature proper."""

NOTE_LABEL: Final = "amana/ml-dsa-44-note/v1"
"""C2SP assigns ML-DSA-44 to cosignatures only; for other notes it leaves type 0xff and a name."""


class Algorithm(Enum):
    """What a key signs with, and what it signs. The value is the C2SP signature type."""

    ED25519 = b"\x01"
    """The note's text (C2SP signed-note)."""
    ED25519_COSIGNATURE = b"\x04"
    """A checkpoint and a time (C2SP tlog-cosignature)."""
    MLDSA44_COSIGNATURE = b"\x06"
    """A checkpoint, a time and the signer's name (C2SP tlog-cosignature)."""
    MLDSA44_NOTE = b"\xff" + NOTE_LABEL.encode("ascii")
    """Our label, the signer's name and the note's text."""

    @property
    def is_timed(self) -> bool:
        """True where the signature begins with the time of signing."""
        return self in (Algorithm.ED25519_COSIGNATURE, Algorithm.MLDSA44_COSIGNATURE)

    @property
    def is_ed25519(self) -> bool:
        """True for Ed25519 (RFC 8032), False for ML-DSA-44 (FIPS 204)."""
        return self in (Algorithm.ED25519, Algorithm.ED25519_COSIGNATURE)

    @property
    def public_bytes(self) -> int:
        """Length of a public key: RFC 8032 section 5.1.5; FIPS 204 table 2."""
        return 32 if self.is_ed25519 else 1312

    @property
    def signature_bytes(self) -> int:
        """Length of a signature and its time: RFC 8032 section 5.1.6; FIPS 204 table 2."""
        return (64 if self.is_ed25519 else 2420) + (TIME_BYTES if self.is_timed else 0)

    def time_of(self, signature: bytes) -> int:
        """Read the POSIX second that a signature states; 0 where it states none."""
        return int.from_bytes(signature[:TIME_BYTES]) if self.is_timed else 0

    def message(self, *, name: str, text: str, at: int) -> bytes:
        """Return the bytes that a key of this name signs under a note's text.

        at: POSIX seconds, 0 to 2^63 - 1, 0 for no statement; only timed algorithms look at it.
        ProofError: this algorithm signs checkpoints and the text is none, or the time is out of
        range. NoteError: the text is not Unicode.
        """
        encoded = utf8_of(text)
        if encoded is None:
            raise NoteError("a note's text is not Unicode")
        match self:
            case Algorithm.ED25519:
                return encoded
            case Algorithm.MLDSA44_NOTE:
                # Names have no newline, so the three parts cannot be cut in another way.
                return f"{NOTE_LABEL}\n{name}\n".encode() + encoded
            case Algorithm.ED25519_COSIGNATURE:
                Checkpoint.from_text(text)
                return f"cosignature/v1\ntime {_in_range(at)}\n".encode() + encoded
            case Algorithm.MLDSA44_COSIGNATURE:
                return _cosigned_message(name, _in_range(at), Checkpoint.from_text(text))
        assert_never(self)


def _cosigned_message(name: str, at: int, checkpoint: Checkpoint) -> bytes:
    # struct cosigned_message of C2SP tlog-cosignature; `start` is 0 for a whole tree.
    encoded_name, encoded_origin = name.encode("utf-8"), checkpoint.origin.encode("utf-8")
    return b"".join(
        (
            b"subtree/v1\n\x00",
            len(encoded_name).to_bytes(1) + encoded_name,
            at.to_bytes(TIME_BYTES),
            len(encoded_origin).to_bytes(1) + encoded_origin,
            (0).to_bytes(8) + checkpoint.size.to_bytes(8),
            checkpoint.root,
        )
    )


def _in_range(at: int) -> int:
    if not 0 <= at <= MAX_NUMBER:
        raise ProofError("a time is out of range")
    return at
