"""The table of states and moves, what the chapter says of it, and what is told of each state."""

import re
from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from pathlib import Path

import pytest

from terms.feedback import PARAMETERS, FeedbackCode, NotKeptReason, Parameter
from tests.worker.pipeline.ground import Quarantine
from worker.custody import ItemMove, move
from worker.errors import MoveError
from worker.pipeline.states import (
    ITEM_MOVES,
    SUBMISSION_MOVES,
    ItemState,
    SubmissionState,
)
from worker.pipeline.told import word_for

CHAPTER = Path("docs") / "format" / "26-quarantine.md"


def in_chapter(name: str) -> dict[str, set[str]]:
    text = CHAPTER.read_text(encoding="utf-8")
    table = text.split(f"<!-- moves: {name} -->")[1].split("<!-- end -->")[0]
    rows = [row.split("|")[1:-1] for row in table.strip().splitlines()[2:]]
    return {row[0].strip(" `"): set(re.findall(r"`([A-Z_]+)`", row[2])) for row in rows}


def in_code(
    moves: Mapping[ItemState | None, frozenset[ItemState]]
    | Mapping[SubmissionState | None, frozenset[SubmissionState]],
) -> dict[str, set[str]]:
    return {
        str(state): {str(each) for each in to} for state, to in moves.items() if state is not None
    }


def test_the_chapter_has_the_moves_of_the_code() -> None:
    assert in_chapter("submission") == in_code(SUBMISSION_MOVES)
    assert in_chapter("item") == in_code(ITEM_MOVES)


@pytest.mark.parametrize("states", [ItemState, SubmissionState])
def test_every_state_has_its_moves(states: type[StrEnum]) -> None:
    table = ITEM_MOVES if states is ItemState else SUBMISSION_MOVES
    assert set(table) - {None} == set(states)


def test_a_move_that_is_not_in_the_table_changes_nothing(quarantine: Quarantine) -> None:
    submission = quarantine.fetch({"a.txt": b"a"})
    quarantine.examine(submission)
    (item,) = quarantine.items(submission)
    before, events = quarantine.row(submission), quarantine.events(submission)
    jump = ItemMove(item_id=item.item_id, to=ItemState.ACKNOWLEDGED)
    custodian = quarantine.shop.custodian
    with pytest.raises(MoveError):
        quarantine.shop.books.write(lambda _: move(_, custodian, submission, items=[jump]))
    with pytest.raises(MoveError):
        quarantine.shop.books.write(
            lambda _: move(_, custodian, submission, to=SubmissionState.ERASED)
        )
    assert quarantine.items(submission) == (item,)
    assert (quarantine.row(submission), quarantine.events(submission)) == (before, events)


def test_something_is_told_of_every_state_and_it_carries_what_its_code_carries() -> None:
    counts: list[dict[ItemState, int]] = [
        {},
        {ItemState.ASKED: 1},
        {ItemState.ACKNOWLEDGED: 2},
        {ItemState.ACKNOWLEDGED: 2, ItemState.NOT_KEPT: 1},
        {ItemState.NOT_KEPT: 1},
    ]
    for state, count in product(SubmissionState, counts):
        reasons = [NotKeptReason.UNSAFE_TO_OPEN] * count.get(ItemState.NOT_KEPT, 0)
        word = word_for(state, count, reasons)
        assert (word.reason is not None) == (Parameter.REASON in PARAMETERS[word.code])


def test_what_is_held_looks_like_what_is_on_its_way() -> None:
    words = {
        word_for(state, {ItemState.PACKAGED: 1}, [])
        for state in (SubmissionState.HELD, SubmissionState.RELEASED, SubmissionState.FORWARDED)
    }
    assert {each.code for each in words} == {FeedbackCode.CHECKING}
