"""The pages of the ten words: shown once and kept nowhere; typed back later to read what is new.

Words that are a mailbox's, another's and nobody's get one page of one length, byte for byte the
same where there is no news, after the same work. Structure: templates/portal/. Format:
docs/format/18-portal.md section 7.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from amana.clock import today
from amana.i18n import Language, Speaker
from amana.web.render import PAGE_LIMIT_BYTES
from amana.wire.feedback_words import Say, say_with, words_of, words_of_day
from crypto.phrase import MAX_TEXT_CHARACTERS, ReturnPhrase
from crypto.wordlist import Language as WordLanguage
from portal.account import Reading
from portal.errors import RefusedError
from portal.form import TOKEN, WORDS, phrase_in
from portal.pages import Visitors, html, is_foreign
from portal.refusal import Refusal

FORM: Final = "return"
"""What form tokens of this form are issued for."""

BODY_LIMIT_BYTES: Final = 12 * MAX_TEXT_CHARACTERS + 1_024
"""Longest body: four bytes a character, each written %XX, and the token."""

BODY_SECONDS: Final = 60
"""How long the body may take."""

STATUS_BYTES: Final = PAGE_LIMIT_BYTES
"""Length of every page with statuses, or with none."""

ABOUT_DIGITS: Final = 8
"""How much of a submission's id is shown where there are several: enough to tell them apart."""

NAMES: Final = MappingProxyType({"token": TOKEN, "words": WORDS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Returners:
    """Answers every request for the pages of the ten words."""

    visitors: Visitors
    speakers: Mapping[Language, Speaker]

    @classmethod
    def beside(cls, visitors: Visitors) -> Self:
        """Give these pages in the languages of the others."""
        return cls(
            visitors=visitors,
            speakers=MappingProxyType({each: Speaker(each) for each in visitors.pages.languages}),
        )

    async def words(self, request: Request) -> Response:
        """Show ten fresh words. Nobody else knows them, and nothing is kept."""
        language = self.visitors.language_of(request)
        phrase = ReturnPhrase.generate()
        shown = zip(phrase.words(WordLanguage(language.value)), phrase.groups, strict=True)
        return self.visitors.page("words", language, words=tuple(shown))

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
            phrase = self._phrase(await _body(request))
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
        try:
            pairs = parse_qsl(
                untrusted.decode("ascii"),
                keep_blank_values=True,
                strict_parsing=True,
                errors="strict",
                max_num_fields=len(NAMES),
            )
        except ValueError:
            raise RefusedError(Refusal.UNREADABLE) from None  # the cause would quote the words
        fields = dict(pairs)
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


async def _body(request: Request) -> bytes:
    """Read a short body. RefusedError: too long, too slow, cut."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            chunks: AsyncIterator[bytes] = request.stream()
            async for chunk in chunks:
                body += chunk
                if len(body) > BODY_LIMIT_BYTES:
                    raise RefusedError(Refusal.UNREADABLE)
    except TimeoutError:
        raise RefusedError(Refusal.TOO_SLOW) from None
    except ClientDisconnect:
        raise RefusedError(Refusal.UNREADABLE) from None
    return bytes(body)
