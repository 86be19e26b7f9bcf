"""The names in a folder through which packages and answers pass.

A package lies under its id, as a folder; its mark, an empty file, says that it is whole. Names
that begin with a dot are on their way. Format: docs/format/21-answers.md section 1.
"""

from typing import Final

COMMIT: Final = ".commit"
"""How the mark of a package ends: `ID.commit`, written last."""
ANSWER: Final = ".answer"
"""How the name of an answer ends: `ID.answer`, a signed note."""
