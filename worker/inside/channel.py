"""Words between the sandbox and the quarantine: frames over one unix socket.

Inwards there are orders of one letter, some with a descriptor. Outwards there are frames: a letter,
four bytes of length (big-endian) and that many bytes, which are an answer, as canonical JSON of at
most ANSWER_BYTES, or a piece of a member. The order of both: docs/format/19-scan-report.md.
"""

import json
import socket
import struct
from enum import StrEnum, unique
from typing import Final

FRAME_HEAD: Final = struct.Struct(">cI")
"""One letter and the length of what follows."""

ANSWER_BYTES: Final = 16 * 1024
"""Longest answer: the longest name that is let through, in hexadecimal, and a few words."""

PIECE_BYTES: Final = 256 * 1024
"""Longest piece of a member. Ours: some four to a mebibyte."""

NAME_BYTES: Final = 4_096
"""Longest name of a member: PATH_MAX of Linux. A longer one is cut and said to be too long."""

ANSWER: Final = b"J"
PIECE: Final = b"B"

ORDER_ITEM: Final = b"I"
"""To the spawner: fork, and serve the socket that comes with this."""
ORDER_READY: Final = b"R"
"""To the spawner: answer with the same letter."""
ORDER_WALK: Final = b"W"
"""Walk the content whose descriptor comes with this."""
ORDER_NEXT: Final = b"N"
"""Go on with the next member of the container that is being walked."""

CPU_VARIABLE: Final = "AMANA_INSIDE_CPU_SECONDS"
"""How the spawner is told how much CPU one item may take."""


@unique
class Ending(StrEnum):
    """How a member or a container ended."""

    COMPLETE = "complete"
    ENCRYPTED = "encrypted"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"
    TRAILING = "trailing"


Answer = dict[str, str | bool | None]


class GoneError(Exception):
    """The other side is gone, or says something that is no order."""


def send_answer(channel: socket.socket, answer: Answer) -> None:
    """Send one answer."""
    data = json.dumps(answer, sort_keys=True, separators=(",", ":")).encode("ascii")
    channel.sendall(FRAME_HEAD.pack(ANSWER, len(data)) + data)


def send_piece(channel: socket.socket, data: bytes) -> None:
    """Send one piece of a member, at most PIECE_BYTES."""
    channel.sendall(FRAME_HEAD.pack(PIECE, len(data)) + data)


def receive_order(channel: socket.socket) -> tuple[bytes, int | None]:
    """Give the next order and its descriptor, if it has one. GoneError: there is no more."""
    letter, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
    if not letter:
        raise GoneError
    return letter, descriptors[0] if descriptors else None
