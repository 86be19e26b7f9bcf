"""Hand packages over through a folder, and believe no answer but the pinned repository's own.

A package gets its name when all of it is on the disk, and its mark, by which a receiver knows that
it is there, after that; a kill at any moment leaves nothing or a whole package. Nothing may be
deleted but on a verified acknowledgement of this very package in these very sealed bytes.
Format: docs/format/21-answers.md.
"""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from amana.durable import PART, durable, sync_folder
from amana.wire import package_paths as paths
from amana.wire.acknowledgement import PackageAcknowledgement, PackageRefusal
from amana.wire.ends import RepositoryEnd
from amana.wire.errors import WireError
from amana.wire.package import PackageId, SealedPackage
from amana.wire.signers import SIGNATURES_LIMIT_BYTES, read_signed
from amana.wire.spool import ANSWER, COMMIT
from crypto.errors import KeyFormatError
from crypto.note import DualKey
from crypto.recipients import HybridRecipient
from crypto.sign import NoteSigner
from worker.package import Contents, Maker, write_package
from worker.package_errors import AnswerError, PlanError
from worker.package_plan import PackagePlan

_ANSWER_LIMIT_BYTES: Final = PackageAcknowledgement.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The repository has the package. Only Outbox.answer() makes one."""

    sealed: SealedPackage
    word: PackageAcknowledgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The repository does not take the package: keep it, and look why."""

    sealed: SealedPackage
    word: PackageRefusal


class Outbox:
    """The folder in which packages lie until they are acknowledged.

    answers: the folder into which the repository writes. PlanError: the repository's recipient is
    malformed.
    """

    def __init__(
        self, folder: Path, answers: Path, *, repository: RepositoryEnd, signer: NoteSigner
    ) -> None:
        self._folder = folder
        self._answers = answers
        self._repository = repository
        self._signer = signer
        try:
            self._recipient = HybridRecipient.from_text(repository.recipient)
        except KeyFormatError as failure:
            raise PlanError("the repository's recipient is malformed") from failure

    def put(self, plan: PackagePlan, contents: Contents) -> SealedPackage:
        """Make a package and hand it over. Made again, the one that is there already counts.

        PlanError: the material is of another deployment than the repository. MismatchError:
        content is not what its manifest says. Nothing is handed over then.
        """
        if plan.record.deployment is not self._repository.deployment:
            raise PlanError("the repository is of another deployment")
        part = self._folder / f".{secrets.token_hex(8)}{PART}"
        try:
            maker = Maker(recipient=self._recipient, signer=self._signer)
            sealed = write_package(plan, contents, maker, part)
            place = self._folder / sealed.package_id
            if place.exists():
                sealed = self.sealed(sealed.package_id)
            else:
                part.rename(place)
                sync_folder(self._folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        mark = self._mark(sealed.package_id)
        if not mark.exists():
            with durable(mark):
                pass
        return sealed

    def sweep(self) -> None:
        """Remove what a kill left of packages that never got their name.

        Only for whoever alone writes into the folder, between two packages.
        """
        for part in self._folder.glob(f".*{PART}"):
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part, ignore_errors=True)

    def sealed(self, package_id: PackageId) -> SealedPackage:
        """Give our own note on a package that was handed over.

        AnswerError: there is no such package, or the note on it is not ours.
        """
        limit = SealedPackage.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES
        try:
            untrusted = _read(self._folder / package_id / paths.SEAL_NOTE, limit)
            sealed = read_signed(SealedPackage, untrusted, self._signer.key)
        except (FileNotFoundError, WireError) as failure:
            raise AnswerError("there is no such package with a note of ours") from failure
        if sealed.package_id != package_id:
            raise AnswerError("a package lies under another's name")
        return sealed

    def answer(self, package_id: PackageId) -> Acknowledged | Refused | None:
        """Give the repository's answer; None when there is none yet.

        AnswerError: it is not the pinned repository's word, or on another package or other bytes:
        one that was replayed, swapped or signed with an old key. Everything stays where it is.
        """
        sealed = self.sealed(package_id)
        try:
            untrusted = _read(self._answers / f"{package_id}{ANSWER}", _ANSWER_LIMIT_BYTES)
        except FileNotFoundError:
            return None
        word = _word(untrusted, self._repository.signer)
        said = (word.package_id, word.sealed_sha256, word.deployment)
        is_refusal = isinstance(word, PackageRefusal)
        if is_refusal and word.sealed_sha256 is None:
            said = (word.package_id, sealed.sealed_sha256, word.deployment)
        if said != (sealed.package_id, sealed.sealed_sha256, sealed.deployment):
            raise AnswerError("the answer is on another package, or on other bytes")
        if isinstance(word, PackageRefusal):
            return Refused(sealed=sealed, word=word)
        if word.sealed_size != sealed.sealed_size:
            raise AnswerError("the answer is on bytes of another size")
        return Acknowledged(sealed=sealed, word=word)

    def clear(self, acknowledged: Acknowledged) -> None:
        """Remove a package from the folder once the repository has it. Done twice, it is done."""
        self.withdraw(acknowledged.sealed.package_id)

    def withdraw(self, package_id: PackageId) -> None:
        """Remove a package that is not to be received any more. Done twice, it is done.

        It is a copy: what it was made of lies sealed in the quarantine.
        """
        # The mark goes first: a receiver must never meet a package of which a part is gone.
        self._mark(package_id).unlink(missing_ok=True)
        sync_folder(self._folder)
        shutil.rmtree(self._folder / package_id, ignore_errors=True)
        sync_folder(self._folder)

    def _mark(self, package_id: PackageId) -> Path:
        return self._folder / f"{package_id}{COMMIT}"


def _word(untrusted: bytes, key: DualKey) -> PackageAcknowledgement | PackageRefusal:
    try:
        if untrusted.startswith(f"{PackageRefusal.FORMAT}\n".encode()):
            return read_signed(PackageRefusal, untrusted, key)
        return read_signed(PackageAcknowledgement, untrusted, key)
    except WireError as failure:
        raise AnswerError("the answer is not the pinned repository's word") from failure


def _read(path: Path, limit_bytes: int) -> bytes:
    with path.open("rb") as source:
        return source.read(limit_bytes + 1)
