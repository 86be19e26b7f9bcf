"""Two organisations and two persons give: a package answers the same question as each of them said.

The agreements and consents are the examples that `make run` uses.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from amana.exitcodes import ExitCode
from amana.wire.consent_toml import read_consent
from amana.wire.event import EventType, Thing, ThingKind
from amana.wire.ids import ThingId
from amana.wire.package import CustodyLine, RegistrationNumber, ScanVerdict
from repository.commands.package import main
from terms.vocabulary import Effect, HandlingClass
from tests.package.world import END, KEYS, QUARANTINE, Held, an_event
from tests.wire.givens import MEMBER, NOON, an_id, signed
from tests.worker.agreed import EXAMPLES, ORCHARD, WELL, Came, came, put, under
from worker.agreements import AgreementStore
from worker.package import Maker, write_package
from worker.package_plan import AcceptedItem, Dossier, PackagePlan, plan_packages
from worker.snapshots import Snapshot, take_snapshot

ADULT = read_consent((EXAMPLES / "consent-adult.toml").read_bytes())
ASK = read_consent((EXAMPLES / "consent-ask-me-first.toml").read_bytes())
TO_A_PROSECUTOR = (
    *("--recipient", "de-gba", "--recipient-kind", "NATIONAL_PROSECUTOR", "--country", "DE"),
    *("--purpose", "CRIMINAL_PROSECUTION", "--stage", "INVESTIGATION", "--on", "2027-03-01"),
    *("--death-penalty", "NO", "--fair-trial", "MET", "--in-absentia", "NO"),
    *("--undertaking", "LEAD_ONLY"),
)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A repository's desk: packages by agreement, and what they answer."""

    folder: Path

    def ask(self, agreement: str, act: str, *words: str) -> int:
        ends = ("--keys", str(self.folder / "keys"), "--quarantine", str(self.folder / "pinned"))
        return main(["may-share", str(self.folder / agreement), "--act", act, *words, *ends])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One submission: of either agreement, an item about each of the two persons."""
    folder = tmp_path_factory.mktemp("agreed")
    store = AgreementStore(folder / "agreements")
    put(store, ORCHARD)
    put(store, WELL)
    places = [under(ORCHARD), under(ORCHARD), under(WELL), under(WELL)]
    opened = came(*places, alone=[ADULT, ASK, ADULT, ASK])
    snapshot = take_snapshot(opened, store, date(2026, 11, 1))
    assert isinstance(snapshot, Snapshot)
    maker = Maker(recipient=KEYS.identity.recipient, signer=QUARANTINE)
    for plan in plans(opened, snapshot):
        named = plan.items[0].terms.named
        assert named is not None
        write_package(plan, Held({}), maker, folder / named.uid.rpartition("/")[2])
    KEYS.save(folder / "keys")
    (folder / "pinned").write_bytes(END.to_bytes())
    return Desk(folder=folder)


def plans(opened: Came, snapshot: Snapshot) -> tuple[PackagePlan, ...]:
    arrival = opened.arrival
    assert arrival is not None
    dossier = Dossier(
        snapshot=snapshot.document,
        note=signed(opened.note, MEMBER),
        submission=opened.submission,
        leaves=tuple(item.leaf for item in opened.items),
        custody=(CustodyLine(event=arrival, index=None, hashes=()),),
        checkpoint=None,
    )
    return plan_packages(dossier, (accepted(opened, snapshot, n) for n in range(len(opened.items))))


def accepted(opened: Came, snapshot: Snapshot, place: int) -> AcceptedItem:
    item = opened.items[place]
    thing = Thing(kind=ThingKind.ITEM, id=ThingId(item.item_id))
    assert snapshot.held(item) is None
    return AcceptedItem(
        registration=an_id(RegistrationNumber, f"agreed {place}"),
        place=place,
        manifest=item,
        handling_class=HandlingClass.STANDARD,
        snapshot=snapshot.document.digest,
        terms=snapshot.terms(item),
        consents=snapshot.consents(item),
        detected_type=None,
        verdict=ScanVerdict.NOT_SCANNED,
        scan=None,
        custody=(
            CustodyLine(event=an_event(EventType.ACCESSION, thing, NOON), index=None, hashes=()),
        ),
    )


def answers(
    desk: Desk, agreement: str, act: str, capsys: pytest.CaptureFixture[str]
) -> list[tuple[str, set[str]]]:
    """The decision on each item, adult first, and the rules that made it."""
    assert desk.ask(agreement, act, *TO_A_PROSECUTOR, "--json") == ExitCode.OK
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(each["decision"], {_.split("/", 1)[0] for _ in each["because"]}) for each in said]


@pytest.mark.threat("T-14")
@pytest.mark.parametrize(
    ("act", "orchard", "well"),
    [
        ("use_as_lead", (Effect.PERMIT, Effect.PERMIT), (Effect.PERMIT, Effect.PERMIT)),
        ("use_as_evidence", (Effect.PERMIT, Effect.ASK), (Effect.DENY, Effect.DENY)),
        ("disclose_to_defence", (Effect.PERMIT, Effect.ASK), (Effect.DENY, Effect.DENY)),
        ("share_onward", (Effect.ASK, Effect.ASK), (Effect.ASK, Effect.ASK)),
        ("share_derived", (Effect.PERMIT, Effect.PERMIT), (Effect.ASK, Effect.ASK)),
        ("publish", (Effect.DENY, Effect.DENY), (Effect.DENY, Effect.DENY)),
    ],
)
def test_each_agreement_and_each_person_is_heard(
    act: str,
    orchard: tuple[Effect, Effect],
    well: tuple[Effect, Effect],
    desk: Desk,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for agreement, expected in (("orchard", orchard), ("well", well)):
        found = answers(desk, agreement, act, capsys)
        assert tuple(decision for decision, _ in found) == expected


def test_the_reasons_name_who_said_it_and_by_which_rule(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (*TO_A_PROSECUTOR, "--json")
    assert desk.ask("orchard", "use_as_evidence", *words) == ExitCode.OK
    adult, ask = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    permitted = "agreement/example/orchard@1/courts/PERMIT"
    assert permitted in adult["because"]
    assert adult["duties"] == ["NAME_ORGANISATION_ONLY"]
    assert ask["because"] == [f"consent/{ASK.uid}@0/identity-to-defence/ASK"]
    assert desk.ask("well", "use_as_evidence", *words) == ExitCode.OK
    for line in capsys.readouterr().out.splitlines():
        assert "agreement/example/well@1/no-defence/DENY" in json.loads(line)["because"]


def test_a_country_that_one_person_excluded_is_closed_for_that_person_alone(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    turkey = ["TR" if word == "DE" else word for word in TO_A_PROSECUTOR]
    assert desk.ask("orchard", "use_as_lead", *turkey, "--json") == ExitCode.OK
    said = [json.loads(line)["decision"] for line in capsys.readouterr().out.splitlines()]
    assert said == ["PERMIT", "DENY"]


@pytest.mark.threat("T-14")
@pytest.mark.parametrize("gone", ["--country", "--death-penalty", "--purpose", "--on"])
def test_no_agreement_makes_good_for_a_fact_that_nobody_knows(
    gone: str, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    words = list(TO_A_PROSECUTOR)
    at = words.index(gone)
    less = words[:at] + words[at + 2 :]
    assert desk.ask("well", "use_as_lead", *less, "--json") == ExitCode.OK
    said = [json.loads(line)["decision"] for line in capsys.readouterr().out.splitlines()]
    assert "PERMIT" not in said
