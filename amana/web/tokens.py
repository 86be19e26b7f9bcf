"""Form tokens: that a form was ours, for this purpose, and not long ago.

A token is signed and hides nothing; it names no visitor, and nothing of it is kept on the server.
The time inside is whole hours, so that a saved page does not tell when its reader was there.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

from amana.clock import Clock

SECRET_BYTES: Final = 32
"""As long as the digest of the HMAC: RFC 2104 section 3."""

TOKEN_LIMIT_CHARACTERS: Final = 256
"""Longest token that is looked at; ours have about 80."""

LIFETIME: Final = timedelta(hours=24)
"""How long a form may lie open. It is looked at when an upload begins, not when it ends."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)


class FormTokens:
    """Issues tokens and tells ours from others."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._clock = clock
        self._serializer = URLSafeSerializer(
            secret,
            salt="amana/form-token/v1",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def issue(self, purpose: str) -> str:
        """Give a token for one form."""
        return str(self._serializer.dumps([purpose, self._hours()]))

    def is_valid(self, purpose: str, untrusted_token: str) -> bool:
        """Tell whether this is a token of ours for this form, issued within LIFETIME."""
        if len(untrusted_token) > TOKEN_LIMIT_CHARACTERS:
            return False
        try:
            content = self._serializer.loads(untrusted_token)
        except BadData:
            return False
        match content:
            case [str(named), int(hours)]:
                age = self._hours() - hours
                return named == purpose and 0 <= age <= LIFETIME // _HOUR
            case _:
                return False

    def _hours(self) -> int:
        return (self._clock.now() - _EPOCH) // _HOUR
