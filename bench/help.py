"""How long `amana --help` takes, beside an interpreter that only starts. Aim: under 0.2 s."""

import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

ROUNDS = 11


def seconds(command: Sequence[str]) -> float:
    """Return the median time of a program, of ROUNDS runs after one that warms the disk cache."""
    times = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def main() -> None:
    """Print both times and their ratio."""
    amana = seconds([str(pathlib.Path(sys.executable).parent / "amana"), "--help"])
    bare = seconds([sys.executable, "-c", "pass"])
    print(
        f"amana --help   {amana:.3f} s   ({amana / bare:.1f} times an interpreter that only starts)"
    )


if __name__ == "__main__":
    main()
