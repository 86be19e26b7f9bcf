"""The page of those who come back: ten words, typed to read what is new.

Words that are a mailbox's, another's and nobody's get one page of one length, byte for byte the
same where there is no news, after the same work. Structure: templates/portal/. Format:
docs/format/18-portal.md section 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self

from starlette.requests import Request
from starlette.responses import Response

from amana.clock import today
from amana.i18n import Language, Speaker
from amana.web.render import PAGE_LIMIT_BYTES
from amana.wire.feedback_words import Say, say_with, words_of, words_of_day
from crypto.phrase import ReturnPhrase
from portal.account import Reading
from portal.errors import RefusedError
from portal.form import TOKEN, WORDS, phrase_in
from portal.pages import Visitors, html, is_foreign
from portal.refusal import Refusal
from portal.short_form import fields_in, short_body

FORM: Final = "return"
"""What form tokens of this form are issued for."""

STATUS_BYTES: Final = PAGE_LIMIT_BYTES
"""Length of every page with statuses, or with none."""

ABOUT_DIGITS: Final = 8
"""How much of a submission's id is shown where there are several: enough to tell them apart."""

NAMES: Final = MappingProxyType({"token": TOKEN, "words": WORDS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Returners:
    """Answers every request of those who come back."""

    visitors: Visitors
    speakers: Mapping[Language, Speaker]

    @classmethod
    def beside(cls, visitors: Visitors) -> Self:
        """Give these pages in the languages of the others."""
        return cls(
            visitors=visitors,
            speakers=MappingProxyType({each: Speaker(each) for each in visitors.pages.languages}),
        )

    async def ask(self, request: Request) -> Response:
        """Show the field for the words."""
        language = self.visitors.language_of(request)
        token = self.visitors.intake.tokens.issue(FORM)
        return self.visitors.page("return", language, token=token, names=NAMES)

    async def read(self, request: Request) -> Response:
        """Show what is new for the words, or that there is nothing."""
        language = self.visitors.language_of(request)
        intake = self.visitors.intake
        if is_foreign(request):
            return self.visitors.refuse(Refusal.FORM_OLD, language)
        try:
            phrase = self._phrase(await short_body(request))
            reading = await intake.mailboxes.read(phrase, today(intake.clock))
        except RefusedError as refused:
            return self.visitors.refuse(refused.refusal, language)
        page = self.visitors.pages.render(
            "portal/statuses.html",
            language,
            _values(reading, say_with(self.speakers[language]))
            | {"path": "return", "languages": self.visitors.pages.languages},
            padded_bytes=STATUS_BYTES,
        )
        return html(page, 200)

    def _phrase(self, untrusted: bytes) -> ReturnPhrase | None:
        """Give the phrase that was typed; None for whatever is none. RefusedError: FORM_OLD."""
        fields = fields_in(untrusted, most=len(NAMES))
        if not self.visitors.intake.tokens.is_valid(FORM, fields.get(TOKEN, "")):
            raise RefusedError(Refusal.FORM_OLD)
        try:
            return phrase_in(fields.get(WORDS, "").encode("utf-8"))
        except RefusedError:
            return None


def _values(reading: Reading, say: Say) -> dict[str, object]:
    batch, content = reading.batch, reading.content
    about = {each.submission_id for each in content.statuses} - {None}
    return {
        "calendar": None
        if batch is None
        else (words_of_day(batch.published_on, say), words_of_day(batch.next_on, say)),
        "statuses": tuple(
            (
                words_of_day(each.on, say),
                (each.submission_id or "")[:ABOUT_DIGITS] if len(about) > 1 else "",
                words_of(each, say),
            )
            for each in content.statuses
        ),
        "more": content.more,
    }
