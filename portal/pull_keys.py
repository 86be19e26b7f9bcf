"""Who may pull: the keys that the portal pins, put there by hand.

Two verifier lines of the quarantine's pull key, which signs requests and acknowledgements, and two
of the key by which it cosigns the log. Format: docs/format/22-pull.md section 2.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from crypto.errors import KeyFormatError
from crypto.note import DualKey, Purpose
from portal.errors import KeysError

_LIMIT_BYTES: Final = 16_384  # four verifier lines of names of 255 bytes take 5 KB
_LINES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PullKeys:
    """The quarantine's two keys, as far as the portal has to do with them.

    KeyFormatError: one of them is for another purpose.
    """

    signer: DualKey
    cosigner: DualKey

    def __post_init__(self) -> None:
        if (self.signer.purpose, self.cosigner.purpose) != (Purpose.NOTE, Purpose.COSIGNER):
            raise KeyFormatError("a pull key signs notes, a cosigner's key checkpoints")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file. KeysError: it is missing, or is not the four verifier lines."""
        try:
            with path.open("rb") as source:
                untrusted = source.read(_LIMIT_BYTES + 1)
        except FileNotFoundError as failure:
            raise KeysError("the quarantine's pull key is not there yet") from failure
        lines = untrusted.decode("ascii", "replace").split()
        if len(untrusted) > _LIMIT_BYTES or len(lines) != _LINES:
            raise KeysError("the quarantine's pull key is not four verifier lines")
        try:
            signer, cosigner = DualKey.from_texts(*lines[:2]), DualKey.from_texts(*lines[2:])
            return cls(signer=signer, cosigner=cosigner)
        except KeyFormatError as failure:
            raise KeysError("the quarantine's pull key is malformed") from failure
