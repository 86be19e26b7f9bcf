"""The tables of counts in the chapters of docs/format, read back so that they cannot go stale."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

FORMAT = Path(__file__).parents[2] / "docs" / "format"


def counted(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Count (class, verdict) pairs by class."""
    table: dict[str, dict[str, int]] = {}
    for (kind, verdict), count in Counter(pairs).items():
        table.setdefault(kind, {})[verdict] = count
    return table


def stated(chapter: str) -> dict[str, dict[str, int]]:
    """Read the table under the heading "Vectors": a class a row, a verdict a column."""
    _, _, section = (FORMAT / chapter).read_text("utf-8").partition("\n## Vectors\n")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if re.match(r"\| [^-]", line)
    ]
    verdicts = rows[0][1:]
    return {
        kind: {v: int(n) for v, n in zip(verdicts, numbers, strict=True) if int(n)}
        for kind, *numbers in rows[1:]
    }
