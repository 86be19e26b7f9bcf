"""The rules of the form: what comes first, what may come, and how much.

Token, then answers and words, then material; an answer behind material, a second answer to one
question or a field that the form does not have refuses the whole. So nothing is sealed for anybody
who did not come through the page. Format: docs/format/18-portal.md section 1.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from amana.wire.errors import FieldError
from amana.wire.words import MEDIA_TYPE, MediaType
from crypto.phrase import PhraseRefusedError, ReturnPhrase
from portal.consent import Answers
from portal.errors import RefusedError
from portal.limits import Limits
from portal.multipart import Event, PartEnd, PartHead
from portal.refusal import Refusal
from terms.consent import AgeBand, Answer, ConsentPurpose

TOKEN: Final = "token"  # noqa: S105 - the field's name
AGE: Final = "age"
UNDERSTOOD: Final = "understood"
WORDS: Final = "words"
TEXT: Final = "text"
FILES: Final = "files"

NOT_SAID: Final = "NOT_SAID"
"""What the radio buttons for age and understanding send when a person would rather not say."""

QUESTIONS: Final = frozenset({*(each.value for each in ConsentPurpose), AGE, UNDERSTOOD})
"""The fields that are answers."""

WHOLE_FORM: Final = QUESTIONS | {TOKEN, WORDS}
"""What the form that is one page has besides material."""

FILES_ONLY: Final = frozenset({TOKEN})
"""What the page for files has besides them, as the rest was asked on pages before it."""

TEXT_NAME: Final = b"text.txt"
"""The name that typed text is kept under, as it has none of its own."""

_TEXT_TYPE: Final = MediaType("text/plain")
_MEDIA_TYPE_LIMIT_BYTES: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemHead:
    """An item begins: the exact bytes of its name, and the media type that was claimed.

    is_text: it was typed into the page, and has no name of its own.
    """

    name: bytes
    media_type: MediaType | None
    is_text: bool


Step: TypeAlias = ItemHead | memoryview | PartEnd
"""What is to be sealed, in order: an item begins, goes on, ends."""


class FormReader:
    """Judges parts as they come; gives the steps of the material among them.

    is_token_valid: whether a form token is ours. fields: which parts besides material the form has.
    answers: complete once the first step was given.
    has_token: whether a valid one has come. phrase: the ten words, once they were read; whoever
    takes them over sets it to None.
    """

    def __init__(
        self,
        is_token_valid: Callable[[str], bool],
        limits: Limits,
        fields: frozenset[str] = WHOLE_FORM,
    ) -> None:
        self.answers = Answers()
        self.items = 0
        self.has_token = False
        self.phrase: ReturnPhrase | None = None
        self._is_token_valid = is_token_valid
        self._limits = limits
        self._fields = fields
        self._seen: set[str] = set()
        self._field: str | None = None
        self._value = bytearray()
        self._parts = 0
        self._waiting: ItemHead | None = None

    def take(self, events: Iterable[Event]) -> Iterator[Step]:
        """Yield the steps in these events. RefusedError: a rule is broken."""
        for event in events:
            match event:
                case PartHead():
                    self._begin(event)
                case memoryview():
                    yield from self._go_on(event)
                case PartEnd.END:
                    yield from self._end()

    def _begin(self, head: PartHead) -> None:
        self._parts += 1
        if self._parts > self._limits.items + _FIELDS:
            raise RefusedError(Refusal.TOO_MANY)
        if TOKEN not in self._seen and head.name != TOKEN:
            raise RefusedError(Refusal.FORM_OLD)
        if head.name in _ITEMS:
            if (head.filename is None) != (head.name == TEXT):
                raise RefusedError(Refusal.UNREADABLE)
            self._field = None
            # Nothing may come of it: a browser sends a part for each field that was left empty.
            self._waiting = _item_head(head)
            return
        is_late = self.items > 0
        is_known = head.name in self._fields
        if is_late or not is_known or head.name in self._seen or head.filename is not None:
            raise RefusedError(Refusal.UNREADABLE)
        self._seen.add(head.name)
        self._field = head.name

    def _go_on(self, data: memoryview) -> Iterator[Step]:
        if self._field is not None:
            self._value += data
            if self._field == WORDS and len(self._value) > self._limits.words_bytes:
                raise RefusedError(Refusal.WORDS)
            if self._field != WORDS and len(self._value) > self._limits.field_bytes:
                raise RefusedError(Refusal.UNREADABLE)
            return
        yield from self._begin_waiting()
        yield data

    def _end(self) -> Iterator[Step]:
        if self._field is not None:
            self._answer(self._field, bytes(self._value))
            self._value.clear()
            return
        if self._waiting is not None and (not self._waiting.name or self._waiting.is_text):
            self._waiting = None
            return
        yield from self._begin_waiting()
        yield PartEnd.END

    def _begin_waiting(self) -> Iterator[Step]:
        if self._waiting is not None:
            self.items += 1
            if self.items > self._limits.items:
                raise RefusedError(Refusal.TOO_MANY)
            yield self._waiting
            self._waiting = None

    def _answer(self, name: str, untrusted: bytes) -> None:
        if name == WORDS:
            self.phrase = phrase_in(untrusted)
        elif name == TOKEN:
            if not self._is_token_valid(untrusted.decode("latin-1")):
                raise RefusedError(Refusal.FORM_OLD)
            self.has_token = True
        else:
            take_answer(self.answers, name, untrusted)


_ITEMS: Final = frozenset({TEXT, FILES})
_FIELDS: Final = len(ConsentPurpose) + 5  # token, age, understood, words, and the text
_UNDERSTOOD: Final = {"YES": True, NOT_SAID: False}


def take_answer(answers: Answers, name: str, untrusted: bytes) -> None:
    """Add what was answered to one question. RefusedError: there is no such question or answer."""
    try:
        text = untrusted.decode("ascii")
        if name == AGE:
            answers.age = None if text == NOT_SAID else AgeBand(text)
        elif name == UNDERSTOOD:
            answers.has_understood = _UNDERSTOOD[text]
        else:
            answers.purposes[ConsentPurpose(name)] = Answer(text)
    except (UnicodeDecodeError, ValueError, KeyError):
        # No cause: it would quote the answer.
        raise RefusedError(Refusal.UNREADABLE) from None


def phrase_in(untrusted: bytes) -> ReturnPhrase | None:
    """Read ten words as they were typed; None for an empty field. RefusedError: WORDS."""
    try:
        text = untrusted.decode("utf-8")
        # Whoever typed anything at all wants to come back, and is told when it is no phrase.
        return ReturnPhrase.parse(text) if text.strip() else None
    except (PhraseRefusedError, UnicodeDecodeError):
        pass
    # No cause: it would quote the words.
    raise RefusedError(Refusal.WORDS)


def _item_head(head: PartHead) -> ItemHead:
    if head.filename is None:
        return ItemHead(name=TEXT_NAME, media_type=_TEXT_TYPE, is_text=True)
    media_type = _media_type(head.media_type or b"")
    return ItemHead(name=head.filename, media_type=media_type, is_text=False)


def _media_type(untrusted: bytes) -> MediaType | None:
    """Give what was claimed, without parameters; None when it is no media type."""
    try:
        text = untrusted[:_MEDIA_TYPE_LIMIT_BYTES].partition(b";")[0].strip().decode("ascii")
        return MEDIA_TYPE.read(text)
    except (UnicodeDecodeError, FieldError):
        return None
