"""Chance that can be thrown again: what a seed decides, it decides the same way each time.

Only what is drilled is chosen by it. No key, salt or id of the deployment ever is.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

ChoiceT = TypeVar("ChoiceT")


class Dice:
    """One row of throws. use: tells rows of the same seed apart."""

    def __init__(self, seed: int, use: str) -> None:
        self._head = f"{seed} {use}"
        self._thrown = 0

    def below(self, limit: int) -> int:
        """Give a whole number from 0 to `limit` - 1."""
        self._thrown += 1
        digest = hashlib.sha256(f"{self._head} {self._thrown}".encode()).digest()
        return int.from_bytes(digest[:8]) % limit

    def one_of(self, choices: Sequence[ChoiceT]) -> ChoiceT:
        """Give one of these; what stands there twice is twice as likely."""
        return choices[self.below(len(choices))]
