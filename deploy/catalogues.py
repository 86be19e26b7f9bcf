"""Compiles the gettext catalogues: as a program, and whenever hatchling builds or installs.

The compiled files lie beside their sources and are not committed. A source with a draft marked
`fuzzy` does not compile: a sentence is either written or missing, never guessed.
"""

import os
import pathlib
import re
import sys
from typing import Any, Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_REVIEWER: Final = re.compile(r'^"X-Reviewer: *(.*?) *\\n"$', re.MULTILINE)


def compile_catalogues(root: pathlib.Path) -> list[pathlib.Path]:
    """Compile every `amana/locale/*/LC_MESSAGES/amana.po` below root; return what was written.

    ValueError names a source with a fuzzy or malformed entry, or without an X-Reviewer header.
    """
    written = []
    for source in sorted(root.glob("amana/locale/*/LC_MESSAGES/amana.po")):
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parent.parent.name, abort_invalid=True)
        if any(message.fuzzy for message in catalogue if message.id):
            raise ValueError(f"{source.relative_to(root)} holds a fuzzy entry")
        # Babel keeps only the headers it knows, so the reviewer travels as an entry.
        reviewer = _REVIEWER.search(source.read_text(encoding="utf-8"))
        if reviewer is None:
            raise ValueError(f"{source.relative_to(root)} has no X-Reviewer header")
        catalogue.add("X-Reviewer", reviewer[1])
        target = source.with_suffix(".mo")
        # A build beside a running program must never show it half a catalogue.
        beside = target.with_suffix(f".{os.getpid()}")
        with beside.open("wb") as file:
            write_mo(file, catalogue)
        beside.replace(target)
        written.append(target)
    return written


class CatalogueHook(BuildHookInterface):  # type: ignore[type-arg] # hatchling's is not typed further
    """Compiles before a wheel or an editable installation is made, and adds the files to it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's name
        """Put the compiled catalogues among the files that Git ignores and the wheel needs."""
        root = pathlib.Path(self.root)
        for target in compile_catalogues(root):
            build_data["artifacts"].append(f"/{target.relative_to(root).as_posix()}")


if __name__ == "__main__":
    for compiled in compile_catalogues(pathlib.Path(sys.argv[1] if sys.argv[1:] else ".")):
        print(compiled)
