"""`amana seal` and `amana open` of one large file and of a small one: memory must not differ.

    bench/folder.py [MEBIBYTES]      default 256; 3072 for the figure in the documents

Each command runs as its own process; its peak memory is what the kernel says of it. Beside the
times stands what copying the same bytes with an fsync takes.
"""

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from amana.clock import SystemClock, today
from examples.rehearsal import Rehearsal, prepare

_FOLDER = Path("var/bench-folder")
_AMANA = Path(sys.executable).with_name("amana")


def main(mebibytes: int) -> None:
    """Print one row per size."""
    if _FOLDER.exists():
        shutil.rmtree(_FOLDER)
    rehearsal = prepare(_FOLDER / "keys", today(SystemClock()))
    phrase = ["--passphrase-file", str(rehearsal.passphrase)]
    _measured(["keygen", "--kit", str(rehearsal.kit), "--out", str(rehearsal.keys), *phrase])
    print("| file, MiB | copy + fsync, s | seal, s | open, s | seal, peak MiB | open, peak MiB |")
    print("|---|---|---|---|---|---|")
    for size in (1, mebibytes):
        print(_row(rehearsal, size, phrase))
    shutil.rmtree(_FOLDER)


def _row(rehearsal: Rehearsal, mebibytes: int, phrase: list[str]) -> str:
    given, bundle, opened = (_FOLDER / name for name in ("given", "bundle", "opened"))
    given.mkdir()
    block = os.urandom(1 << 20)
    with (given / "large").open("wb") as target:
        for _ in range(mebibytes):
            target.write(block)
    started = time.perf_counter()
    with (given / "large").open("rb") as source, (_FOLDER / "copy").open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        os.fsync(target.fileno())
    copied = time.perf_counter() - started
    (_FOLDER / "copy").unlink()
    sealing = ["seal", str(given), "--kit", str(rehearsal.kit), "--card", str(rehearsal.card)]
    sealing += ["--keys", str(rehearsal.keys), *phrase, "--out", str(bundle)]
    seal_seconds, seal_peak = _measured(sealing)
    opening = ["open", str(bundle), "--identity", str(rehearsal.identity)]
    opening += ["--signer", f"{rehearsal.keys}.public", "--out", str(opened)]
    open_seconds, open_peak = _measured(opening)
    for folder in (given, bundle, opened):
        shutil.rmtree(folder)
    cells = (mebibytes, copied, seal_seconds, open_seconds)
    return f"| {' | '.join(f'{cell:,.3g}' for cell in cells)} | {seal_peak:.0f} | {open_peak:.0f} |"


def _measured(words: list[str]) -> tuple[float, float]:
    """Run one command; return its seconds and its own peak memory in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen([str(_AMANA), *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"amana {words[0]} failed")
    return time.perf_counter() - started, _mebibytes(usage)


def _mebibytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / 1024  # Linux counts kibibytes


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 256)
