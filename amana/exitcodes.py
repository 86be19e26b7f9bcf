"""What the program answers to the shell, in one place: docs/exit-codes.md is made from it."""

import enum


class ExitCode(enum.IntEnum):
    """The exit codes of every `amana` command. A number never changes its meaning.

    0 to 2 follow the shell's habit; 3 to 5 are what `amana verify` says about a proof; 130 and
    141 are 128 plus the number of the signal (2, SIGINT; 13, SIGPIPE), as POSIX shells report it.
    """

    OK = 0
    FAILED = 1
    REFUSED = 2
    PROOF_INVALID = 3
    KEY_UNKNOWN = 4
    NO_TIMESTAMP_YET = 5
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141

    @property
    def meaning(self) -> str:
        """One English sentence for the documentation."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "Done, and everything that was checked is in order.",
    ExitCode.FAILED: "The machine or the program failed; nothing is said about the material.",
    ExitCode.REFUSED: "Refused: the command line, a setting, a key or a file is not as it must be. "
    "For `verify`: a file differs.",
    ExitCode.PROOF_INVALID: "`verify`: the proof does not show that the event is in the log.",
    ExitCode.KEY_UNKNOWN: "`verify`: the key that signed is not one that was pinned.",
    ExitCode.NO_TIMESTAMP_YET: "`verify`: everything holds, but no timestamp has come yet.",
    ExitCode.INTERRUPTED: "Stopped by Ctrl-C.",
    ExitCode.OUTPUT_CLOSED: "The program that read the output went away.",
}


def as_markdown() -> str:
    """Return the page docs/exit-codes.md."""
    lines = [
        "# Exit codes",
        "",
        "Made from `amana/exitcodes.py` by `make docs`. A number never changes its meaning.",
        "",
        "| code | name | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| {code.value} | {code.name} | {code.meaning} |" for code in ExitCode]
    return "\n".join(lines) + "\n"
