"""What each provider may be told now: a code that follows from states, and from nothing else.

The function is total, and what it looks at says nothing of anybody's use of the material. Held and
forwarded look alike, on purpose: a provider learns the outcome, not the way. Format:
docs/format/24-feedback.md, 26-quarantine.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import assert_never

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from amana.wire.feedback import FeedbackStatus
from amana.wire.ids import AccountId, RecipientText, SubmissionId
from crypto.recipients import HybridRecipient
from terms.feedback import FeedbackCode, NotKeptReason
from worker.enrolled import Register
from worker.feedback import Told
from worker.pipeline.rows import SubmissionRow, counts_of, not_kept_reasons, submissions
from worker.pipeline.states import UNSETTLED, ItemState, SubmissionState
from worker.records.tables import BATCH, TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A code, and the reason that it carries where it does."""

    code: FeedbackCode
    reason: NotKeptReason | None = None


def word_for(
    state: SubmissionState,
    counts: Mapping[ItemState, int],
    not_kept: Iterable[NotKeptReason],
) -> Word:
    """Give what is told of a submission in this state, with so many items in each of theirs."""
    match state:
        case SubmissionState.FETCHED:
            return Word(code=FeedbackCode.RECEIVED)
        case SubmissionState.HELD | SubmissionState.RELEASED | SubmissionState.FORWARDED:
            return Word(code=FeedbackCode.CHECKING)
        case SubmissionState.EXAMINED:
            is_asked = counts.get(ItemState.ASKED, 0) > 0
            return Word(code=FeedbackCode.WAITING_FOR_YOU if is_asked else FeedbackCode.CHECKING)
        case SubmissionState.ACKNOWLEDGED if _has_unsettled(counts):
            # It goes back to the desk: what is told now must not be taken back tomorrow.
            return Word(code=FeedbackCode.CHECKING)
        case SubmissionState.ACKNOWLEDGED | SubmissionState.ERASED | SubmissionState.CLOSED:
            return _settled(counts, not_kept)
    assert_never(state)


def _has_unsettled(counts: Mapping[ItemState, int]) -> bool:
    return any(counts.get(each, 0) for each in UNSETTLED)


def _settled(counts: Mapping[ItemState, int], not_kept: Iterable[NotKeptReason]) -> Word:
    reasons = set(not_kept)
    # Of several reasons the first in the order of the vocabulary: never the one most given.
    reason = next((each for each in NotKeptReason if each in reasons), None)
    kept = counts.get(ItemState.ACKNOWLEDGED, 0)
    if reason is None:
        return Word(code=FeedbackCode.PRESERVED if kept else FeedbackCode.CHECKING)
    code = FeedbackCode.PARTLY_KEPT if kept else FeedbackCode.NOT_KEPT
    return Word(code=code, reason=reason)


async def refresh(connection: AsyncConnection, on: date) -> None:
    """Write down what is to be told of each submission, with the day on which it changed."""
    query = select(TOLD.c.submission_id, TOLD.c.code, TOLD.c.reason)
    known = {row[0]: (row[1], row[2]) for row in await connection.execute(query)}
    for row in await submissions(connection):
        counts = await counts_of(connection, row.submission_id)
        reasons = await not_kept_reasons(connection, row.submission_id)
        word = word_for(row.state, counts, reasons.values())
        said = {"code": word.code.value, "reason": word.reason, "told_on": on.isoformat()}
        if row.submission_id not in known:
            await connection.execute(insert(TOLD).values(submission_id=row.submission_id, **said))
        elif known[row.submission_id] != (word.code, word.reason):
            mine = TOLD.c.submission_id == row.submission_id
            await connection.execute(update(TOLD).where(mine).values(**said))


async def statuses(connection: AsyncConnection) -> Mapping[SubmissionId, FeedbackStatus]:
    """Give what is told of each submission."""
    found = (await connection.execute(select(TOLD))).mappings()
    return {
        SubmissionId(each["submission_id"]): FeedbackStatus(
            submission_id=SubmissionId(each["submission_id"]),
            code=FeedbackCode(each["code"]),
            on=date.fromisoformat(each["told_on"]),
            reason=None if each["reason"] is None else NotKeptReason(each["reason"]),
            date=None,
            text=None,
        )
        for each in found
    }


def accounts(
    rows: Sequence[SubmissionRow],
    told: Mapping[SubmissionId, FeedbackStatus],
    register: Register,
) -> Iterator[Told]:
    """Yield every account that has a reader, with news or without.

    Members read for an organisation, whether it gave anything yet or not, and nobody else. For a
    witness it is whoever has the words that a submission names, and of that submission alone: the
    portal can name a reader of its own in a submission that it makes up under anybody's account.
    """
    organisations = {each.enrolment.account: each.enrolment for each in register.accounts()}
    said: dict[tuple[AccountId, RecipientText | None], list[FeedbackStatus]] = {}
    for row in rows:
        reader = None if row.account in organisations else row.reply
        statuses = said.setdefault((row.account, reader), [])
        if row.submission_id in told:
            statuses.append(told[row.submission_id])
    for account, enrolment in organisations.items():
        readers = {each.feedback for each in enrolment.active()}
        statuses = said.get((account, None), [])
        yield _told(account, readers, statuses)
    for (account, reader), statuses in said.items():
        if reader is not None:
            yield _told(account, {reader}, statuses)


def _told(account: AccountId, readers: Iterable[str], statuses: Iterable[FeedbackStatus]) -> Told:
    return Told(
        account=account,
        recipients=tuple(map(HybridRecipient.from_text, sorted(readers))),
        statuses=tuple(statuses),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A feedback batch as the books have it."""

    number: int
    next_on: date
    is_posted: bool


async def last_batch(connection: AsyncConnection) -> BatchRow | None:
    """Give the last batch that was made; None before the first."""
    query = select(BATCH).order_by(BATCH.c.number.desc()).limit(1)
    found = (await connection.execute(query)).mappings().first()
    if found is None:
        return None
    return BatchRow(
        number=found["number"],
        next_on=date.fromisoformat(found["next_on"]),
        is_posted=bool(found["is_posted"]),
    )


async def write_batch(connection: AsyncConnection, number: int, on: date, next_on: date) -> None:
    """Write down that a batch was made; it lies in its file already."""
    await connection.execute(
        insert(BATCH).values(
            number=number,
            published_on=on.isoformat(),
            next_on=next_on.isoformat(),
            is_posted=0,
        )
    )


async def mark_batch(connection: AsyncConnection, number: int) -> None:
    """Write down that the portal has a batch."""
    await connection.execute(update(BATCH).where(BATCH.c.number == number).values(is_posted=1))


def next_day(on: date, seconds: int) -> date:
    """Give the published day of the next batch: whole days, at least one."""
    return on + timedelta(days=max(1, -(-seconds // 86_400)))
