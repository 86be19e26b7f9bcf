"""Sessions of enrolled members: opened by a signature, held by a secret that is not kept.

The database has a hash of the secret, the account and a day, so that a session outlives a restart;
when it ends is counted in memory, and every request and byte puts it off. Format:
docs/format/23-upload.md section 2.
"""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, select

from amana.clock import Clock, today
from amana.store.engine import Database
from amana.wire.errors import FieldError
from amana.wire.ids import AccountId, KeyId
from amana.wire.upload import BEARER_TOKEN, BearerToken, UploadFault
from portal.errors import UploadRefusedError
from portal.limits import UploadLimits
from portal.records.tables import MEMBER_COUNTER, UPLOAD_SESSION
from portal.uploads_enrolled import EnrolledFile

_TOKEN_BYTES: Final = 32
_SCHEME: Final = "Bearer "  # RFC 6750 section 2.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One open session. signer: the id of the member's key, which tells a new key of one name."""

    token_sha256: str
    account: AccountId
    signer: KeyId


class Sessions:
    """All open sessions."""

    def __init__(
        self, database: Database, clock: Clock, limits: UploadLimits, enrolled: EnrolledFile
    ) -> None:
        self._database = database
        self._enrolled = enrolled
        self._clock = clock
        self._limits = limits
        self._open: dict[str, Session] = {}
        self._ends: dict[str, float] = {}

    async def load(self) -> None:
        """Take up the sessions from before a restart; each has its full time again."""
        async with self._database.read() as connection:
            columns = (UPLOAD_SESSION.c[each] for each in ("token_sha256", "account", "signer"))
            for token_sha256, account, signer in await connection.execute(select(*columns)):
                self._add(
                    Session(
                        token_sha256=token_sha256,
                        account=AccountId(account),
                        signer=KeyId(signer),
                    )
                )

    async def open(self, account: AccountId, signer: KeyId, counter: int) -> BearerToken:
        """Open a session for whoever signed with this counter.

        The account's session that would end first makes room for one too many.
        UploadRefusedError: COUNTER_OLD, a request with this counter or a higher one came before.
        """
        token = BearerToken(secrets.token_urlsafe(_TOKEN_BYTES))
        session = Session(token_sha256=_hash(token), account=account, signer=signer)
        mine = [each for each in self._open.values() if each.account == account]
        mine.sort(key=lambda each: self._ends[each.token_sha256])
        surplus = mine[: max(0, len(mine) - self._limits.sessions + 1)]
        is_signer = MEMBER_COUNTER.c.signer == signer
        async with self._database.write() as connection:
            last = await connection.scalar(select(MEMBER_COUNTER.c.counter).where(is_signer))
            if last is not None and counter <= last:
                raise UploadRefusedError(UploadFault.COUNTER_OLD)
            await connection.execute(delete(MEMBER_COUNTER).where(is_signer))
            await connection.execute(insert(MEMBER_COUNTER).values(signer=signer, counter=counter))
            await connection.execute(
                insert(UPLOAD_SESSION).values(
                    token_sha256=session.token_sha256,
                    account=account,
                    signer=signer,
                    since=today(self._clock).isoformat(),
                )
            )
        self._add(session)
        await self._end(surplus)
        return token

    async def find(self, untrusted_authorization: str) -> Session:
        """Give the session of an `Authorization` header, and put its end off.

        UploadRefusedError: NO_SESSION, also when the member is suspended; CLOSED.
        """
        scheme, word = (
            untrusted_authorization[: len(_SCHEME)],
            untrusted_authorization[len(_SCHEME) :],
        )
        try:
            token = BEARER_TOKEN.read(word)
        except FieldError as failure:
            raise UploadRefusedError(UploadFault.NO_SESSION) from failure
        session = self._open.get(_hash(token))
        if scheme.lower() != _SCHEME.lower() or session is None or self._has_ended(session):
            raise UploadRefusedError(UploadFault.NO_SESSION)
        if session.signer not in (await self._enrolled.now()).signers:
            await self._end([session])
            raise UploadRefusedError(UploadFault.NO_SESSION)
        self.renew(session)
        return session

    def renew(self, session: Session) -> None:
        """Put the end of a session off: bytes came."""
        now = asyncio.get_running_loop().time()
        self._ends[session.token_sha256] = now + self._limits.session_seconds

    async def sweep(self) -> None:
        """Forget the sessions that have ended."""
        await self._end([each for each in self._open.values() if self._has_ended(each)])

    async def _end(self, sessions: list[Session]) -> None:
        hashes = [each.token_sha256 for each in sessions]
        for each in hashes:
            self._open.pop(each, None)
            self._ends.pop(each, None)
        if hashes:
            async with self._database.write() as connection:
                is_one = UPLOAD_SESSION.c.token_sha256.in_(hashes)
                await connection.execute(delete(UPLOAD_SESSION).where(is_one))

    def _add(self, session: Session) -> None:
        self._open[session.token_sha256] = session
        self.renew(session)

    def _has_ended(self, session: Session) -> bool:
        now = asyncio.get_running_loop().time()
        return self._ends.get(session.token_sha256, now) <= now


def _hash(token: BearerToken) -> str:
    # A random word of 256 bits needs no salt and no slow hash.
    return hashlib.sha256(f"amana/upload-session-token/v1\n{token}".encode("ascii")).hexdigest()
