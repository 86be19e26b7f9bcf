"""Take in what lies in a spool: verify all of it, keep it sealed, answer with a signed word.

What is verified is the copy that will be kept, never the spool's own files, which may change. A
package that is refused leaves nothing behind but the refusal. The same package twice is kept once
and acknowledged twice. Steps: docs/format/21-answers.md section 2.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from amana.durable import PART, durable
from amana.wire import package_paths as paths
from amana.wire.acknowledgement import (
    AccessionId,
    AcknowledgedItem,
    ItemFate,
    ItemRefusal,
    PackageAcknowledgement,
    PackageRefusal,
    RefusalReason,
)
from amana.wire.documents import Statement
from amana.wire.ends import QuarantineEnd
from amana.wire.errors import WireError
from amana.wire.ids import Digest, random_id
from amana.wire.package import PackageId
from amana.wire.signers import SIGNATURES_LIMIT_BYTES, read_signed
from amana.wire.spool import ANSWER, COMMIT
from repository.errors import RefusedError
from repository.inner import Item, PackageReader
from repository.keys import RepositoryKeys
from repository.outer import (
    Outside,
    judge_outside,
    judge_sealed,
    open_plain,
    read_seal,
    sealed_digest,
)
from repository.store import ACKNOWLEDGEMENT, BAG, Store
from terms.evaluate import evaluate
from terms.facts import Facts
from terms.names import Uid
from terms.vocabulary import Action, Effect

_MARK: Final = re.compile(rf"([0-9a-f]{{64}}){re.escape(COMMIT)}", re.ASCII)
_ANSWER_LIMIT_BYTES: Final = PackageAcknowledgement.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A package is kept. is_new: false where it was kept before."""

    word: PackageAcknowledgement
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A package is not taken, and nothing of it was kept."""

    word: PackageRefusal


class Receiver:
    """Takes packages into one store and writes answers into one folder."""

    def __init__(
        self, store: Store, answers: Path, *, keys: RepositoryKeys, end: QuarantineEnd
    ) -> None:
        self._store = store
        self._answers = answers
        self._keys = keys
        self._end = end

    def receive_all(self, spool: Path, on: date) -> Iterator[Received | Refused]:
        """Take in every package of the spool that has its mark and no answer of ours yet.

        The answer is on the disk when it is given here. A folder without its mark is not looked at.
        """
        for package_id in marked(spool):
            if result := self.receive_unanswered(spool / package_id, package_id, on):
                yield result

    def receive_unanswered(
        self, folder: Path, package_id: PackageId, on: date
    ) -> Received | Refused | None:
        """Take in one package and answer, unless it has our acknowledgement: None."""
        if self._is_answered(folder, package_id):
            return None
        return self.receive(folder, package_id, on)

    def receive(self, folder: Path, package_id: PackageId, on: date) -> Received | Refused:
        """Take in one package that lies under its id, and answer."""
        try:
            result: Received | Refused = self._take(folder, package_id, on)
        except RefusedError as failure:
            result = Refused(word=self._refusal(folder, package_id, failure.reason, on))
        self._write_answer(package_id, _signed(result.word, self._keys))
        return result

    def _take(self, folder: Path, package_id: PackageId, on: date) -> Received:
        with self._store.incoming() as incoming:
            bag = incoming / BAG
            outside = self._copy(folder, bag)
            sealed = outside.sealed
            if sealed.package_id != package_id:
                raise RefusedError(RefusalReason.PACKAGE_ID_DISAGREES)
            with (bag / paths.SEALED).open("rb") as source:
                reader = PackageReader(source, self._keys.identity, sealed, self._end)
                items = tuple(map(_fate, reader.items()))
                reader.material()
            word = PackageAcknowledgement(
                package_id=package_id,
                sealed_size=sealed.sealed_size,
                sealed_sha256=sealed.sealed_sha256,
                deployment=sealed.deployment,
                accession_id=self._accession(package_id),
                received_on=on,
                items=items,
            )
            if self._store.has(package_id):
                return Received(word=word, is_new=False)
            with durable(incoming / ACKNOWLEDGEMENT) as target:
                target.write(_signed(word, self._keys))
            self._store.keep(incoming, package_id)
            return Received(word=word, is_new=True)

    def _copy(self, folder: Path, bag: Path) -> Outside:
        for place in (bag, bag / "data", bag / "seal"):
            place.mkdir(mode=0o700)
        outside = judge_outside(folder, self._end)
        with (
            open_plain(folder / paths.SEALED) as source,
            durable(bag / paths.SEALED) as target,
        ):
            judge_sealed(source, outside.sealed, target.write)
        for name, raw in outside.tags.items():
            with durable(bag / name) as target:
                target.write(raw)
        return outside

    def _accession(self, package_id: PackageId) -> AccessionId:
        """Give the id under which the package is kept, or a new one."""
        if not self._store.has(package_id):
            return random_id(AccessionId)
        kept = (self._store.place(package_id) / ACKNOWLEDGEMENT).read_bytes()
        return read_signed(PackageAcknowledgement, kept, self._keys.signer.key).accession_id

    def _refusal(
        self, folder: Path, package_id: PackageId, reason: RefusalReason, on: date
    ) -> PackageRefusal:
        found = sealed_digest(folder)
        return PackageRefusal(
            package_id=package_id,
            sealed_sha256=None if found is None else Digest(found),
            deployment=self._keys.deployment,
            refused_on=on,
            reason=reason,
        )

    def _is_answered(self, folder: Path, package_id: PackageId) -> bool:
        """Tell whether our own acknowledgement of these sealed bytes lies there already."""
        try:
            with (self._answers / f"{package_id}{ANSWER}").open("rb") as source:
                answer = source.read(_ANSWER_LIMIT_BYTES + 1)
            word = read_signed(PackageAcknowledgement, answer, self._keys.signer.key)
            return word.sealed_sha256 == read_seal(folder, self._end).sealed_sha256
        except (FileNotFoundError, WireError, RefusedError):
            return False

    def _write_answer(self, package_id: PackageId, note: bytes) -> None:
        fresh = self._answers / f".{package_id}{PART}"
        fresh.unlink(missing_ok=True)
        with durable(fresh) as target:
            target.write(note)
        fresh.replace(self._answers / f"{package_id}{ANSWER}")


def marked(spool: Path) -> Iterator[PackageId]:
    """Give each package that has its mark in a spool, in the order of their ids."""
    for mark in sorted(spool.iterdir()):
        if found := _MARK.fullmatch(mark.name):
            yield PackageId(found[1])


def _fate(item: Item) -> AcknowledgedItem:
    """Judge one item: the repository registers nothing that its conditions do not let it keep."""
    facts = Facts(
        action=Action.ARCHIVE,
        item=Uid(item.packaged.item_id),
        handling_class=item.packaged.handling_class,
    )
    is_kept = evaluate(terms=item.terms, facts=facts).decision is Effect.PERMIT
    return AcknowledgedItem(
        registration=item.packaged.registration,
        fate=ItemFate.ACCEPTED if is_kept else ItemFate.REFUSED,
        reason=None if is_kept else ItemRefusal.KEEPING_NOT_PERMITTED,
    )


def _signed(word: Statement, keys: RepositoryKeys) -> bytes:
    return keys.signer.sign(word.to_bytes().decode()).to_bytes()
