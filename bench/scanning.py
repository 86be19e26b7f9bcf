"""The quarantine's scanning against clamd alone: what opening memory, walking and judging cost.

python bench/scanning.py [MEBIBYTES]     default 64, of each kind

Both have as many files in flight as there are cores and the same clamd, without its cache, with
the demo signatures: with the official ones a scan takes longer, so the ratio is a lower bound.
Alone: memfds that are filled before the clock starts, handed over by FILDES. Ours: the same bytes
read in pieces, hashed, sealed, scanned, walked in the sandbox, judged, with both canaries. The
ratio is clamd's time over ours: 1.0 would be for nothing. Medians of rounds that take turns.
"""

import hashlib
import os
import secrets
import shutil
import statistics
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

from amana.clock import SystemClock, today
from amana.wire.ids import ContentSha256, ItemId, random_id
from amana.wire.vocabulary import Deployment
from worker.clamd_service import ClamdService, ClamdSettings
from worker.clamd_wire import ClamdClient
from worker.demo_signatures import write_demo
from worker.inspector import Examined, Inspector, InspectorSettings, Item
from worker.memory import Content, MemoryBudget, SealedMemory

MEBIBYTE = 1 << 20
PIECE = 256 * 1024
ROUNDS = 3
CORES = os.cpu_count() or 1


def photographs(count: int, size: int) -> list[bytes]:
    """Return files that begin like photographs and go on like chance."""
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    return [head + secrets.token_bytes(size - len(head)) for _ in range(count)]


def films(count: int, size: int) -> list[bytes]:
    """Return files that begin like films."""
    head = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x00\x08mdat"
    return [head + secrets.token_bytes(size - len(head)) for _ in range(count)]


def archives(count: int, size: int) -> list[bytes]:
    """Return zips of photographs: these are scanned twice, as a whole and member by member."""
    made = []
    for _ in range(count):
        file = BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for number, photograph in enumerate(photographs(size // 65_536, 65_536)):
                archive.writestr(f"{number}.jpg", photograph)
        made.append(file.getvalue())
    return made


def item(content: bytes) -> Item:
    """Return an item that is read in pieces."""
    digest = ContentSha256(hashlib.sha256(content).hexdigest())

    def read() -> Iterator[bytes]:
        return (content[at : at + PIECE] for at in range(0, len(content), PIECE))

    size = Content(size_bytes=len(content), sha256=digest)
    return Item(item_id=random_id(ItemId), content=size, read=read)


def sealed(contents: list[bytes]) -> list[SealedMemory]:
    """Return the contents in memory, ready to be handed over."""
    total = sum(map(len, contents))
    allotment = MemoryBudget(total).allot(total)
    made = []
    for content in contents:
        windows = allotment.cut([content], window_bytes=len(content), overlap_bytes=0)
        made += [memory for memory, _ in windows]
    return made


def timed(work: Callable[[], None]) -> float:
    """Return wall seconds."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def compare(client: ClamdClient, settings: InspectorSettings, contents: list[bytes]) -> str:
    """Return one line of the table."""
    inspector, items = Inspector(client, settings, SystemClock()), [item(one) for one in contents]
    ours, alone = [], []

    def examine() -> None:
        if not all(isinstance(each, Examined) for each in inspector.examine(items)):
            raise SystemExit("an item has no verdict")

    for _ in range(ROUNDS):
        memories = sealed(contents)
        with ThreadPoolExecutor(CORES) as pool:
            alone.append(timed(lambda: list(pool.map(client.scan, memories)).clear()))  # noqa: B023 - called at once
        for memory in memories:
            memory.close()
        ours.append(timed(examine))
    mebibytes = sum(map(len, contents)) / MEBIBYTE
    their_time, our_time = statistics.median(alone), statistics.median(ours)
    return (
        f"{len(contents):6} {mebibytes / their_time:12.0f} {mebibytes / our_time:12.0f}"
        f" {their_time / our_time:8.2f}"
    )


def main() -> None:
    """Measure and print the table."""
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    ground = Path("/dev/shm") / f"amana-bench-{secrets.token_hex(4)}"  # noqa: S108 - random name
    ground.mkdir(mode=0o755)
    try:
        (ground / "signatures").mkdir(mode=0o755)
        write_demo(ground / "signatures", today(SystemClock()))
        settings = InspectorSettings(
            deployment=Deployment.TRAINING, signatures=ground / "signatures", in_flight=CORES
        )
        service = ClamdSettings(
            folder=ground / "run",
            signatures=ground / "signatures",
            temporary=ground / "temporary",
            threads=CORES,
        )
        kinds = {
            "films of 16 MiB": films(mebibytes // 16, 16 * MEBIBYTE),
            "photographs of 2 MiB": photographs(mebibytes // 2, 2 * MEBIBYTE),
            "photographs of 64 KiB": photographs(4 * mebibytes, 65_536),
            "zips of 4 MiB": archives(mebibytes // 8, 4 * MEBIBYTE),
        }
        print(f"{'':22}  files  clamd MiB/s   ours MiB/s    ratio")
        with ClamdService(service) as client:
            for name, contents in kinds.items():
                print(f"{name:22} {compare(client, settings, contents)}", flush=True)
    finally:
        shutil.rmtree(ground)


if __name__ == "__main__":
    main()
