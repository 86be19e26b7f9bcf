"""A quarantine at work in a process of its own, that may be killed at any instant.

python -m tests.worker.pipeline.victim HOME SOCKET SIGNATURES
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amana.clock import SystemClock
from amana.durable import durable
from amana.events import EventLog
from amana.wire.ids import CardId, SubmissionId
from crypto.identities import HybridIdentity
from crypto.recipients import HybridRecipient
from terms.vocabulary import HandlingClass
from tests.wire.givens import TRAINING
from tests.worker.opening.keys import RealKeys
from tests.worker.pipeline.ground import Scanner, a_workshop
from worker.agent_client import CardHolder, ClassHolder, Holder
from worker.clamd_wire import ClamdClient
from worker.engine import Engine
from worker.places import Places
from worker.records.books import Books
from worker.signers import Signers
from worker.work import Work


@dataclass(slots=True, kw_only=True)
class KeptKeys(RealKeys):
    """The same keys after every kill: a new one is on the disk before it is used."""

    path: Path = field(default=Path())

    @classmethod
    def load(cls, path: Path) -> "KeptKeys":
        kept = json.loads(path.read_text())
        found: dict[Holder, HybridIdentity] = {
            CardHolder(card=CardId(card)): HybridIdentity.from_text(text)
            for card, text in kept.items()
        }
        keys = cls(identities=found, path=path)
        for each in path.parent.glob("class-*"):
            _, submission, name = each.name.split("-")
            holder = ClassHolder(
                submission=SubmissionId(submission), handling_class=HandlingClass(name)
            )
            keys.identities[holder] = HybridIdentity.from_text(each.read_text())
        return keys

    def class_recipient(
        self, submission: SubmissionId, handling_class: HandlingClass
    ) -> HybridRecipient:
        # Not super(): a class with slots is made twice.
        recipient = RealKeys.class_recipient(self, submission, handling_class)
        holder = ClassHolder(submission=submission, handling_class=handling_class)
        path = self.path.with_name(f"class-{submission}-{handling_class}")
        if not path.exists():
            with durable(path) as target:
                target.write(self.identities[holder].to_text().encode())
        return recipient


@dataclass(frozen=True, slots=True)
class Running:
    """A scanner that somebody else keeps."""

    def keep(self) -> bool:
        return True


def main(argv: Sequence[str]) -> None:
    home, socket, signatures = map(Path, argv)
    places = Places(data_directory=home)
    scanner = Scanner(client=ClamdClient(socket), signatures=signatures)
    url = f"sqlite+aiosqlite:///{home / 'worker.db'}"
    with Books.open(url, TRAINING) as books:
        keys, signers = KeptKeys.load(home / "cards.json"), Signers.load(home / "signers.json")
        work = Work(
            shop=a_workshop(places, books, keys, scanner, signers),
            scanner=Running(),
            log=EventLog(lambda _: None, SystemClock()),
            carrying=None,
            pull_seconds=1,
            feedback_seconds=1,
        )
        with Engine(places.engine, "victim", work.plan) as engine:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            work.run(engine)


if __name__ == "__main__":
    main(sys.argv[1:])
