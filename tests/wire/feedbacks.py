"""A feedback batch as the quarantine makes it: three accounts, one of them with news."""

from datetime import date

from amana.wire.feedback import FeedbackStatus
from amana.wire.ids import AccountId, SubmissionId
from amana.wire.vocabulary import Deployment
from crypto.identities import HybridIdentity
from crypto.sign import NoteSigner
from terms.feedback import FREE_TEXT, PARAMETERS, FeedbackCode, NotKeptReason, Parameter
from tests.wire.givens import an_id, seed
from worker.feedback import Issue, MadeBatch, Told, make_batch

DAY = date(2026, 10, 2)
NEXT = date(2026, 10, 9)
ISSUE = Issue(number=7, deployment=Deployment.TRAINING, published_on=DAY, next_on=NEXT)
ACCOUNTS = tuple(sorted(an_id(AccountId, f"feedback {n}") for n in range(3)))
IDENTITIES = tuple(HybridIdentity(seed=seed(f"feedback {n}")) for n in range(3))
SUBMISSION = SubmissionId(seed("feedback submission").hex())


def a_status(
    code: FeedbackCode = FeedbackCode.PRESERVED,
    on: date = DAY,
    text: str = "What is the date?",
    submission: SubmissionId | None = SUBMISSION,
) -> FeedbackStatus:
    """A status with exactly what its code carries."""
    carried = PARAMETERS[code]
    return FeedbackStatus(
        submission_id=None if code is FeedbackCode.GENERAL_UPDATE else submission,
        code=code,
        on=on,
        reason=NotKeptReason.OUTSIDE_MANDATE if Parameter.REASON in carried else None,
        date=on if Parameter.DATE in carried else None,
        text=text if carried & FREE_TEXT else None,
    )


def told_of(*statuses: FeedbackStatus) -> tuple[Told, ...]:
    """All accounts, where the first has these statuses and the others have none."""
    return tuple(
        Told(
            account=account,
            recipients=(identity.recipient,),
            statuses=statuses if account == ACCOUNTS[0] else (),
        )
        for account, identity in zip(ACCOUNTS, IDENTITIES, strict=True)
    )


def a_batch(signer: NoteSigner, *statuses: FeedbackStatus, issue: Issue = ISSUE) -> MadeBatch:
    """A signed batch for the three."""
    return make_batch(told_of(*statuses), issue, signer)
