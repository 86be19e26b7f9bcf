"""The state of a log in three lines: its name, how many leaves, their Merkle root.

This is text only. Who signed it is crypto.note's matter, whether it may be believed
crypto.tlogproof's. Extension lines are refused: ML-DSA cosignatures do not cover them.
Format: docs/format/04-merkle-log.md; C2SP tlog-checkpoint.
"""

from dataclasses import dataclass
from typing import Final

from crypto import merkle
from crypto.errors import ProofError
from crypto.lines import MAX_NUMBER, base64_of, bytes_of_base64, number_of, utf8_of
from crypto.merkle import TreeHash

MAX_ORIGIN_BYTES: Final = 255
"""Longest origin: C2SP tlog-cosignature signs it as `opaque log_origin<1..2^8-1>`."""

_LINES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log says of itself. Two checkpoints are equal when their texts are.

    origin: the log's name, 1 to MAX_ORIGIN_BYTES bytes of UTF-8 without control characters.
    size: number of leaves, 0 to 2^63 - 1. root: RFC 6962 root over them.
    ProofError: a value that has no checkpoint text, or an empty tree with a root of its own.
    """

    origin: str
    size: int
    root: TreeHash

    def __post_init__(self) -> None:
        origin = utf8_of(self.origin)
        if origin is None or not 0 < len(origin) <= MAX_ORIGIN_BYTES or min(origin) < ord(" "):
            raise ProofError("the origin is empty, too long or not one line of text")
        if not 0 <= self.size <= MAX_NUMBER:
            raise ProofError("the tree size is out of range")
        if len(self.root) != merkle.HASH_BYTES:
            raise ProofError("the root is not a SHA-256 hash")
        if self.size == 0 and self.root != merkle.EMPTY_ROOT:
            raise ProofError("an empty tree has another root")

    @classmethod
    def from_text(cls, untrusted: str) -> "Checkpoint":
        """Read the text of a checkpoint note; ProofError unless it is what to_text() writes."""
        lines = untrusted.split("\n")
        # Each of the three lines ends in a newline, so one empty piece is left over.
        if len(lines) != _LINES + 1 or lines[_LINES]:
            raise ProofError("a checkpoint has exactly three lines")
        size, root = number_of(lines[1]), bytes_of_base64(lines[2])
        if size is None or root is None:
            raise ProofError("the tree size or the root is malformed")
        return cls(origin=lines[0], size=size, root=TreeHash(root))

    def to_text(self) -> str:
        """Write the three lines, each ended by a newline."""
        return f"{self.origin}\n{self.size}\n{base64_of(self.root)}\n"
