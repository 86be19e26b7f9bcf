"""The pages a visitor sees: plain forms, no script, one request each.

What a page needs stands in its address and its form; only the journey (portal.journey) has a draft.
Structure: templates/portal/. Format of the form: docs/format/18-portal.md section 1.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from amana.i18n import Language
from amana.web.render import Pages
from portal.finishing import Received
from portal.form import AGE, FILES, NOT_SAID, TEXT, TOKEN, UNDERSTOOD, WORDS
from portal.intake import FORM, Intake
from portal.refusal import Refusal
from terms.consent import AgeBand, Answer, ConsentPurpose

STYLES: Final = ("css/tokens.css", "css/base.css", "css/forms.css")

REFUSAL_BYTES: Final = 7 * 1024
"""Length of every page that refuses: the longest needs about 5 KB."""

CLEAR: Final = '"cache", "cookies", "storage"'
"""What a browser forgets when a person leaves: Clear-Site-Data, W3C."""

FORM_VALUES: Final = MappingProxyType[str, object](
    {
        "purposes": tuple(each.value for each in ConsentPurpose),
        "answers": tuple(each.value for each in Answer),
        "ages": (*(each.value for each in AgeBand), NOT_SAID),
        "understandings": ("YES", NOT_SAID),
        "names": {
            "token": TOKEN,
            "age": AGE,
            "understood": UNDERSTOOD,
            "words": WORDS,
            "text": TEXT,
            "files": FILES,
        },
    }
)
"""What the form asks, by the words that it sends: nothing here depends on a visit."""

# A form of another site may not speak for this one; a browser that does not say is let through,
# as the token is asked for anyway (Fetch Metadata, W3C).
_OWN_SITES: Final = frozenset({"", "same-origin", "none"})
_FIRST: Final = Language.AR
_KILO: Final = 1_000
_MEGA: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitors:
    """Answers every request for a page."""

    pages: Pages
    intake: Intake

    async def landing(self, request: Request) -> Response:
        """Say what this is and what it cannot promise."""
        return self.page("landing", self.language_of(request))

    async def before(self, request: Request) -> Response:
        """Say how to be safe, and manage expectations, before anything is asked."""
        return self.page("before", self.language_of(request))

    async def give(self, request: Request) -> Response:
        """Show the form."""
        return self.page(
            "give",
            self.language_of(request),
            token=self.intake.tokens.issue(FORM),
            **FORM_VALUES,
            limit=self.intake.limits.body_bytes >> 30,
            most=self.intake.limits.items,
        )

    async def receive(self, request: Request) -> Response:
        """Take what was given, and thank for it or say why it could not be taken."""
        language = self.language_of(request)
        if is_foreign(request):
            return self.refuse(Refusal.FORM_OLD, language)
        length = request.headers.get("content-length", "")
        try:
            outcome = await self.intake.receive(
                request.headers.get("content-type", "").encode("latin-1"),
                int(length) if length.isdecimal() else None,
                request.stream(),
                language,
            )
        except ClientDisconnect:
            # Nobody is there to read it; the server wants an answer all the same.
            return self.refuse(Refusal.UNREADABLE, language)
        if isinstance(outcome, Received):
            return self.thanks(
                language,
                items=outcome.items,
                content_bytes=outcome.content_bytes,
                has_words=outcome.mailbox is not None,
                receipt=outcome.receipt.decode("utf-8"),
            )
        return self.refuse(outcome, language)

    async def left(self, _request: Request) -> Response:
        """Show a page that says nothing."""
        return self.page("left", _FIRST)

    async def fail(self, request: Request, failure: Exception) -> Response:
        """Answer what no page is there for. The error itself goes to the outermost middleware."""
        status = failure.status_code if isinstance(failure, HTTPException) else None
        refusal = {404: Refusal.NOT_FOUND, 405: Refusal.METHOD}.get(status or 0, Refusal.FAILED)
        first = request.url.path.strip("/").partition("/")[0]
        named = [each for each in self.pages.languages if each.value == first]
        return self.refuse(refusal, named[0] if named else _FIRST)

    def refuse(self, refusal: Refusal, language: Language, step: str = "") -> Response:
        """Give the page for a refusal: all are of one length.

        step: the page of the journey to go on from; what the draft holds stays.
        """
        page = self.pages.render(
            "portal/refused.html",
            language,
            {
                "reason": refusal.value,
                "step": step,
                "path": "refused",
                "languages": self.pages.languages,
            },
            padded_bytes=REFUSAL_BYTES,
        )
        return html(page, refusal.status)

    def thanks(
        self,
        language: Language,
        *,
        items: int,
        content_bytes: int,
        has_words: bool,
        receipt: str,
    ) -> Response:
        """Give the page that thanks for what is in the records."""
        return self.page(
            "thanks",
            language,
            items=items,
            has_words=has_words,
            size=size_of(content_bytes),
            receipt=receipt,
        )

    def page(self, name: str, language: Language, **values: object) -> Response:
        """Give a page with these values."""
        known = {"path": name, "languages": self.pages.languages}
        return html(self.pages.render(f"portal/{name}.html", language, values | known), 200)

    def language_of(self, request: Request) -> Language:
        """Give the language that the address names. HTTPException: there are no pages in it."""
        asked = request.path_params.get("language", _FIRST.value)
        for language in self.pages.languages:
            if language.value == asked:
                return language
        raise HTTPException(404)


def is_foreign(request: Request) -> bool:
    """Tell whether a browser says that another site's form sent this."""
    return request.headers.get("sec-fetch-site", "") not in _OWN_SITES


def html(page: bytes, status: int) -> Response:
    """Give a response with a page."""
    return Response(page, status_code=status, media_type="text/html; charset=utf-8")


def size_of(count: int) -> tuple[str, str]:
    """Give the key of a unit, and a number as people read it: never 0 for something."""
    if count < _MEGA:
        return ("portal.size.kilobytes", str(-(-count // _KILO)))
    return ("portal.size.megabytes", f"{count / _MEGA:.1f}")
