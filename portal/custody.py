"""What the portal signs: notes that it observed, receipts, its log; and its keys for that.

The only module of the intake that holds a private key. These keys open nothing: who steals them can
claim that something came in, never read what did. Formats: docs/format/08-package-note.md, 10, 11,
and 18 section 5 for the key file.
"""

import os
import secrets
import stat
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import ClassVar, Final, NewType, Self

from amana.durable import durable
from amana.web.tokens import SECRET_BYTES
from amana.wire.documents import Document, carries, record
from amana.wire.errors import WireError
from amana.wire.event import Agent, CustodyEvent, EventType, Outcome, Role, Thing, ThingKind
from amana.wire.fields import Base64, Text
from amana.wire.ids import LogOrigin, ReceiptId, ThingId, random_id, random_salt
from amana.wire.note import PackageNote
from amana.wire.receipt import ReceiptR1
from amana.wire.signers import key_id
from crypto.checkpoint import Checkpoint
from crypto.errors import KeyFormatError
from crypto.note import DualKey, SignedNote
from crypto.sign import SEED_BYTES, LogSigner, NoteSigner, SigningSeeds
from portal.errors import KeysError

STATUS_VOCABULARY: Final = 1
"""Version of the words of a status (docs/format/13-terms.md section 12)."""

_MERGED_WITHIN: Final = timedelta(days=1)  # docs/format/10-receipts.md: by the next day

_Seed = NewType("_Seed", bytes)
_SEED: Final = Base64(_Seed, SEED_BYTES, SEED_BYTES)


@record
class _KeyFile(Document):
    """The portal's keys as they lie on its disk."""

    FORMAT: ClassVar = "amana/portal-keys/v2"
    LIMIT_BYTES: ClassVar = 4_096

    name: str = carries(Text(255), "The signer's name.")
    ed25519: _Seed = carries(_SEED, "The Ed25519 seed.")
    mldsa44: _Seed = carries(_SEED, "The ML-DSA-44 seed.")
    log_ed25519: _Seed = carries(_SEED, "The Ed25519 seed of the log.")
    log_mldsa44: _Seed = carries(_SEED, "The ML-DSA-44 seed of the log.")
    form_secret: _Seed = carries(_SEED, "What form tokens are signed with.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalKeys:
    """The portal's signer, the seeds of its log's, and the secret of its forms."""

    signer: NoteSigner = field(repr=False)
    log_seeds: SigningSeeds = field(repr=False)
    form_secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, name: str) -> Self:
        """Make new keys. KeyFormatError: the name can be no signer's."""
        return cls(
            signer=NoteSigner.generate(name),
            log_seeds=SigningSeeds.generate(),
            form_secret=secrets.token_bytes(SECRET_BYTES),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the key file. KeysError: missing, malformed, or readable by others."""
        try:
            with path.open("rb") as source:
                is_loose = stat.S_IMODE(os.fstat(source.fileno()).st_mode) & 0o077
                untrusted = source.read(_KeyFile.LIMIT_BYTES + 1)
        except FileNotFoundError as failure:
            raise KeysError("the portal has no keys yet: amana portal init") from failure
        if is_loose:
            raise KeysError("others can read the portal's keys")
        try:
            kept = _KeyFile.from_bytes(untrusted)
            signer = NoteSigner.from_seeds(
                kept.name, ed25519_seed=kept.ed25519, mldsa_seed=kept.mldsa44
            )
        except (WireError, KeyFormatError) as failure:
            raise KeysError("the portal's key file is malformed") from failure
        seeds = SigningSeeds(ed25519=kept.log_ed25519, mldsa=kept.log_mldsa44)
        return cls(signer=signer, log_seeds=seeds, form_secret=kept.form_secret)

    def save(self, path: Path) -> None:
        """Write a new key file. FileExistsError: there is one; keys are never overwritten."""
        kept = _KeyFile(
            name=self.public.name,
            ed25519=_Seed(self.signer.seeds.ed25519),
            mldsa44=_Seed(self.signer.seeds.mldsa),
            log_ed25519=_Seed(self.log_seeds.ed25519),
            log_mldsa44=_Seed(self.log_seeds.mldsa),
            form_secret=_Seed(self.form_secret),
        )
        with durable(path) as target:
            target.write(kept.to_bytes())

    @property
    def public(self) -> DualKey:
        """The public half, which the directory certifies."""
        return self.signer.key

    def log_key(self, log: LogOrigin) -> DualKey:
        """Give the public half of the log's key, which the quarantine pins."""
        return self._log(log).key

    def publish(self, checkpoint: Checkpoint, on: date) -> SignedNote:
        """Sign the state of the log, with no time but the day's beginning.

        The database only appends to the log (amana.store.log): so no two of what this signs
        contradict each other, as C2SP tlog-checkpoint demands.
        """
        midnight = datetime.combine(on, time(), UTC)
        signer = self._log(LogOrigin(checkpoint.origin))
        return signer.sign(checkpoint, at=int(midnight.timestamp()))

    def _log(self, log: LogOrigin) -> LogSigner:
        return LogSigner.from_seeds(log, self.log_seeds)

    def observe(self, note: PackageNote) -> SignedNote:
        """Sign a note as what the portal saw."""
        return self.signer.sign(note.to_bytes().decode("utf-8"))

    def arrival(self, note: PackageNote, on: date | None = None) -> CustodyEvent:
        """Give the custody event that this submission came in.

        on: the day, for a note that a member signed; one that the portal observed has its own.
        """
        day = note.received_on or on
        if day is None:
            raise KeysError("a day is needed for a note that has none")
        return CustodyEvent.of(
            salt=random_salt(),
            type=EventType.TRANSFER,
            thing=Thing(kind=ThingKind.SUBMISSION, id=ThingId(note.submission_id)),
            deployment=note.deployment,
            on=day,
            agent=Agent(role=Role.PORTAL, key_id=key_id(self.public)),
            digest_after=note.digest,
            outcome=Outcome.SUCCESS,
        )

    def receipt(
        self,
        note: PackageNote,
        event: CustodyEvent,
        log: LogOrigin,
        merged_within: timedelta = _MERGED_WITHIN,
    ) -> SignedNote:
        """Give R1: the promise that the event's leaf will be in this log, by the next day or so."""
        receipt = ReceiptR1(
            receipt_id=random_id(ReceiptId),
            submission_id=note.submission_id,
            note_sha256=note.digest,
            log=log,
            event=event,
            merged_by=event.on + merged_within,
            status_vocabulary=STATUS_VOCABULARY,
        )
        return self.signer.sign(receipt.to_bytes().decode("utf-8"))
