"""What is told follows from states, is not taken back, and goes to nobody but who gave."""

from dataclasses import replace

from amana.clock import SystemClock, today
from amana.wire.feedback import FeedbackStatus
from amana.wire.ids import AccountId, RecipientText, SubmissionId, random_id
from crypto.opening import HybridIdentity
from terms.feedback import FeedbackCode
from tests.worker.pipeline.ground import Quarantine
from worker.pipeline.rows import SubmissionRow
from worker.pipeline.states import ItemState, SubmissionState
from worker.pipeline.told import accounts, word_for


def a_reader() -> RecipientText:
    return RecipientText(HybridIdentity.generate().recipient.to_text())


def told(submission: SubmissionId) -> FeedbackStatus:
    return FeedbackStatus(
        submission_id=submission,
        code=FeedbackCode.PRESERVED,
        on=today(SystemClock()),
        reason=None,
        date=None,
        text=None,
    )


def a_row(quarantine: Quarantine, number: int, account: AccountId) -> SubmissionRow:
    """A submission of this account, whoever made it."""
    row = quarantine.row(quarantine.fetch({"a.txt": bytes([number])}))
    return replace(row, account=account, reply=a_reader())


def test_nobody_reads_what_is_told_of_anothers_submission(quarantine: Quarantine) -> None:
    """A portal in other hands can make up a submission for an account, with a reader of its own."""
    account = random_id(AccountId)
    hers, forged = (a_row(quarantine, number, account) for number in range(2))
    statuses = {each.submission_id: told(each.submission_id) for each in (hers, forged)}
    seen = {
        recipient.to_text(): {status.submission_id for status in each.statuses}
        for each in accounts((hers, forged), statuses, quarantine.shop.register())
        if each.account == account
        for recipient in each.recipients
    }
    assert seen == {hers.reply: {hers.submission_id}, forged.reply: {forged.submission_id}}


def test_for_an_organisation_only_its_members_read(quarantine: Quarantine) -> None:
    register = quarantine.shop.register()
    (organisation,) = register.accounts()
    row = a_row(quarantine, 0, organisation.enrolment.account)
    members = {each.feedback for each in organisation.enrolment.active()}
    (found,) = accounts((row,), {row.submission_id: told(row.submission_id)}, register)
    assert {each.to_text() for each in found.recipients} == members
    assert len(found.statuses) == 1


def test_nothing_is_told_as_settled_while_something_waits() -> None:
    for waiting in (ItemState.HELD, ItemState.ASKED, ItemState.WAITING, ItemState.FOUND):
        counts = {ItemState.ACKNOWLEDGED: 1, waiting: 1}
        word = word_for(SubmissionState.ACKNOWLEDGED, counts, [])
        assert word.code is FeedbackCode.CHECKING
