"""Return phrases: one code in three spellings, and what is no phrase."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import PhraseError
from crypto.phrase import (
    MAX_TEXT_CHARACTERS,
    PHRASE_WORDS,
    SECRET_BITS,
    SECRET_BYTES,
    PhraseRefusedError,
    Refusal,
    ReturnPhrase,
    derive,
)
from crypto.wordlist import WORD_COUNT, Language

ROOT = bytes(range(32))
PHRASE = ReturnPhrase(secret=bytes(range(12)))

phrases = st.integers(0, 2**SECRET_BITS - 1).map(
    lambda number: ReturnPhrase(secret=number.to_bytes(SECRET_BYTES, "big"))
)
separators = st.sampled_from([" ", "\n", "، ", ", ", "-", " \u200f", "\t\u00a0", ";", " / "])


def read(text: str) -> ReturnPhrase | PhraseError:
    """The phrase, or its refusal; any other exception is a bug."""
    try:
        return ReturnPhrase.parse(text)
    except PhraseError as refusal:
        return refusal


def reason(text: str) -> tuple[Refusal, int | None]:
    with pytest.raises(PhraseRefusedError) as refused:
        ReturnPhrase.parse(text)
    return refused.value.reason, refused.value.position


@pytest.mark.threat("T-11")
@given(phrases, separators)
def test_words_of_both_languages_and_digits_are_the_same_phrase(
    phrase: ReturnPhrase, separator: str
) -> None:
    for shown in (*(phrase.words(language) for language in Language), phrase.groups):
        assert ReturnPhrase.parse(separator.join(shown)) == phrase
        assert ReturnPhrase.parse_fields(shown) == phrase
    assert ReturnPhrase.from_indices(phrase.indices) == phrase


@given(phrases, st.lists(st.sampled_from([0, 1, 2]), min_size=10, max_size=10))
def test_each_field_may_be_in_its_own_spelling(phrase: ReturnPhrase, choices: list[int]) -> None:
    spellings = [phrase.words(Language.ARABIC), phrase.words(Language.ENGLISH), phrase.groups]
    fields = [spellings[choice][at] for at, choice in enumerate(choices)]
    assert ReturnPhrase.parse_fields(fields) == phrase


def test_a_phrase_pasted_into_the_first_field_is_read() -> None:
    fields = [" ".join(PHRASE.words(Language.ARABIC)), *[""] * 9]
    assert ReturnPhrase.parse_fields(fields) == PHRASE


def test_the_ten_indices_hold_the_secret_and_then_its_check() -> None:
    code = sum(index << 10 * (9 - at) for at, index in enumerate(PHRASE.indices))
    assert code >> 8 == int.from_bytes(PHRASE.secret, "big")


def test_drawn_phrases_differ_and_use_the_whole_list() -> None:
    drawn = [ReturnPhrase.generate().indices for _ in range(2_000)]
    assert len(set(drawn)) == len(drawn)
    for position in range(PHRASE_WORDS):
        assert len({indices[position] for indices in drawn}) > WORD_COUNT * 3 // 4


@pytest.mark.threat("T-11")
def test_one_wrong_word_passes_the_check_about_once_in_256() -> None:
    """Every one of the 10,230 ways to get one word wrong, for twenty phrases."""
    passed = 0
    for number in range(20):
        phrase = phrase_number(number)
        for at in range(PHRASE_WORDS):
            for index in range(WORD_COUNT):
                wrong = (*phrase.indices[:at], index, *phrase.indices[at + 1 :])
                passed += wrong != phrase.indices and is_phrase(wrong)
    assert 1 / 300 < passed / (20 * PHRASE_WORDS * (WORD_COUNT - 1)) < 1 / 220


def phrase_number(number: int) -> ReturnPhrase:
    """A phrase that is the same in every run."""
    return ReturnPhrase(
        secret=(3**50 * (number + 1) % 2**SECRET_BITS).to_bytes(SECRET_BYTES, "big")
    )


def is_phrase(indices: tuple[int, ...]) -> bool:
    try:
        ReturnPhrase.from_indices(indices)
    except PhraseRefusedError:
        return False
    return True


@pytest.mark.threat("T-11")
def test_the_order_of_the_words_matters() -> None:
    """Two words that changed places are refused but for the 1 in 256 that the check lets by."""
    swaps = 0
    passed = 0
    for number in range(50):
        indices = phrase_number(number).indices
        for at in range(PHRASE_WORDS - 1):
            swapped = (*indices[:at], indices[at + 1], indices[at], *indices[at + 2 :])
            if swapped != indices:
                swaps += 1
                passed += is_phrase(swapped)
                assert not is_phrase(swapped) or ReturnPhrase.from_indices(
                    swapped
                ) != ReturnPhrase.from_indices(indices)
    assert swaps > 400
    assert passed < swaps // 50


@pytest.mark.threat("T-11")
@given(phrases, phrases)
def test_phrases_are_equal_when_their_secrets_are(one: ReturnPhrase, other: ReturnPhrase) -> None:
    assert (one == other) == (one.secret == other.secret)
    assert one != one.secret


@given(st.text(max_size=MAX_TEXT_CHARACTERS + 1))
def test_any_text_is_a_phrase_or_refused(text: str) -> None:
    assert isinstance(read(text), ReturnPhrase | PhraseRefusedError)


@pytest.mark.threat("T-11")
@given(phrases, st.sampled_from(Language), st.data())
def test_one_changed_character_never_makes_another_phrase(
    phrase: ReturnPhrase, language: Language, data: st.DataObject
) -> None:
    """Words are two letters apart, so the check is not even asked."""
    text = " ".join(phrase.words(language))
    at = data.draw(st.integers(0, len(text) - 1))
    found = read(text[:at] + data.draw(st.characters()) + text[at + 1 :])
    if isinstance(found, PhraseRefusedError):
        assert found.reason is not Refusal.CHECK_FAILED
    else:
        assert found == phrase


@given(st.lists(st.sampled_from([*PHRASE.words(Language.ARABIC), *PHRASE.groups, "1", "۲", "10."])))
def test_any_row_of_words_groups_and_numbers_is_a_phrase_or_refused(row: list[str]) -> None:
    found = read(" ".join(row))
    if isinstance(found, PhraseRefusedError):
        assert found.position is None or 1 <= found.position <= PHRASE_WORDS
    else:
        assert isinstance(found, ReturnPhrase)


def test_a_refusal_says_why_and_where_and_never_what() -> None:
    words = list(PHRASE.words(Language.ARABIC))
    words[3] = "قلبي"
    with pytest.raises(PhraseRefusedError) as refused:
        ReturnPhrase.parse(" ".join(words))
    assert (refused.value.reason, refused.value.position) == (Refusal.UNKNOWN_WORD, 4)
    assert str(refused.value) == "unknown-word"
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_numbers_before_words_must_count_from_one() -> None:
    en = PHRASE.words(Language.ENGLISH)
    assert reason(" ".join(f"{n} {word}" for n, word in enumerate(en))) == (
        Refusal.WRONG_NUMBERING,
        1,
    )
    assert reason(" ".join([*en, "11"])) == (Refusal.WRONG_NUMBERING, 10)


def test_a_secret_of_another_size_is_no_phrase() -> None:
    for secret in (b"", bytes(11), bytes(13), b"\x10" + bytes(11)):
        with pytest.raises(PhraseError):
            ReturnPhrase(secret=secret)


def test_indices_that_are_too_few_or_out_of_range_are_no_phrase() -> None:
    for indices in (PHRASE.indices[:9], (*PHRASE.indices[:9], WORD_COUNT), (-1, *[0] * 9)):
        with pytest.raises(PhraseError):
            ReturnPhrase.from_indices(indices)


@pytest.mark.threat("T-11")
def test_nothing_of_a_phrase_shows_when_it_is_printed() -> None:
    secrets = derive(PHRASE, directory_root=ROOT)
    printed = f"{PHRASE!r} {PHRASE} {secrets!r} {secrets}"
    assert set(printed.split()) == {"ReturnPhrase(…)", "PhraseSecrets(…)"}
    with pytest.raises(TypeError):
        hash(PHRASE)


@pytest.mark.threat("T-11")
def test_another_phrase_or_deployment_opens_something_else() -> None:
    one = derive(PHRASE, directory_root=ROOT)
    opened = [
        one,
        derive(PHRASE, directory_root=bytes(32)),
        derive(ReturnPhrase(secret=bytes(12)), directory_root=ROOT),
    ]
    seen = {
        secret
        for each in opened
        for secret in (each.reply_seed, each.answer_ed25519_seed, each.answer_mldsa_seed)
    }
    assert len(seen) == 9
    assert len({each.lookup_id for each in opened}) == 3
    assert {len(secret) for secret in seen} == {32}
    assert len(one.lookup_id) == 16


def test_a_directory_root_that_is_no_fingerprint_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive(PHRASE, directory_root=b"")
