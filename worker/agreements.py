"""The agreements that the quarantine knows: every version, its signatures, its amendments.

A text is kept as it was signed, byte for byte, and never changed; a version has one text, and
whoever brings another one is refused. A signature is kept beside the text that it binds. Whether
an agreement is in force is for `terms` to say. Format: docs/format/27-terms-toml.md section 6.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import ClassVar, Final

from amana.durable import durable, make_folders
from amana.wire.conditions import UID, TermsRecord
from amana.wire.documents import Document, carries, record
from amana.wire.errors import TermsTextError, WireError
from amana.wire.ids import ACCOUNT_ID, AccountId
from amana.wire.references import AgreementRef
from amana.wire.terms_toml import AgreementText, read_agreement, read_amendment, reference_to
from amana.wire.toml_table import LIMIT_BYTES
from terms.agreement import Agreement, Amendment, Signature
from terms.names import Uid
from worker.errors import AgreementError, AgreementFault

_HOLDER: Final = "holder.json"
_VERSION: Final = "version-{:07d}.toml"
_VERSIONS: Final = "version-*.toml"
_AMENDMENT: Final = "amendment-{}.toml"
_AMENDMENTS: Final = "amendment-*.toml"
_SIGNATURE: Final = "signature-{}.json"
_SIGNATURES: Final = "signature-*.json"


@record
class AgreementHolder(Document):
    """Whose an agreement is, in all its versions."""

    FORMAT: ClassVar = "amana/agreement-holder/v1"
    LIMIT_BYTES: ClassVar = 4_096

    uid: Uid = carries(UID, "The agreement.")
    provider: Uid = carries(UID, "The party that gives material under it.")
    account: AccountId = carries(ACCOUNT_ID, "That party's account on the portal.")


@record
class KeptSignature(Document):
    """A signature that was verified, or ink that officers attest, over a text that is kept."""

    FORMAT: ClassVar = "amana/kept-signature/v1"
    LIMIT_BYTES: ClassVar = 16_384

    signature: Signature = carries(TermsRecord(Signature), "Whose it is, and over which text.")


class AgreementStore:
    """The agreements in one folder. Making one reads nothing; every answer is read anew.

    Any method: AgreementError DAMAGED where a file is not as it was written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, source: bytes, account: AccountId) -> AgreementText:
        """Keep one version of an account's agreement; the same again changes nothing.

        TermsTextError: it is no agreement. AgreementError: the text or the store names another
        account or provider for it, this version has another text, or a newer one is there.
        """
        text = read_agreement(source)
        agreement = text.agreement
        if text.account not in {None, account}:
            raise AgreementError(AgreementFault.ANOTHER_ACCOUNT)
        home = self._home(agreement.uid)
        make_folders(home)
        self._claim(home, agreement, account)
        path = home / _VERSION.format(agreement.version)
        newer = [each for each in home.glob(_VERSIONS) if each.name > path.name]
        if newer and not path.exists():
            # An older text that comes late could narrow or widen what has been decided since.
            raise AgreementError(AgreementFault.NEWER_VERSION)
        _keep(path, source, AgreementFault.ANOTHER_TEXT)
        return text

    def sign(self, uid: Uid, signature: Signature) -> None:
        """Keep the provider's signature over a version or an amendment that is kept.

        signature: verified by the caller. AgreementError: it is another party's, or over no text
        that is here.
        """
        holder = self.holder(uid)
        if holder is None or signature.signed_sha256 not in self._digests(uid):
            raise AgreementError(AgreementFault.SIGNS_NO_TEXT)
        if signature.party != holder.provider:
            raise AgreementError(AgreementFault.NOT_THE_PARTY)
        kept = KeptSignature(signature=signature)
        path = self._home(uid) / _SIGNATURE.format(kept.digest)
        _keep(path, kept.to_bytes(), AgreementFault.DAMAGED)

    def amend(self, source: bytes) -> Amendment:
        """Keep an amendment of an agreement that is kept; it counts once it is signed.

        TermsTextError: it is none. AgreementError: it names a version or text that is not here.
        """
        amendment = read_amendment(source)
        versions = {each.version: each for each in self.versions(amendment.agreement)}
        to = versions.get(amendment.to_version)
        if to is None or to.source_sha256 != amendment.to_sha256:
            raise AgreementError(AgreementFault.NO_SUCH_VERSION)
        path = self._home(amendment.agreement) / _AMENDMENT.format(amendment.source_sha256)
        _keep(path, source, AgreementFault.DAMAGED)
        return amendment

    def find(self, ref: AgreementRef) -> Agreement | None:
        """Give the version that is named, with its signatures; None if that text is not known."""
        path = self._home(ref.uid) / _VERSION.format(ref.version)
        if not path.exists():
            return None
        found = self._version(path)
        return found if reference_to(found) == ref else None

    def holder(self, uid: Uid) -> AgreementHolder | None:
        """Tell whose an agreement is; None if it is not known."""
        path = self._home(uid) / _HOLDER
        return _holder(path) if path.exists() else None

    def holders(self) -> Iterator[AgreementHolder]:
        """Yield every agreement that is known, in no order that means anything."""
        for path in sorted(self._folder.glob(f"*/{_HOLDER}")):
            yield _holder(path)

    def versions(self, uid: Uid) -> tuple[Agreement, ...]:
        """Give every version that is known, oldest first, each with its signatures."""
        return tuple(map(self._version, sorted(self._home(uid).glob(_VERSIONS))))

    def amendments(self, uid: Uid) -> tuple[Amendment, ...]:
        """Give every amendment that is known, each with its signatures."""
        return tuple(self._amendments(self._home(uid)))

    def current(self, uid: Uid, on: date) -> Agreement | None:
        """Give the newest version that is signed and has begun; None if there is none."""
        begun = [_ for _ in self.versions(uid) if _.is_signed() and _.valid_from <= on]
        return begun[-1] if begun else None

    def _home(self, uid: Uid) -> Path:
        # A name of terms may hold a slash, and capitals that some file systems do not tell apart.
        return self._folder / hashlib.sha256(uid.encode("ascii")).hexdigest()

    def _claim(self, home: Path, agreement: Agreement, account: AccountId) -> None:
        wanted = AgreementHolder(uid=agreement.uid, provider=agreement.provider, account=account)
        path = home / _HOLDER
        if not path.exists():
            _keep(path, wanted.to_bytes(), AgreementFault.ANOTHER_ACCOUNT)
        holder = _holder(path)
        if holder.account != account:
            raise AgreementError(AgreementFault.ANOTHER_ACCOUNT)
        if holder.provider != agreement.provider:
            raise AgreementError(AgreementFault.ANOTHER_PROVIDER)

    def _digests(self, uid: Uid) -> frozenset[str]:
        versions = (each.source_sha256 for each in self.versions(uid))
        return frozenset((*versions, *(each.source_sha256 for each in self.amendments(uid))))

    def _version(self, path: Path) -> Agreement:
        try:
            text = read_agreement(_read(path, LIMIT_BYTES))
        except TermsTextError as failure:
            raise AgreementError(AgreementFault.DAMAGED) from failure
        agreement = text.agreement
        if path != self._home(agreement.uid) / _VERSION.format(agreement.version):
            raise AgreementError(AgreementFault.DAMAGED)
        return text.signed(_signatures(path.parent, agreement.source_sha256))

    def _amendments(self, home: Path) -> Iterator[Amendment]:
        for path in sorted(home.glob(_AMENDMENTS)):
            try:
                amendment = read_amendment(_read(path, LIMIT_BYTES))
            except TermsTextError as failure:
                raise AgreementError(AgreementFault.DAMAGED) from failure
            signatures = _signatures(home, amendment.source_sha256)
            yield replace(amendment, signatures=tuple(signatures))


def _signatures(home: Path, text_sha256: str) -> Iterator[Signature]:
    for path in sorted(home.glob(_SIGNATURES)):
        try:
            kept = KeptSignature.from_bytes(_read(path, KeptSignature.LIMIT_BYTES))
        except WireError as failure:
            raise AgreementError(AgreementFault.DAMAGED) from failure
        if kept.signature.signed_sha256 == text_sha256:
            yield kept.signature


def _holder(path: Path) -> AgreementHolder:
    try:
        return AgreementHolder.from_bytes(_read(path, AgreementHolder.LIMIT_BYTES))
    except WireError as failure:
        raise AgreementError(AgreementFault.DAMAGED) from failure


def _keep(path: Path, content: bytes, otherwise: AgreementFault) -> None:
    """Write a file that is never changed again; the same bytes again are nothing new."""
    try:
        with durable(path) as target:
            target.write(content)
    except FileExistsError:
        if path.read_bytes() != content:
            raise AgreementError(otherwise) from None


def _read(path: Path, limit_bytes: int) -> bytes:
    with path.open("rb") as source:
        return source.read(limit_bytes + 1)
