"""The repository's own keys, and what it pins of the quarantine.

The key file opens every package and signs every answer. It lies on a machine that the repository
alone uses, readable by its owner alone; putting it on an encrypted disk is the operator's part.
Format: docs/format/21-answers.md section 4.
"""

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, NewType, Self, TypeVar

from amana.durable import durable
from amana.wire.documents import Document, carries, record
from amana.wire.ends import QuarantineEnd, RepositoryEnd
from amana.wire.errors import WireError
from amana.wire.fields import Base64, Choice, Text
from amana.wire.ids import RecipientText
from amana.wire.vocabulary import Deployment
from crypto.errors import KeyFormatError
from crypto.opening import HybridIdentity
from crypto.sign import NoteSigner
from repository.errors import UnusableError

Seed = NewType("Seed", bytes)
SEED: Final = Base64(Seed, 32, 32)

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_DocumentT = TypeVar("_DocumentT", bound=Document)


@record
class RepositorySecrets(Document):
    """What is inside the repository's key file. Never shown by repr."""

    FORMAT: ClassVar = "amana/repository-keys/v1"
    LIMIT_BYTES: ClassVar = 4_096

    deployment: Deployment = carries(Choice(Deployment), "Whether real material is taken.")
    name: str = carries(Text(255), "The signer's name in notes.")
    ed25519_seed: Seed = carries(SEED, "Signing key, first algorithm (RFC 8032).")
    mldsa44_seed: Seed = carries(SEED, "Signing key, second algorithm (FIPS 204).")
    identity: str = carries(Text(256), "`AGE-SECRET-KEY-PQ-1…`: opens packages.")

    def __repr__(self) -> str:
        return "RepositorySecrets(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryKeys:
    """The repository's keys, ready to use."""

    deployment: Deployment
    signer: NoteSigner = field(repr=False)
    identity: HybridIdentity = field(repr=False)

    @classmethod
    def generate(cls, name: str, deployment: Deployment) -> Self:
        """Make new keys."""
        return cls(
            deployment=deployment,
            signer=NoteSigner.generate(name),
            identity=HybridIdentity.generate(),
        )

    @property
    def public(self) -> RepositoryEnd:
        """What the quarantine pins."""
        return RepositoryEnd(
            deployment=self.deployment,
            recipient=RecipientText(self.identity.recipient.to_text()),
            signer=self.signer.key,
        )

    def save(self, path: Path) -> None:
        """Write the key file. FileExistsError: there is one; keys are never overwritten."""
        inside = RepositorySecrets(
            deployment=self.deployment,
            name=self.signer.key.name,
            ed25519_seed=Seed(self.signer.seeds.ed25519),
            mldsa44_seed=Seed(self.signer.seeds.mldsa),
            identity=self.identity.to_text(),
        )
        with durable(path) as target:
            target.write(inside.to_bytes())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file. UnusableError: it is missing or malformed, or others can read it."""
        inside = _load(RepositorySecrets, path)
        if path.stat().st_mode & _OTHERS:
            raise UnusableError("others-can-read", path=str(path))
        try:
            signer = NoteSigner.from_seeds(
                inside.name, ed25519_seed=inside.ed25519_seed, mldsa_seed=inside.mldsa44_seed
            )
            identity = HybridIdentity.from_text(inside.identity)
        except KeyFormatError as failure:
            raise UnusableError("not-such-a-file", path=str(path)) from failure
        return cls(deployment=inside.deployment, signer=signer, identity=identity)


def load_quarantine(path: Path, keys: RepositoryKeys) -> QuarantineEnd:
    """Read what is pinned of the quarantine.

    UnusableError: it is missing or malformed, or of another deployment than the keys.
    """
    end = _load(QuarantineEnd, path)
    if end.deployment is not keys.deployment:
        raise UnusableError("ends-differ", path=str(path))
    return end


def _load(kind: type[_DocumentT], path: Path) -> _DocumentT:
    try:
        with path.open("rb") as source:
            return kind.from_bytes(source.read(kind.LIMIT_BYTES + 1))
    except (FileNotFoundError, IsADirectoryError) as failure:
        raise UnusableError("no-such-file", path=str(path)) from failure
    except WireError as failure:
        raise UnusableError("not-such-a-file", path=str(path)) from failure
