"""What a person writes as terms is read in one way, or refused with a sentence; never guessed."""

import contextlib
import datetime as dt
import hashlib
import inspect
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amana.i18n import Language, Speaker
from amana.wire import consent_toml, terms_toml, toml_table
from amana.wire.consent_toml import read_consent
from amana.wire.errors import TermsTextError
from amana.wire.terms_toml import SHORTHANDS, read_agreement, read_amendment, sha256_of
from terms.agreement import Agreement, Signature, SignatureKind, agreement_layer
from terms.consent import ConsentRecord
from terms.names import Uid
from terms.vocabulary import SHARING_ACTS, Action
from tests.wire.terms_texts import agreements, consents, write_agreement, write_consent

EXAMPLES = Path(__file__).parents[2] / "examples" / "terms"
ORCHARD = (EXAMPLES / "agreement-orchard.toml").read_text(encoding="utf-8")
WELL = (EXAMPLES / "agreement-well.toml").read_text(encoding="utf-8")
ADULT = (EXAMPLES / "consent-adult.toml").read_text(encoding="utf-8")
ASK = (EXAMPLES / "consent-ask-me-first.toml").read_text(encoding="utf-8")
CHAPTER = Path(__file__).parents[2] / "docs" / "format" / "27-terms-toml.md"
SPEAKERS = [Speaker(Language.EN), Speaker(Language.AR)]
KEY_LINE = re.compile(r"^(?P<key>[A-Za-z_0-9]+) = .*\n", re.MULTILINE)
MAY_BE_LEFT_OUT = {"where", "duties", "last_day", *["PRESERVE", "ANALYSE_INTERNAL"]}


def refusal(text: str | bytes, *, consent: bool = False) -> tuple[str, str]:
    """The key of the sentence, and the sentence; it can be said in both languages."""
    raw = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(TermsTextError) as refused:
        (read_consent if consent else read_agreement)(raw)
    english, _ = (speaker.say(refused.value.in_file("terms.toml")) for speaker in SPEAKERS)
    return refused.value.sentence.key.removeprefix("terms-text."), english


@given(agreement=agreements())
def test_whatever_an_agreement_can_say_can_be_written_and_read_back(agreement: Agreement) -> None:
    source = write_agreement(agreement)
    text = read_agreement(source)
    assert text.agreement == replace(agreement, source_sha256=sha256_of(source))
    assert str(text.ref.digest) == hashlib.sha256(source).hexdigest()


@given(record=consents())
def test_whatever_a_person_can_say_at_first_can_be_written_and_read_back(
    record: ConsentRecord,
) -> None:
    assert read_consent(write_consent(record)) == record


@pytest.mark.threat("T-13")
@given(raw=st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_sentence(raw: bytes) -> None:
    for consent in (False, True):
        refusal(raw, consent=consent)


@pytest.mark.threat("T-13")
@settings(max_examples=200)
@given(data=st.data())
def test_a_text_with_one_value_changed_is_read_strictly_or_refused(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([ORCHARD, WELL, ADULT, ASK]))
    lines = [n for n, line in enumerate(text.split("\n")) if re.match(r"\w+ = ", line)]
    chosen = data.draw(st.sampled_from(lines))
    changed = text.split("\n")
    key = changed[chosen].partition(" = ")[0]
    changed[chosen] = f"{key} = {data.draw(VALUES)}"
    for read in (read_agreement, read_consent, read_amendment):
        with contextlib.suppress(TermsTextError):
            read("\n".join(changed).encode())


VALUES = st.sampled_from(
    [
        *("1", "0", "-1", "1.5", "nan", "true", '""', '"A"', "[]", "[[]]", "[1]", "{}", "[{}]"),
        *("2026-10-02", "2026-10-02T09:00:00Z", "09:00:00", '"2026-10-02"', "0001-01-01"),
        *('["archive", "archive"]', '["ANY_SHARING"]', '[{fact = "date", is = 1}]', "9" * 450),
        *('[{fact = "purpose"}]', '[{fact = "country", is = "SY", is_not = "DE"}]', '"\\u0000"'),
        *('[{fact = "date", before = "2026-10-02"}]', '[{fact = "stage", before = "TRIAL"}]'),
        *("18446744073709551616", "{a.b.c = 1}", "[" * 400, '"NO_LAST_DAY"', '"NOBODY"'),
    ]
)


@pytest.mark.parametrize("text", [ORCHARD, WELL, ADULT, ASK], ids=["orchard", "well", "one", "two"])
def test_every_key_that_may_not_be_left_out_is_missed_by_its_name(text: str) -> None:
    for found in KEY_LINE.finditer(text):
        less = text[: found.start()] + text[found.end() :]
        optional = found["key"] in MAY_BE_LEFT_OUT or found["key"].isupper()
        if optional or "[\n" in found[0]:
            continue
        key, said = refusal(less, consent="consent-toml" in text)
        assert key in {"missing-key", "other-format"}
        assert f"“{found['key']}”" in said or found["key"] == "format"


def test_a_key_that_nobody_knows_is_refused_by_its_name_and_the_known_ones_are_told() -> None:
    for text in (ORCHARD, ADULT):
        for table in re.findall(r"^(\[+[a-z._]+\]+)$", text, re.MULTILINE):
            more = text.replace(f"{table}\n", f"{table}\nexcept = 1\n", 1)
            key, said = refusal(more, consent=text is ADULT)
            assert key == "unknown-key"
            assert "“except”" in said
            assert "Known here: " in said


def test_comments_change_nothing_that_is_read_and_everything_that_is_signed() -> None:
    text, other = (read_agreement(each.encode()) for each in (ORCHARD, f"# More.\n{ORCHARD}"))
    assert text.ref != other.ref
    assert replace(text.agreement, source_sha256=other.agreement.source_sha256) == other.agreement
    assert read_agreement(ORCHARD.encode()) == text


@pytest.mark.threat("T-14")
def test_a_text_that_nobody_signed_permits_nothing() -> None:
    text = read_agreement(ORCHARD.encode())
    signature = Signature(
        kind=SignatureKind.KEY,
        party=text.agreement.provider,
        signed_on=dt.date(2026, 1, 1),
        signed_sha256=text.agreement.source_sha256,
    )
    more = read_agreement(f"# More.\n{ORCHARD}".encode())
    assert agreement_layer(text.signed([signature])).rules
    for draft in (text.agreement, more.signed([signature])):
        assert not draft.is_signed()
        assert not agreement_layer(draft).rules


@pytest.mark.threat("T-14")
def test_a_rule_that_permits_names_every_act() -> None:
    wide = ORCHARD.replace('"use_as_lead", "use_as_evidence"', '"ANY_SHARING", "use_as_lead"', 1)
    key, said = refusal(wide)
    assert key == "permits-too-much"
    assert "[sharing] rule 1 acts" in said
    assert SHORTHANDS["ANY_SHARING"] == SHARING_ACTS
    permitting = SHORTHANDS["KEEPING"] | SHORTHANDS["WORKING"]
    assert not permitting & (SHARING_ACTS | {Action.DELETE, Action.RETURN, Action.CONTACT_SOURCE})


def test_the_chapter_tells_what_every_shorthand_stands_for() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (`[a-z].*?) \|", CHAPTER.read_text(), re.MULTILINE))
    assert {word: set(re.findall(r"`(\w+)`", acts)) for word, acts in rows.items()} == {
        word: {act.value for act in acts} for word, acts in SHORTHANDS.items()
    }


@pytest.mark.threat("T-17")
@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200f", "\ufeff", "\u2028", "\u00ad"])
def test_a_sign_that_nobody_sees_is_refused_with_its_line(sign: str) -> None:
    key, said = refusal(ORCHARD.replace("nobody ever signed this", f"nobody{sign} signed", 1))
    assert key == "invisible"
    assert "line 1 " in said


def test_letters_that_join_in_arabic_and_kurdish_are_read() -> None:
    read_agreement(f"# می\u200cخواهم\n{ORCHARD}".encode())


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("valid_from = 2026-01-01", 'valid_from = "2026-01-01"', "must-be-day"),
        ("valid_from = 2026-01-01", "valid_from = 2026-01-01T00:00:00Z", "must-be-day"),
        ("valid_from = 2026-01-01", "valid_from = 2026-13-01", "not-toml"),
        ("valid_to = 2036-12-31", "valid_to = 2020-01-01", "days-out-of-order"),
        ("intake_until = 2035-12-31", "intake_until = 2040-01-01", "days-out-of-order"),
        ("version = 1", "version = 0", "must-be-version"),
        ("version = 1", "version = true", "must-be-version"),
        ('name = "leads"', 'name = "keep"', "rule-name-taken"),
        ('name = "leads"', 'name = "no-defence"', "rule-name-taken"),
        ('name = "leads"', 'name = "expired"', "rule-name-taken"),
        ('name = "leads"', 'name = "محمد"', "not-a-name"),
        ('acts = ["share_onward"]', 'acts = ["archive"]', "act-of-the-other-part"),
        ('acts = ["WORKING"]', 'acts = ["publish"]', "act-of-the-other-part"),
        ('acts = ["WORKING"]', "acts = []", "no-act"),
        ('acts = ["WORKING"]', 'acts = ["working"]', "unknown-word"),
        ('acts = ["WORKING"]', 'acts = "WORKING"', "must-be-list"),
        ('acts = ["WORKING"]', 'acts = ["WORKING", "WORKING"]', "repeated"),
        ('effect = "DENY"', 'effect = "FORBID"', "unknown-word"),
        ('is = "LEAD_ONLY"', 'is = "LEAD"', "value-not-of-its-fact"),
        ('is = "LEAD_ONLY"', 'before = "LEAD_ONLY"', "only-days-have-an-order"),
        ('is = "LEAD_ONLY"', 'is = ["LEAD_ONLY"]', "one-value-or-a-list"),
        ('is_any_of = ["SY"]', 'is_any_of = "SY"', "one-value-or-a-list"),
        ('is_any_of = ["SY"]', "is_any_of = []", "one-value-or-a-list"),
        ('is_any_of = ["SY"]', 'is_any_of = ["SY"], is_not = "DE"', "one-relation"),
        ('is_any_of = ["SY"] ', "", "not-toml"),
        ("agreement-toml/v1", "agreement-toml/v2", "other-format"),
        ('provider = "example/well-collective"', 'provider = "a"\naccount = "A"', "not-an-account"),
        ("[nature]", "[transmission]", "not-toml"),
    ],
)
def test_what_is_wrong_is_said_in_both_languages(old: str, new: str, key: str) -> None:
    changed = WELL.replace(old, new, 1)
    assert changed != WELL
    assert refusal(changed)[0] == key


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "5e1f0c6b9a7d4e32b1a08f6c2d9e7744"', 'id = "olive"', "not-a-consent-id"),
        ('age = "18_PLUS"', 'age = "UNDER_18"', "missing-key"),
        ('age = "18_PLUS"', 'age = "NOT_KNOWN"', "missing-key"),
        ('age = "18_PLUS"', "age = 18", "must-be-text"),
        ("disclosure = true", 'disclosure = "yes"', "must-be-flag"),
        ('language = "ar"', 'language = "Arabic"', "not-a-language"),
        ("excluded_countries = []", 'excluded_countries = ["Turkey"]', "not-a-country"),
        ('PRESERVE = "YES"', 'PRESERVE = "MAYBE"', "unknown-word"),
        ('PRESERVE = "YES"', 'PRESERVED = "YES"', "unknown-key"),
        ('interpreter = "NONE"', 'interpreter = "INT-03"', "must-be-table"),
        ('interpreter = "NONE"', 'interpreter = { code = "INT-03" }', "missing-key"),
        ('state = "ConsentGiven"', 'state = "GIVEN"', "unknown-word"),
    ],
)
def test_what_is_wrong_with_a_consent_is_said_in_both_languages(
    old: str, new: str, key: str
) -> None:
    assert refusal(ADULT.replace(old, new, 1), consent=True)[0] == key


@pytest.mark.threat("T-14")
def test_a_childs_consent_by_a_guardian_has_a_last_day() -> None:
    more = "guardian_consents = true\nguardian_conflict = false\nchild_assents = true\n"
    child = ADULT.replace('"18_PLUS"', '"UNDER_18"', 1).replace("[answers]", f"{more}[answers]", 1)
    assert refusal(child, consent=True)[0] == "child-without-end"
    record = read_consent(child.replace('"NO_LAST_DAY"', "2030-05-04", 1).encode())
    assert record.valid_to == dt.date(2030, 5, 4)


def test_what_is_too_much_is_refused_before_it_is_parsed() -> None:
    filled = ORCHARD.encode() + b"#\n" * toml_table.LIMIT_BYTES
    assert refusal(filled)[0] == "too-long"
    read_agreement(filled[: toml_table.LIMIT_BYTES])
    assert refusal(b"\xff" + ORCHARD.encode())[0] == "not-text"
    assert refusal("a = " + "[\n" * 30_000)[0] == "not-toml"
    assert refusal("a = " + "{b=" * 100)[0] == "not-toml"


@pytest.mark.timeout(30)
@pytest.mark.parametrize("key", ["{} = 1", "[{}]", "a = {{ {} = 1 }}"])
def test_a_key_of_endless_steps_takes_nobodys_time(key: str) -> None:
    """What cost the machine's own TOML reader minutes."""
    assert refusal(key.format(".".join("a" * 30_000)))[0] == "line-too-long"
    lines = (key.format(".".join(["a"] * 200) + f".b{n}") for n in range(150))
    assert refusal("\n".join(lines))[0] in {"not-toml", "other-format"}


def test_an_amendment_names_the_text_and_the_submissions_that_it_widens() -> None:
    to = sha256_of(ORCHARD.encode())
    source = (
        'format = "amana/agreement-amendment-toml/v1"\n[amendment]\nuid = "example/word-1"\n'
        f'agreement = "example/orchard"\nto_version = 1\nto_sha256 = "{to}"\n'
        f'submissions = ["{"ab" * 32}"]\n'
    ).encode()
    amendment = read_amendment(source)
    assert (amendment.to_sha256, amendment.source_sha256) == (to, sha256_of(source))
    assert amendment.batches == {Uid("ab" * 32)}
    assert not amendment.signatures
    for old, new, key in (
        (b'"abab', b'"xbab', "not-a-submission"),
        (to.encode(), b"00", "not-a-digest"),
        (b"to_version = 1", b"to_version = 1\nsigned = true", "unknown-key"),
    ):
        with pytest.raises(TermsTextError) as refused:
            read_amendment(source.replace(old, new, 1))
        assert refused.value.sentence.key == f"terms-text.{key}"


def test_every_refusal_has_its_sentence_in_both_languages() -> None:
    sources = map(inspect.getsource, (consent_toml, terms_toml, toml_table))
    keys = {key for each in sources for key in re.findall(r'TermsTextError\(\s*"([a-z-]+)"', each)}
    assert len(keys) > 30
    for speaker in SPEAKERS:
        assert [key for key in keys if not speaker.knows(f"terms-text.{key}")] == []


def test_examples_say_that_they_are_examples_and_stand_for_nobody() -> None:
    for path in EXAMPLES.glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# EXAMPLE, for training only.")
        head = tomllib.loads(text).get("agreement") or {}
        assert head.get("uid", "example/").startswith("example/")
