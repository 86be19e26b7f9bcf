"""Take what a person gives page by page: words, answers, files one after the other, the end.

Every file is sealed as it arrives, and is in the draft once it is durable; what comes after it, a
later file that fails or a circuit that breaks, takes nothing back. A submission is made of it when
the person hands it over, and in no other way. Format: docs/format/18-portal.md section 8.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from amana.clock import today
from amana.i18n import Language
from crypto.phrase import ReturnPhrase
from portal.account import Account
from portal.consent import Answers, consent_document
from portal.draft import Answered, Draft, DraftSecret
from portal.drafts import Drafts, Writing
from portal.errors import RefusedError
from portal.finishing import Finisher, Received
from portal.form import FILES_ONLY, FormReader
from portal.intake import Intake
from portal.multipart import PartReader, boundary_of
from portal.objects import discard
from portal.receiving import Body, Receiver
from portal.refusal import Refusal
from portal.sealing import ItemSealer
from portal.underway import SealedItem

FILES: Final = "files"
"""What form tokens of the page for files are issued for."""

_FINISHING_BYTES: Final = 1 << 20  # manifest, note, event and consent of 500 items are less


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftIntake:
    """Everything that a draft goes through. Errors are RefusedError, for the page to say."""

    intake: Intake
    drafts: Drafts

    async def begin(
        self, untrusted_cookie: str, phrase: ReturnPhrase | None, language: Language
    ) -> DraftSecret:
        """Begin a draft, with the account that the words lead to; give what its cookie holds.

        An earlier one without files gives way. RefusedError: SEALED_ALREADY, there are files in it;
        DRAFT_BUSY, there soon are; BUSY, CLOSED.
        """
        on, card = self.intake.open_today()
        await self._require_free(untrusted_cookie)
        holder = Account.without_return()
        if phrase is not None:
            holder = await self.intake.mailboxes.account_of(phrase)
        secret = await self.drafts.begin(Draft.begin(card, holder, language, on), holder)
        await self.drafts.leave(untrusted_cookie)
        return secret

    async def _require_free(self, untrusted_cookie: str) -> None:
        async def look(writing: Writing) -> None:
            if writing.draft.items and writing.draft.receipt is None:
                raise RefusedError(Refusal.SEALED_ALREADY)

        try:
            await self.drafts.write(untrusted_cookie, look)
        except RefusedError as refused:
            if refused.refusal is not Refusal.DRAFT_GONE:
                raise

    async def answer(self, untrusted_cookie: str, answers: Answers, language: Language) -> None:
        """Keep the answers, in place of earlier ones.

        RefusedError: SEALED_ALREADY, files already say that nothing was answered, or that something
        was; DRAFT_GONE, DRAFT_BUSY.
        """
        await self.drafts.write(untrusted_cookie, partial(self._answer, answers, language))

    async def _answer(self, answers: Answers, language: Language, writing: Writing) -> None:
        draft = writing.draft
        has_changed_kind = bool(answers.purposes) != bool(draft.answers)
        if draft.receipt is not None or (draft.items and has_changed_kind):
            raise RefusedError(Refusal.SEALED_ALREADY)
        answered = tuple(
            Answered(purpose=purpose, answer=answer) for purpose, answer in answers.purposes.items()
        )
        await writing.save(
            replace(
                draft,
                answers=answered,
                age=answers.age,
                has_understood=answers.has_understood,
                language=language,
                on=today(self.intake.clock),
            )
        )

    async def add(
        self,
        untrusted_cookie: str,
        content_type: bytes,
        length: int | None,
        chunks: AsyncIterator[bytes],
    ) -> None:
        """Add what one body of the page for files brings.

        length, chunks: as Intake.receive. Items that ended before a RefusedError, or before what
        `chunks` raises, are in the draft.
        """
        await self.drafts.write(untrusted_cookie, partial(self._add, content_type, length, chunks))

    async def _add(
        self,
        content_type: bytes,
        length: int | None,
        chunks: AsyncIterator[bytes],
        writing: Writing,
    ) -> None:
        intake, draft = self.intake, writing.draft
        if draft.receipt is not None:
            raise RefusedError(Refusal.SEALED_ALREADY)
        limits = replace(
            intake.limits,
            body_bytes=intake.limits.body_bytes - draft.content_bytes,
            items=intake.limits.items - len(draft.items),
        )
        needed = intake.needed(length, limits)
        intake.open_today()
        intake.require(needed)
        form = FormReader(lambda token: intake.tokens.is_valid(FILES, token), limits, FILES_ONLY)
        receiver = Receiver(
            form,
            PartReader(boundary_of(content_type)),
            intake.executor,
            begin=partial(_sealer_of, writing),
            keep=partial(_keep, writing),
            token_bytes=limits.token_bytes,
            salvages=True,
        )

        async with AsyncExitStack() as held:

            async def take_place() -> None:
                held.enter_context(self.drafts.promise(needed))
                await intake.take_place(held, needed)

            await receiver.run(Body(chunks, limits, writing.heard), take_place)
        if form.items == 0:
            raise RefusedError(Refusal.NOTHING_GIVEN)

    async def hand_over(self, untrusted_cookie: str) -> None:
        """Make a submission of the draft; the second time it does nothing.

        RefusedError: NOTHING_GIVEN, no file is in it; DRAFT_GONE, DRAFT_BUSY, BUSY, NO_ROOM. The
        draft stays as it was then.
        """
        await self.drafts.write(untrusted_cookie, self._hand_over)
        await self.drafts.handed_over(untrusted_cookie)

    async def _hand_over(self, writing: Writing) -> None:
        intake, draft = self.intake, writing.draft
        if draft.receipt is not None:
            return
        if not draft.items:
            raise RefusedError(Refusal.NOTHING_GIVEN)
        intake.room.require(intake.places, _FINISHING_BYTES, intake.limits.spare_bytes)
        finisher = self._finisher(draft)

        def finish() -> Received:
            # A draft that is there was never recorded: this is what an attempt before it left.
            discard(intake.places, finisher.underway.submission_id)
            finisher.adopt(writing.folder)
            return finisher.finish(intake.keys)

        async def keep_receipt(connection: AsyncConnection, received: Received) -> None:
            receipt = received.receipt.decode("utf-8")
            await writing.save_within(connection, replace(draft, receipt=receipt))

        await intake.complete(finish, finisher, keep_receipt)

    def _finisher(self, draft: Draft) -> Finisher:
        underway = draft.underway
        consent = consent_document(
            draft.given,
            consent_id=draft.consent_id,
            language=draft.language,
            on=draft.on,
        )
        return Finisher(
            places=self.intake.places,
            underway=underway,
            items=draft.items,
            consent=consent,
            arrival=self.intake.arrival(today(self.intake.clock)),
        )


async def _sealer_of(writing: Writing) -> ItemSealer:
    return ItemSealer(writing.folder, writing.draft.underway)


async def _keep(writing: Writing, items: tuple[SealedItem, ...]) -> None:
    await asyncio.shield(writing.save(replace(writing.draft, items=(*writing.draft.items, *items))))
