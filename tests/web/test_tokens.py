"""A form token says that a form was ours and not long ago, and nothing else."""

import base64
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.clock import FixedClock
from amana.web.tokens import TOKEN_LIMIT_CHARACTERS, FormTokens

NOON = dt.datetime(2026, 10, 2, 12, 34, 56, tzinfo=dt.UTC)
SECRET = b"s" * 32


def tokens(secret: bytes = SECRET, at: dt.datetime = NOON) -> FormTokens:
    return FormTokens(secret, FixedClock(at))


def test_a_token_counts_for_its_form_only_and_for_a_day() -> None:
    token = tokens().issue("give")
    assert tokens().is_valid("give", token)
    assert not tokens().is_valid("answer", token)
    assert not tokens(b"t" * 32).is_valid("give", token)
    assert tokens(at=NOON + dt.timedelta(hours=24)).is_valid("give", token)
    assert not tokens(at=NOON + dt.timedelta(hours=25)).is_valid("give", token)
    assert not tokens(at=NOON - dt.timedelta(hours=1)).is_valid("give", token)


def test_a_token_holds_the_form_and_the_hour_and_no_more() -> None:
    payload = tokens().issue("give").partition(".")[0]
    content = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    hours = (NOON - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(hours=1)
    assert content == ["give", hours]
    assert len(tokens().issue("give")) < TOKEN_LIMIT_CHARACTERS
    assert tokens().issue("give") == tokens(at=NOON + dt.timedelta(minutes=5)).issue("give")


@given(st.text(max_size=300))
def test_arbitrary_text_is_no_token(untrusted: str) -> None:
    assert not tokens().is_valid("give", untrusted)


@pytest.mark.parametrize("place", [0, 3, 20, -1])
def test_a_changed_token_is_no_token(place: int) -> None:
    token = tokens().issue("give")
    # The last symbol has loose bits; take one that changes the others.
    other = "A" if token[place] not in "AEIMQUYcgkosw048BCD" else "z"
    assert not tokens().is_valid("give", token[:place] + other + token[place:][1:])
