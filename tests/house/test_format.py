"""The numbers in docs/FORMAT.md are those of its chapters, which their own tests recount."""

import re

from tests.vectors.tables import FORMAT, stated

ROW = re.compile(r"\| \[\d+\]\(format/([\w.-]+)\) \| ([^|]+) \| ([\d,]+) / ([\d,]+) \|")
PASSED = re.compile(r"\| ([^|]+) \| (\d+) / (\d+) \|")


def passed_in_chapter_1() -> dict[str, int]:
    chapter = (FORMAT / "01-sealed-object.md").read_text("utf-8")
    return {kind: int(passed) for kind, passed, total in PASSED.findall(chapter) if passed == total}


def expected(chapter: str, kind: str) -> int:
    if chapter != "01-sealed-object.md":
        return sum(sum(counts.values()) for counts in stated(chapter).values())
    ours = {name: count for name, count in passed_in_chapter_1().items() if name.startswith("our ")}
    if kind == "our sealed objects":
        return ours.get("our all", sum(ours.values()))
    return passed_in_chapter_1()[kind.removeprefix("official age: ")]


def test_the_summary_counts_what_the_chapters_count() -> None:
    index = FORMAT.parent / "FORMAT.md"
    rows = ROW.findall(index.read_text("utf-8"))
    assert len(rows) > 10
    for chapter, kind, passed, total in rows:
        assert passed == total
        assert int(total.replace(",", "")) == expected(chapter, kind), (chapter, kind)


def test_every_chapter_is_in_the_index() -> None:
    index = (FORMAT.parent / "FORMAT.md").read_text("utf-8")
    assert all(f"(format/{path.name})" in index for path in FORMAT.glob("*.md"))
