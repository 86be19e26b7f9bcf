"""A member's own keys: one pair of signing seeds, and the identity that feedback is sealed to.

They leave this machine only as their public halves. At rest they lie in a key file under a
passphrase. Format: docs/format/15-key-file.md.
"""

import errno
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, NewType, Self

from amana.durable import durable
from amana.wire.documents import Document, carries, record
from amana.wire.errors import WireError
from amana.wire.fields import Base64, Text
from amana.wire.ids import AccountId, RecipientText
from amana.wire.member import Member
from amana.wire.submission import ReplyKeys
from client.errors import KeysError
from crypto.errors import KeyFormatError, NoMatchError
from crypto.opening import HybridIdentity
from crypto.private import keyfile
from crypto.sign import NoteSigner

Seed = NewType("Seed", bytes)
SEED: Final = Base64(Seed, 32, 32)

_PRIVATE_LIMIT_BYTES: Final = keyfile.LIMIT_BYTES
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@record
class MemberSecrets(Document):
    """What is inside a member's key file. Never shown by repr."""

    FORMAT: ClassVar = "amana/member-keys/v1"
    LIMIT_BYTES: ClassVar = keyfile.LIMIT_BYTES

    name: str = carries(Text(255), "The signer's name in notes.")
    ed25519_seed: Seed = carries(SEED, "Signing key, first algorithm (RFC 8032).")
    mldsa44_seed: Seed = carries(SEED, "Signing key, second algorithm (FIPS 204).")
    feedback_identity: str = carries(Text(256), "`AGE-SECRET-KEY-PQ-1…`: opens feedback.")

    def __repr__(self) -> str:
        return "MemberSecrets(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberKeys:
    """A member's keys, ready to use."""

    signer: NoteSigner = field(repr=False)
    feedback: HybridIdentity = field(repr=False)

    @classmethod
    def generate(cls, account: AccountId) -> Self:
        """Make new keys, named by the account and a random word: nothing of the person."""
        name = f"{account}/member-{secrets.token_hex(4)}"
        return cls(signer=NoteSigner.generate(name), feedback=HybridIdentity.generate())

    @property
    def public(self) -> Member:
        """What the quarantine enrols."""
        return Member(
            signer=self.signer.key,
            feedback=RecipientText(self.feedback.recipient.to_text()),
        )

    @property
    def reply(self) -> ReplyKeys:
        """How a submission of this member is answered."""
        return ReplyKeys(recipient=self.public.feedback, answer_key=self.signer.key)

    def save(self, path: Path, passphrase: str) -> None:
        """Write the key file. FileExistsError: there is one; keys are never overwritten."""
        inside = MemberSecrets(
            name=self.signer.key.name,
            ed25519_seed=Seed(self.signer.seeds.ed25519),
            mldsa44_seed=Seed(self.signer.seeds.mldsa),
            feedback_identity=self.feedback.to_text(),
        )
        with durable(path) as target:
            target.write(keyfile.lock(inside.to_bytes(), passphrase))

    @classmethod
    def load(cls, path: Path, passphrase: str) -> Self:
        """Read a key file. KeysError: it is none, others can read it, the passphrase is wrong."""
        try:
            inside = MemberSecrets.from_bytes(keyfile.unlock(read_private(path), passphrase))
            return cls(
                signer=NoteSigner.from_seeds(
                    inside.name,
                    ed25519_seed=inside.ed25519_seed,
                    mldsa_seed=inside.mldsa44_seed,
                ),
                feedback=HybridIdentity.from_text(inside.feedback_identity),
            )
        except NoMatchError as failure:
            raise KeysError("wrong-passphrase", path=str(path)) from failure
        except (KeyFormatError, WireError) as failure:
            raise KeysError("not-a-key-file", path=str(path)) from failure


def load_identity(path: Path) -> HybridIdentity:
    """Read an identity file as age writes it: `AGE-SECRET-KEY-PQ-1…`, and `#` comments.

    KeysError: there is not exactly one identity in it, or others can read it.
    """
    text = read_private(path).decode("ascii", errors="replace")
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    try:
        (line,) = lines
        return HybridIdentity.from_text(line)
    except (ValueError, KeyFormatError) as failure:
        raise KeysError("not-an-identity", path=str(path)) from failure


def read_private(path: Path) -> bytes:
    """Read a file that its owner alone may read.

    KeysError: it is missing, no file, too long for a key or a passphrase, or others may read it.
    """
    try:
        with path.open("rb") as source:
            # Of what is open, not of the name: that may be another file by now.
            if os.fstat(source.fileno()).st_mode & _OTHERS:
                raise KeysError("others-can-read", path=str(path))
            content = source.read(_PRIVATE_LIMIT_BYTES + 1)
    except FileNotFoundError as failure:
        raise KeysError("no-such-file", path=str(path)) from failure
    except OSError as failure:
        raise KeysError(
            "file-unreadable", path=str(path), reason=failure.strerror or ""
        ) from failure
    if len(content) > _PRIVATE_LIMIT_BYTES:
        raise KeysError("file-unreadable", path=str(path), reason=os.strerror(errno.EFBIG))
    return content
