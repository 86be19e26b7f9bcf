"""One item, read inside: containers in it are opened as the quarantine asks for it.

The quarantine leads: it hands in a content, gets the members one by one, and after each says
either "next" or hands that member in again, sealed, to be walked in turn.
"""

import os
import socket

from worker.inside import archive, kinds
from worker.inside.channel import (
    NAME_BYTES,
    ORDER_NEXT,
    ORDER_WALK,
    Ending,
    GoneError,
    receive_order,
    send_answer,
    send_piece,
)


def serve(channel: socket.socket) -> None:
    """Do what is ordered until the other side is gone (GoneError)."""
    while True:
        letter, descriptor = receive_order(channel)
        if letter != ORDER_WALK or descriptor is None:
            raise GoneError
        walk(channel, descriptor)


def walk(channel: socket.socket, descriptor: int) -> None:
    """Say what a content is, then give its members, and of each what is ordered inside it."""
    try:
        head = os.pread(descriptor, kinds.HEAD_BYTES, 0)
        with archive.opened(descriptor) as members:
            send_answer(
                channel,
                {
                    "answer": "kind",
                    "is_container": members is not None,
                    "media_type": kinds.media_type(head),
                },
            )
            ending = kinds.closed(head) if members is None else Ending.COMPLETE
            try:
                for member in members or ():
                    _give(channel, member)
                    _await_next(channel)
            except archive.EncryptedError:
                ending = Ending.ENCRYPTED
            except archive.UnreadableError:
                ending = Ending.UNREADABLE
            except archive.TrailingError:
                ending = Ending.TRAILING
            send_answer(channel, {"answer": "end", "ending": ending})
    finally:
        os.close(descriptor)


def _give(channel: socket.socket, member: archive.Member) -> None:
    send_answer(
        channel,
        {
            "answer": "member",
            "name": member.name[:NAME_BYTES].hex(),
            "is_name_cut": len(member.name) > NAME_BYTES,
        },
    )
    ending = Ending.COMPLETE
    try:
        for piece in member.pieces():
            send_piece(channel, piece)
    except archive.EncryptedError:
        ending = Ending.ENCRYPTED
    except archive.UnreadableError:
        ending = Ending.UNREADABLE
    send_answer(channel, {"answer": "ended", "ending": ending})


def _await_next(channel: socket.socket) -> None:
    while True:
        letter, descriptor = receive_order(channel)
        if letter == ORDER_NEXT:
            return
        if letter != ORDER_WALK or descriptor is None:
            raise GoneError
        walk(channel, descriptor)
