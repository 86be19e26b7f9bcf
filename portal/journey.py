"""The pages of giving, one after the other: words, purposes, files, review, thanks.

Each page is one plain form; what it sends is kept in the draft, and the answer leads to the next.
Nothing that was finished is taken back by what fails later. Structure: templates/portal/. Format:
docs/format/18-portal.md section 8.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from crypto.phrase import ReturnPhrase
from crypto.wordlist import Language as WordLanguage
from portal.consent import Answers
from portal.draft import Draft, DraftSecret
from portal.draft_intake import FILES, DraftIntake
from portal.errors import RefusedError
from portal.form import QUESTIONS, TOKEN, WORDS, phrase_in, take_answer
from portal.pages import CLEAR, FORM_VALUES, Visitors, is_foreign, size_of
from portal.refusal import Refusal
from portal.short_form import fields_in, short_body

COOKIE: Final = "draft"
"""The one cookie there is: it ends with the browser, and no script can read it."""

SHOWN: Final = 12
"""Items that the pages show one by one, the newest: a page of 500 would be too heavy."""

WORDS_FORM: Final = "words"
PURPOSES_FORM: Final = "purposes"
REVIEW_FORM: Final = "review"

_HEADERS_LIMIT: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """Answers every request for a page of the journey."""

    visitors: Visitors
    drafting: DraftIntake

    async def words(self, request: Request) -> Response:
        """Show ten fresh words, and the field that begins a draft with them or without."""
        language = self.visitors.language_of(request)
        phrase = ReturnPhrase.generate()
        shown = zip(phrase.words(WordLanguage(language.value)), phrase.groups, strict=True)
        return self.visitors.page(
            "words", language, words=tuple(shown), token=self._token(WORDS_FORM), **FORM_VALUES
        )

    async def begin(self, request: Request) -> Response:
        """Begin a draft; lead to the answers."""

        async def work() -> Response:
            fields = await self._fields(request, WORDS_FORM, frozenset({WORDS}))
            phrase = phrase_in(fields.pop(WORDS, "").encode("utf-8"))
            secret = await self.drafting.begin(cookie_of(request), phrase, language)
            answer = self._lead(request, "purposes")
            answer.headers["set-cookie"] = _set_cookie(secret, request)
            return answer

        language = self.visitors.language_of(request)
        return await self._answered(request, "words", work)

    async def purposes(self, request: Request) -> Response:
        """Ask what may be done with the material; show what was answered before."""

        async def show(draft: Draft) -> Response:
            given = draft.given
            return self.visitors.page(
                "purposes",
                self.visitors.language_of(request),
                token=self._token(PURPOSES_FORM),
                chosen=_chosen(given),
                **FORM_VALUES,
            )

        return await self._shown(request, "purposes", show)

    async def answer(self, request: Request) -> Response:
        """Keep the answers; lead to the files."""

        async def work() -> Response:
            fields = await self._fields(request, PURPOSES_FORM, QUESTIONS)
            answers = Answers()
            for name, value in fields.items():
                take_answer(answers, name, value.encode("utf-8"))
            language = self.visitors.language_of(request)
            await self.drafting.answer(cookie_of(request), answers, language)
            return self._lead(request, "files")

        return await self._answered(request, "purposes", work)

    async def files(self, request: Request) -> Response:
        """Show what is there, and the fields for more."""

        async def show(draft: Draft) -> Response:
            limits = self.visitors.intake.limits
            return self.visitors.page(
                "files",
                self.visitors.language_of(request),
                token=self._token(FILES),
                limit=limits.body_bytes >> 30,
                most=limits.items,
                **_there(draft),
                **FORM_VALUES,
            )

        return await self._shown(request, "files", show)

    async def add(self, request: Request) -> Response:
        """Seal what came; show it back. What ended before a failure stays."""

        async def work() -> Response:
            length = request.headers.get("content-length", "")
            await self.drafting.add(
                cookie_of(request),
                request.headers.get("content-type", "").encode("latin-1"),
                int(length) if length.isdecimal() else None,
                request.stream(),
            )
            return self._lead(request, "files")

        return await self._answered(request, "files", work)

    async def review(self, request: Request) -> Response:
        """Show all there is, before it is handed over."""

        async def show(draft: Draft) -> Response:
            return self.visitors.page(
                "review",
                self.visitors.language_of(request),
                token=self._token(REVIEW_FORM),
                names=FORM_VALUES["names"],
                answered=tuple((each.purpose.value, each.answer.value) for each in draft.answers),
                has_words=draft.mailbox is not None,
                **_there(draft),
            )

        return await self._shown(request, "review", show)

    async def hand_over(self, request: Request) -> Response:
        """Make a submission of the draft; lead to the thanks."""

        async def work() -> Response:
            await self._fields(request, REVIEW_FORM, frozenset())
            await self.drafting.hand_over(cookie_of(request))
            return self._lead(request, "thanks")

        return await self._answered(request, "review", work)

    async def thanks(self, request: Request) -> Response:
        """Thank for what was handed over, as long as its draft is there."""
        language = self.visitors.language_of(request)
        try:
            draft = await self.drafting.drafts.read(cookie_of(request))
        except RefusedError as refused:
            return self._refused(refused.refusal, request, "words")
        if draft.receipt is None:
            return self._lead(request, "review")
        return self.visitors.thanks(
            language,
            items=len(draft.items),
            content_bytes=draft.content_bytes,
            has_words=draft.mailbox is not None,
            receipt=draft.receipt,
        )

    async def leave(self, request: Request) -> Response:
        """Remove the draft and what is sealed for it, and let the browser forget what it can."""
        answer = RedirectResponse("/left", status_code=303, headers={"clear-site-data": CLEAR})
        if untrusted := cookie_of(request):
            await self.drafting.drafts.leave(untrusted)
            answer.headers["set-cookie"] = f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly"
        return answer

    async def _shown(
        self, request: Request, step: str, show: Callable[[Draft], Awaitable[Response]]
    ) -> Response:
        self.visitors.language_of(request)
        try:
            draft = await self.drafting.drafts.read(cookie_of(request))
        except RefusedError as refused:
            return self._refused(refused.refusal, request, step)
        if draft.receipt is not None:
            return self._lead(request, "thanks")
        return await show(draft)

    async def _answered(
        self, request: Request, step: str, work: Callable[[], Awaitable[Response]]
    ) -> Response:
        self.visitors.language_of(request)
        if is_foreign(request):
            return self._refused(Refusal.FORM_OLD, request, step)
        try:
            return await work()
        except RefusedError as refused:
            return self._refused(refused.refusal, request, step)
        except ClientDisconnect:
            # Nobody is there to read it; the server wants an answer all the same.
            return self._refused(Refusal.UNREADABLE, request, step)

    def _refused(self, refusal: Refusal, request: Request, step: str) -> Response:
        is_gone = refusal is Refusal.DRAFT_GONE
        step = {Refusal.DRAFT_GONE: "words", Refusal.SEALED_ALREADY: "files"}.get(refusal, step)
        answer = self.visitors.refuse(refusal, self.visitors.language_of(request), step=step)
        if is_gone and cookie_of(request):
            answer.headers["set-cookie"] = f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly"
        return answer

    def _lead(self, request: Request, step: str) -> Response:
        language = self.visitors.language_of(request)
        return RedirectResponse(f"/{language.value}/{step}", status_code=303)

    def _token(self, form: str) -> str:
        return self.visitors.intake.tokens.issue(form)

    async def _fields(self, request: Request, form: str, known: frozenset[str]) -> dict[str, str]:
        """Read a short form without its token. RefusedError: FORM_OLD, or a field is not known."""
        fields = fields_in(await short_body(request), most=len(known) + 1)
        if not self.visitors.intake.tokens.is_valid(form, fields.pop(TOKEN, "")):
            raise RefusedError(Refusal.FORM_OLD)
        if not fields.keys() <= known:
            raise RefusedError(Refusal.UNREADABLE)
        return fields


def cookie_of(request: Request) -> str:
    """Give what the draft's cookie holds, as it came; empty where there is none."""
    untrusted = request.headers.get("cookie", "")
    if len(untrusted) > _HEADERS_LIMIT:
        return ""
    try:
        found = SimpleCookie(untrusted).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _set_cookie(secret: DraftSecret, request: Request) -> str:
    """Give the header: no end, so the browser drops it with the session; over http only to us."""
    host = request.headers.get("host", "").partition(":")[0]
    # An onion's circuit is its transport security; on this machine's loopback there is none.
    is_secure = request.url.scheme == "https" or host.endswith(".onion")
    secure = "; Secure" if is_secure else ""
    return f"{COOKIE}={secret.cookie}; Path=/; HttpOnly; SameSite=Strict{secure}"


def _chosen(given: Answers) -> dict[str, str]:
    """Give what was answered, by the words that the form sends."""
    chosen = {purpose.value: answer.value for purpose, answer in given.purposes.items()}
    if given.age is not None:
        chosen["age"] = given.age.value
    if given.has_understood:
        chosen["understood"] = "YES"
    return chosen


def _there(draft: Draft) -> dict[str, object]:
    """Give what the pages show of the items: a number, a kind and a size each, never a name."""
    numbered = [
        (number, each.is_text, size_of(each.content_size))
        for number, each in enumerate(draft.items, 1)
    ]
    return {
        "items": tuple(numbered[-SHOWN:]),
        "count": len(numbered),
        "size": size_of(draft.content_bytes),
    }
