"""Chapter 26 says of register, opening and triage what the code does."""

import re

from amana.wire.enrolment import PortalAccount, PortalEnrolment
from amana.wire.reasons import ReasonCode
from tests.wire import chapters
from worker.documents import MANIFESTS_LIMIT_BYTES, RECORDS_LIMIT_BYTES
from worker.enrolled import EnrolledMember, Enrolment, MemberStatus, RegisterRoot
from worker.rewrapped import Rewrapped

PATH = chapters.FORMAT / "26-quarantine.md"
RECORDS = (RegisterRoot, Enrolment, EnrolledMember, PortalEnrolment, PortalAccount, Rewrapped)
REASON = re.compile(r"^\| `(?P<reason>[a-z-]+)` \|", re.MULTILINE)


def table(what: str, name: str) -> str:
    if what == "words":
        assert name == MemberStatus.__name__
        return "".join(f"* `{word.value}`\n" for word in MemberStatus)
    (record,) = (kind for kind in RECORDS if kind.__name__ == name)
    return "".join(f"| {' | '.join(row)} |\n" for row in chapters.field_rows(record))


def sections() -> str:
    """The chapter up to the states, which have their own test."""
    return PATH.read_text("utf-8").partition("\n## 7.")[0]


def with_tables(text: str) -> str:
    return chapters.MARKED.sub(
        lambda match: (
            f"<!-- {match['what']}: {match['name']} -->\n"
            f"{table(match['what'], match['name'])}<!-- end -->"
        ),
        text,
    )


def test_the_tables_are_those_of_the_code() -> None:
    text = sections()
    assert with_tables(text) == text
    names = [match["name"] for match in chapters.MARKED.finditer(text)]
    assert sorted(names) == sorted([*(kind.__name__ for kind in RECORDS), "MemberStatus"])


def test_every_reason_of_the_table_is_one_and_has_a_test() -> None:
    text = sections()
    told = text[text.index("| reason | what was found |") :]
    reasons = {ReasonCode(match["reason"]) for match in REASON.finditer(told.partition("\n\n")[0])}
    assert len(reasons) == 16
    folder = PATH.parents[2] / "tests" / "worker" / "opening"
    tests = "".join(path.read_text("utf-8") for path in folder.glob("test_*.py"))
    assert {each for each in reasons if f"ReasonCode.{each.name}" not in tests} == set()


def test_the_limits_are_those_of_the_code() -> None:
    text = sections()
    for limit in (MANIFESTS_LIMIT_BYTES, RECORDS_LIMIT_BYTES):
        assert f"{limit >> 20} MiB" in text
