"""What the supervisor is told of one program. Nothing here knows what the program does."""

from dataclasses import dataclass
from typing import Final, TypeAlias

READY_SECONDS: Final = 120.0
"""How long a program may take until it is ready: clamd reads its official database for a minute."""

STOP_SECONDS: Final = 40.0
"""How long a program may take to end in order; the portal gives uploads 30 (amana.web.server)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """The program is ready when it writes a line that ends with this text."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The program is ready when somebody listens: `unix:/PATH`, or `127.0.0.1:PORT`."""

    address: str


Ready: TypeAlias = Says | Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program to start.

    name: what its lines begin with. urls: what a person may open once it is ready.
    """

    name: str
    command: tuple[str, ...]
    ready: Ready
    ready_seconds: float = READY_SECONDS
    stop_seconds: float = STOP_SECONDS
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before a program that died is started again.

    Twice as long each time, from `first` to `longest`; from the beginning again after it was up for
    `calm` seconds. Ours: fast enough for an accident, slow enough to read the log of a loop.
    """

    first_seconds: float = 1.0
    longest_seconds: float = 60.0
    calm_seconds: float = 60.0

    def after(self, waited_seconds: float, up_seconds: float) -> float:
        """Give the next wait, from the last one (0: there was none) and how long it was up."""
        if waited_seconds == 0 or up_seconds >= self.calm_seconds:
            return self.first_seconds
        return min(2 * waited_seconds, self.longest_seconds)
