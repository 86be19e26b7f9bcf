"""A message on a socket: its length, then itself, both ways.

No length is believed before it is bounded, and no wait is without an end.
Format: docs/format/25-key-store.md section 6.
"""

import socket
from typing import Final, TypeVar

from amana.wire.documents import FORMAT_FIELD
from amana.wire.errors import FormatError
from crypto import canonical
from crypto.errors import CanonicalError
from worker.agent_messages import LENGTH_BYTES, MESSAGE_LIMIT_BYTES, Message

_PIECE_BYTES: Final = 65_536

MessageT = TypeVar("MessageT", bound=Message)


def to_frame(message: Message) -> bytes:
    """Give the bytes of a message as they go over a socket."""
    content = message.to_bytes()
    return len(content).to_bytes(LENGTH_BYTES) + content


def read_message(untrusted: bytes, kinds: tuple[type[MessageT], ...]) -> MessageT:
    """Give the message in untrusted bytes, of the one kind among these that its format names.

    WireError: it is none of them, or not as its table says.
    """
    try:
        value = canonical.decode(untrusted, limit_bytes=MESSAGE_LIMIT_BYTES)
    except CanonicalError as failure:
        raise FormatError("the message is not canonical JSON within the limit") from failure
    name = value.get(FORMAT_FIELD) if isinstance(value, dict) else None
    for kind in kinds:
        if name == kind.FORMAT:
            return kind.from_bytes(untrusted)
    raise FormatError("the message is of no kind that is known here")


def receive_frame(source: socket.socket) -> bytes:
    """Give the content of the one frame that a socket brings.

    FormatError: it is over the limit, or ends too early. OSError, TimeoutError: as the socket's.
    """
    size = int.from_bytes(_receive(source, LENGTH_BYTES))
    if size > MESSAGE_LIMIT_BYTES:
        raise FormatError("the message is over the limit")
    return _receive(source, size)


def _receive(source: socket.socket, size: int) -> bytes:
    pieces: list[bytes] = []
    missing = size
    while missing:
        piece = source.recv(min(missing, _PIECE_BYTES))
        if not piece:
            raise FormatError("the message ends too early")
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
