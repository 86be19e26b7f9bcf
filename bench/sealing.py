"""Sealing and opening against PyNaCl's secretstream, in one process, from memory to /dev/null.

python bench/sealing.py [MEBIBYTES]     default 1024

Both read the same bytes (ours in pieces of 1 MiB, secretstream in messages of 64 KiB) and write
what they make to /dev/null. Ours also pads and ends with a trailer; opening ours authenticates the
last chunk twice and compares the padding. The ratio is secretstream's time over ours: above 1.0 we
are faster. Medians of three rounds, which take turns; CPU time is the steadier figure.
"""

import io
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from nacl import bindings as sodium

from crypto.opening import HybridIdentity, open_object
from crypto.padding import Kind
from crypto.seal import Sealer

MEBIBYTE = 1 << 20
MESSAGE_SIZE = 65_536
ROUNDS = 3
IDENTITY = HybridIdentity.generate()

Times = tuple[float, float]


def pieces(source: BinaryIO, size: int) -> Iterator[bytes]:
    """Read a source to its end."""
    source.seek(0)
    return iter(lambda: source.read(size), b"")


def seal_ours(content: BinaryIO, sink: BinaryIO) -> None:
    """Seal one object with the push API."""
    sealer = Sealer(IDENTITY.recipient, Kind.RAW)
    sink.writelines(sealer.update(piece) for piece in pieces(content, MEBIBYTE))
    sink.writelines(sealer.finish())


def open_ours(sealed: BinaryIO, sink: BinaryIO) -> None:
    """Open one object."""
    sink.writelines(open_object(sealed, IDENTITY))


def push_theirs(content: BinaryIO, sink: BinaryIO, key: bytes) -> None:
    """Encrypt with crypto_secretstream_xchacha20poly1305_push."""
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    sink.write(sodium.crypto_secretstream_xchacha20poly1305_init_push(state, key))
    sink.writelines(
        sodium.crypto_secretstream_xchacha20poly1305_push(state, piece)
        for piece in pieces(content, MESSAGE_SIZE)
    )


def pull_theirs(sealed: BinaryIO, sink: BinaryIO, key: bytes) -> None:
    """Decrypt with crypto_secretstream_xchacha20poly1305_pull."""
    state = sodium.crypto_secretstream_xchacha20poly1305_state()
    sealed.seek(0)
    header_size = sodium.crypto_secretstream_xchacha20poly1305_HEADERBYTES
    sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, sealed.read(header_size), key)
    message_size = MESSAGE_SIZE + sodium.crypto_secretstream_xchacha20poly1305_ABYTES
    while message := sealed.read(message_size):
        sink.write(sodium.crypto_secretstream_xchacha20poly1305_pull(state, message)[0])


def timed(work: Callable[[], None]) -> Times:
    """Return (wall seconds, CPU seconds)."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def medians(times: list[Times]) -> Times:
    """Return the medians of the wall and the CPU seconds."""
    return statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)


def report(name: str, ours: list[Times], theirs: list[Times]) -> None:
    """Print one line of the table."""
    (wall, cpu), (their_wall, their_cpu) = medians(ours), medians(theirs)
    print(
        f"{name:6} {wall:9.2f} {cpu:9.2f} {their_wall:11.2f} {their_cpu:10.2f}"
        f" {their_wall / wall:11.2f} {their_cpu / cpu:10.2f}"
    )


def main() -> None:
    """Measure and print the table."""
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    content = io.BytesIO(secrets.token_bytes(MEBIBYTE) * mebibytes)
    sealed, pushed, key = io.BytesIO(), io.BytesIO(), secrets.token_bytes(32)
    seal_ours(content, sealed)
    push_theirs(content, pushed, key)
    results: list[list[Times]] = [[], [], [], []]
    with Path("/dev/null").open("wb", buffering=0) as sink:
        works: list[Callable[[], None]] = [
            lambda: seal_ours(content, sink),
            lambda: push_theirs(content, sink, key),
            lambda: open_ours(sealed, sink),
            lambda: pull_theirs(pushed, sink, key),
        ]
        for _ in range(ROUNDS):
            for work, result in zip(works, results, strict=True):
                result.append(timed(work))
    print(f"{mebibytes} MiB   ours wall  ours CPU  theirs wall theirs CPU  wall ratio  CPU ratio")
    report("seal", results[0], results[1])
    report("open", results[2], results[3])


if __name__ == "__main__":
    main()
