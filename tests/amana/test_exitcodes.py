"""The numbers that scripts rely on."""

from amana.exitcodes import ExitCode, as_markdown


def test_the_numbers_never_change() -> None:
    """Those of `verify` are the proof states; the rest are the shell's."""
    assert {code.name: code.value for code in ExitCode} == {
        "OK": 0,
        "FAILED": 1,
        "REFUSED": 2,
        "PROOF_INVALID": 3,
        "KEY_UNKNOWN": 4,
        "NO_TIMESTAMP_YET": 5,
        "INTERRUPTED": 130,
        "OUTPUT_CLOSED": 141,
    }


def test_every_code_has_a_sentence_and_a_row() -> None:
    page = as_markdown()
    for code in ExitCode:
        assert code.meaning.endswith(".")
        assert f"| {code.value} | {code.name} | {code.meaning} |" in page
