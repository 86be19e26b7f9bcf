"""An officer of a rehearsal: waits for what comes in, and decides by a simple rule.

Clean items are kept as STANDARD, what the scanner found something in as SENSITIVE, sealed and
flagged; an archive that nobody can open is not kept.
"""

import json
import time
from dataclasses import dataclass
from typing import Final

from examples.deployment import OFFICER, Deployment, tell

SETTLED: Final = frozenset({"ERASED", "CLOSED"})
_WAITED: Final = frozenset({"EXAMINED", *SETTLED})


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk of one deployment."""

    deployment: Deployment

    def await_examined(self, *, submissions: int, seconds: float) -> None:
        """Wait until so many submissions are examined. TimeoutError: they are not, in time."""
        self._await(submissions, _WAITED, seconds)

    def await_settled(self, *, seconds: float) -> None:
        """Wait until every submission has reached its end. TimeoutError: it has not, in time."""
        self._await(1, SETTLED, seconds)

    def submissions(self) -> dict[str, str]:
        """Give the state of each submission by its id."""
        told = json.loads(self.deployment.amana("review", "list", "--json", say=False))
        return {each["submission"]: each["state"] for each in told["submissions"]}

    def decide(self) -> frozenset[str]:
        """Look at every submission and decide on each item; give the names of what is not kept."""
        officer = ("--officer", OFFICER)
        amana = self.deployment.amana
        shown = {each: self._items(each) for each in self.submissions()}
        for submission in shown:
            tell(amana("review", "show", submission[:12]).rstrip())
        tell(amana("review", "accept", *officer, "--all-clean", "--class", "STANDARD").rstrip())
        waiting = [item for items in shown.values() for item in items]
        flagged = [each["item"] for each in waiting if each["verdict"] in {"infected", "flagged"}]
        locked = {
            each["item"]: each["name"]
            for each in waiting
            if each["verdict"] == "not-scanned" and each["name"].endswith(".zip")
        }
        tell(amana("review", "accept", *officer, "--class", "SENSITIVE", *flagged).rstrip())
        because = ("--reason", "COULD_NOT_BE_OPENED")
        tell(amana("review", "refuse", *officer, *because, *locked).rstrip())
        return frozenset(locked.values())

    def _items(self, submission: str) -> list[dict[str, str]]:
        told = json.loads(self.deployment.amana("review", "show", submission, "--json", say=False))
        items: list[dict[str, str]] = told["items"]
        return items

    def _await(self, count: int, states: frozenset[str], seconds: float) -> None:
        end = time.monotonic() + seconds
        told = ""
        while True:
            found = list(self.submissions().values())
            counted = ", ".join(f"{found.count(each)} {each}" for each in sorted(set(found)))
            if counted != told:
                told = counted
                tell(f"  submissions: {counted or 'none here yet'}")
            if len(found) >= count and all(each in states for each in found):
                return
            if time.monotonic() > end:
                raise TimeoutError(", ".join(found))
            time.sleep(1)
