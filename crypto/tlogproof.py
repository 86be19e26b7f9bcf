"""One file that shows, off line, that a leaf stands in a log: a C2SP tlog-proof.

It holds the path from the leaf to the root and the log's signed checkpoint, with whatever
cosignatures it has. Reading a proof believes nothing; verify() does the believing, against keys
that the reader already has. Format: docs/format/04-merkle-log.md.
"""

from dataclasses import dataclass
from typing import Final

from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.errors import NoteError, ProofError, SignatureError
from crypto.lines import MAX_NUMBER, base64_of, bytes_of_base64, number_of, text_of_utf8
from crypto.merkle import TreeHash
from crypto.note import DualKey, Purpose, SignedNote, cosigned_at, signers_of

MAX_PROOF_BYTES: Final = 512 * 1024
"""Longest proof file that is looked at. Ours: MAX_SIGNATURES dual lines take less."""

MAX_EXTRA_BYTES: Final = 4096
"""Longest `extra` data. Ours: what stands there is only a hint, never authenticated."""

_FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
_EXTRA: Final = "extra "
_INDEX: Final = "index "
_INDEX_PIECES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPolicy:
    """Whom a reader believes about one log.

    log: the log's key; its name is the origin that checkpoints must have. cosigners: those known
    to this reader. threshold: how many of them must have cosigned, 0 to all.
    SignatureError: a key is for another purpose, or the threshold cannot be met.
    """

    log: DualKey
    cosigners: tuple[DualKey, ...] = ()
    threshold: int = 0

    def __post_init__(self) -> None:
        if self.log.purpose is not Purpose.LOG:
            raise SignatureError("the log's key is not for signing a log")
        if any(key.purpose is not Purpose.COSIGNER for key in self.cosigners):
            raise SignatureError("a cosigner's key is not for cosigning")
        if not 0 <= self.threshold <= len(self.cosigners):
            raise SignatureError("the threshold and the cosigners make no policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class BelievedCheckpoint:
    """A checkpoint that its log signed and enough cosigners saw.

    signed_at: POSIX second that the log states, 0 for none. cosigners: names of the known
    cosigners whose signatures are there and right, in the policy's order.
    """

    checkpoint: Checkpoint
    signed_at: int
    cosigners: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenLeaf:
    """What a verified proof shows: this leaf hash is leaf number `index` of that checkpoint."""

    leaf: TreeHash
    index: int
    believed: BelievedCheckpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """A proof as it is written. Having one proves nothing: verify() does.

    index: from 0. hashes: from the leaf's neighbour up to the root's child. checkpoint: the log's
    signed note. extra: whatever the log adds, authenticated by nobody; None for none.
    ProofError: a value that has no text.
    """

    index: int
    hashes: tuple[TreeHash, ...]
    checkpoint: SignedNote
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index <= MAX_NUMBER:
            raise ProofError("the index is out of range")
        if len(self.hashes) > merkle.MAX_PROOF_HASHES:
            raise ProofError("the proof has more hashes than any tree has levels")
        if any(len(beside) != merkle.HASH_BYTES for beside in self.hashes):
            raise ProofError("a hash has the wrong length")
        if self.extra is not None and not 0 < len(self.extra) <= MAX_EXTRA_BYTES:
            raise ProofError("the extra data is empty or too long")
        Checkpoint.from_text(self.checkpoint.text)

    @classmethod
    def parse(cls, untrusted: bytes) -> "TlogProof":
        """Read a whole proof; ProofError unless it is exactly what to_bytes() writes."""
        if len(untrusted) > MAX_PROOF_BYTES:
            raise ProofError(f"the proof is longer than {MAX_PROOF_BYTES} bytes")
        # No line of the head is empty, so the first empty line ends it.
        head, divider, signed = untrusted.partition(b"\n\n")
        text = text_of_utf8(head)
        if text is None or not divider:
            raise ProofError("the proof has no head and checkpoint in UTF-8")
        try:
            checkpoint = SignedNote.parse(signed, limit_bytes=MAX_PROOF_BYTES)
        except NoteError as failure:
            raise ProofError("the proof's checkpoint is not a signed note") from failure
        first, *lines = text.split("\n", merkle.MAX_PROOF_HASHES + _INDEX_PIECES + 1)
        if first != _FIRST_LINE:
            raise ProofError("the proof is of an unknown format or version")
        extra = _extra_of(lines.pop(0)) if lines and lines[0].startswith(_EXTRA) else None
        if not lines:
            raise ProofError("the proof states no index")
        index, *hashes = lines
        return cls(
            index=_index_of(index),
            hashes=tuple(map(_hash_of, hashes)),
            checkpoint=checkpoint,
            extra=extra,
        )

    def to_bytes(self) -> bytes:
        """Write the proof in UTF-8; a file of it is named `.tlog-proof`."""
        lines = [_FIRST_LINE]
        if self.extra is not None:
            lines.append(_EXTRA + base64_of(self.extra))
        lines.append(f"{_INDEX}{self.index}")
        lines.extend(map(base64_of, self.hashes))
        return "\n".join((*lines, "", "")).encode() + self.checkpoint.to_bytes()


def verify(proof: TlogProof, *, leaf: TreeHash, policy: LogPolicy) -> ProvenLeaf:
    """Return what the proof shows about a leaf hash that the caller worked out from its own data.

    SignatureError: the checkpoint is not to be believed. ProofError: it is another log's, or the
    leaf is not proven to be in it. The proof's extra data takes no part.
    """
    believed = believe(proof.checkpoint, policy)
    merkle.verify_inclusion(
        proof.hashes,
        leaf=leaf,
        index=proof.index,
        size=believed.checkpoint.size,
        root=believed.checkpoint.root,
    )
    return ProvenLeaf(leaf=leaf, index=proof.index, believed=believed)


def believe(note: SignedNote, policy: LogPolicy) -> BelievedCheckpoint:
    """Return the checkpoint in a note, if its log signed it and enough known cosigners did.

    SignatureError: a signature is missing or wrong, also one that the threshold does not need.
    ProofError: it is no checkpoint, or another log's.
    """
    checkpoint = Checkpoint.from_text(note.text)
    if checkpoint.origin != policy.log.name:
        raise ProofError("the checkpoint is another log's")
    signed_at = cosigned_at(note, policy.log)
    cosigners = signers_of(note, policy.cosigners)
    if len(cosigners) < policy.threshold:
        raise SignatureError(f"{len(cosigners)} cosigned where {policy.threshold} must")
    return BelievedCheckpoint(checkpoint=checkpoint, signed_at=signed_at, cosigners=cosigners)


def _extra_of(untrusted_line: str) -> bytes:
    extra = bytes_of_base64(untrusted_line.removeprefix(_EXTRA))
    if extra is None:
        raise ProofError("the extra data is not base64")
    return extra


def _index_of(untrusted_line: str) -> int:
    index = number_of(untrusted_line.removeprefix(_INDEX))
    if index is None or not untrusted_line.startswith(_INDEX):
        raise ProofError("the proof states no index")
    return index


def _hash_of(untrusted_line: str) -> TreeHash:
    beside = bytes_of_base64(untrusted_line)
    if beside is None:
        raise ProofError("a hash is not base64")
    return TreeHash(beside)
