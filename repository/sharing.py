"""May this be shared? Answered from the conditions in the package, and from nothing else.

What is not given is not known, and what is not known is never looser than any answer. This only
says what the conditions are; it decides nothing and shares nothing. Meaning:
docs/format/13-terms.md; docs/format/21-answers.md section 6.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from amana.wire.package import RegistrationNumber
from repository.errors import UnknownItemError
from repository.inner import Item
from terms.approval import Approval
from terms.evaluate import evaluate
from terms.evaluation import Evaluation
from terms.facts import Facts
from terms.names import Uid


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAnswer:
    """The answer for one item."""

    registration: RegistrationNumber
    evaluation: Evaluation


def may_share(
    items: Iterable[Item],
    question: Facts,
    *,
    only: Collection[RegistrationNumber] = (),
    approvals: Collection[Approval] = (),
) -> Iterator[ItemAnswer]:
    """Yield the answer for every item, or for those of these numbers, in the package's order.

    items: of a PackageReader. question: the act and what is known of it; item and handling class
    are taken from each item. UnknownItemError, at the end: a number is no item's.
    """
    missing = set(only)
    for item in items:
        number = item.packaged.registration
        if only and number not in missing:
            continue
        missing.discard(number)
        facts = replace(
            question,
            item=Uid(item.packaged.item_id),
            handling_class=item.packaged.handling_class,
        )
        found = evaluate(terms=item.terms, facts=facts, approvals=approvals)
        yield ItemAnswer(registration=number, evaluation=found)
    if missing:
        raise UnknownItemError("no-such-item", count=len(missing))
