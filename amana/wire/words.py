"""Short codes of other people's standards: languages, media types, versions of programs.

Only their shape is checked here: whether a language exists is not this project's to say.
Format: docs/format/06-ids-and-fields.md.
"""

import re
from typing import Final, NewType

from amana.wire.fields import Token

LanguageTag = NewType("LanguageTag", str)
"""A language, `ar`, `ckb`, `kmr-Latn`."""
MediaType = NewType("MediaType", str)
"""A media type, `image/jpeg`, without parameters."""
VersionText = NewType("VersionText", str)
"""A program and its version, `amana-client/1.4.0`."""

LANGUAGE: Final = Token(
    LanguageTag,
    # BCP 47 (RFC 5646 section 2.1): subtags of 1 to 8, the first of 2 to 8 letters.
    re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,5}", re.ASCII),
    "BCP 47 language tag of at most six subtags",
)
MEDIA_TYPE: Final = Token(
    MediaType,
    # RFC 6838 section 4.2: restricted-name on both sides of the slash.
    re.compile(
        r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}", re.ASCII
    ),
    "media type without parameters (RFC 6838)",
)
VERSION_TEXT: Final = Token(
    VersionText,
    re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,63}", re.ASCII),
    "program and version: 1 to 64 ASCII letters, digits or `._+/-`",
)
