"""The conditions of one submission, gathered on the day that it is examined.

What comes out travels with the material for ever, so nothing that a provider or a person said is
left out of it, and nothing is in it that nobody verified. What the quarantine does not know is held
for an officer: never guessed, never lost. Format: docs/format/12-terms-snapshot.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, Protocol

from amana.wire.errors import WireError
from amana.wire.event import CustodyEvent
from amana.wire.ids import ConsentId, Digest
from amana.wire.manifest import ItemManifest
from amana.wire.note import Attestation, PackageNote
from amana.wire.reasons import ReasonCode
from amana.wire.references import ConsentReference, TermsReference
from amana.wire.snapshot import SnapshotLayer, TermsSnapshot, consent_id
from amana.wire.standing import UNDER_STANDING_TERMS
from amana.wire.submission import SubmissionManifest
from amana.wire.terms_toml import reference_to
from amana.wire.vocabulary import TermsState
from terms.agreement import (
    Agreement,
    IntakeObjection,
    TransmissionMode,
    intake_objections,
    layers_in_force,
)
from terms.consent import ConsentRecord
from terms.layer import Layer
from terms.mandate import STANDING_TERMS
from terms.names import Uid
from worker.agreements import AgreementStore
from worker.opening import Held

_REASONS: Final[Mapping[IntakeObjection, ReasonCode]] = MappingProxyType(
    {
        IntakeObjection.NOT_SIGNED: ReasonCode.AGREEMENT_NOT_IN_FORCE,
        IntakeObjection.NOT_YET_VALID: ReasonCode.AGREEMENT_NOT_IN_FORCE,
        IntakeObjection.INTAKE_CLOSED: ReasonCode.AGREEMENT_LAPSED,
        IntakeObjection.MODE_NOT_AGREED: ReasonCode.MODE_NOT_AGREED,
        IntakeObjection.NATURE_NOT_AGREED: ReasonCode.NATURE_NOT_AGREED,
    }
)


class Given(Protocol):
    """What an opened submission says, as far as conditions go."""

    @property
    def note(self) -> PackageNote:
        """The package note."""
        ...

    @property
    def submission(self) -> SubmissionManifest:
        """The submission manifest."""
        ...

    @property
    def items(self) -> tuple[ItemManifest, ...]:
        """Every item."""
        ...

    @property
    def consents(self) -> tuple[ConsentRecord, ...]:
        """The consent records that came with it, each with the digest that the manifest names."""
        ...

    @property
    def arrival(self) -> CustodyEvent | None:
        """How it arrived at the portal; None for what was carried by hand."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The conditions of a submission, and those of each of its items.

    document: what travels. Whatever is asked of an item is answered from it alone.
    """

    document: TermsSnapshot
    _under: Mapping[TermsReference, TermsReference]
    _agreements: Mapping[TermsReference, Agreement]
    _consents: frozenset[ConsentId]

    def terms(self, item: ItemManifest) -> TermsReference:
        """Give the conditions that an item stands under.

        Another version than the one it came under only where the provider signed that the current
        one is enough; the document then has no other.
        """
        return self._under[item.terms]

    def consents(self, item: ItemManifest) -> tuple[ConsentReference, ...]:
        """Give what is known of each person's consent: what the provider said, nobody left out."""
        return item.consents

    def held(self, item: ItemManifest) -> ReasonCode | None:
        """Tell why an item may not go on yet, though its submission may; None: nothing is wrong.

        CONSENT_UNKNOWN: it names a consent that nobody here holds. NATURE_NOT_AGREED: its agreement
        does not name what its provider says that it is.
        """
        named = {each.consent_id for each in item.consents if each.consent_id is not None}
        if not named <= self._consents:
            return ReasonCode.CONSENT_UNKNOWN
        agreement = self._agreements.get(item.terms)
        nature = item.description.material_type
        if agreement is not None and nature is not None and nature not in agreement.nature:
            return ReasonCode.NATURE_NOT_AGREED
        return None


def take_snapshot(
    opened: Given,
    store: AgreementStore,
    on: date,
    *,
    received_on: date | None = None,
    mode: TransmissionMode | None = None,
    known: Iterable[ConsentRecord] = (),
) -> Snapshot | Held:
    """Give the conditions of a submission as they stand on a day, or why it is held.

    on: the day of the snapshot. received_on: the day on which the quarantine first had it; intake
    is judged by the portal's day, else by this one, else by `on`. mode: how it came, where a person
    knows better than `came_by`. known: consent records verified before, for items that name them.
    Held: TERMS_UNKNOWN for an agreement that is not known in that very text, ACCOUNT_DISAGREES for
    another account's, AGREEMENT_NOT_IN_FORCE for one that is not signed or has not begun,
    AGREEMENT_LAPSED when its intake is over, MODE_NOT_AGREED; CONSENT_UNKNOWN for a record with
    words that nobody verified, or of which there are two texts. AgreementError: the store is
    damaged.
    """
    submission = opened.submission
    came_on = received_on or on if opened.arrival is None else opened.arrival.on
    intake = _Intake(mode=mode or came_by(opened), on=came_on)
    gathered = _Gathered(opened, store, on, intake)
    consents = _persons(opened, known)
    if gathered.objection is not None:
        return Held(reason=gathered.objection, submission=submission.submission_id)
    if consents is None:
        return Held(reason=ReasonCode.CONSENT_UNKNOWN, submission=submission.submission_id)
    batch = (SnapshotLayer(layer=each, source_sha256=None) for each in submission.batch_terms)
    try:
        document = TermsSnapshot(
            submission_id=submission.submission_id,
            deployment=submission.deployment,
            taken_on=on,
            layers=(*gathered.layers.values(), *batch),
            consents=tuple(consents.values()),
        )
    except WireError:
        # More layers or records than a snapshot holds.
        reason = ReasonCode.SUBMISSION_MANIFEST_DISAGREES
        return Held(reason=reason, submission=submission.submission_id)
    return Snapshot(
        document=document,
        _under=MappingProxyType(gathered.under),
        _agreements=MappingProxyType(gathered.agreements),
        _consents=frozenset(consents),
    )


def came_by(opened: Given) -> TransmissionMode:
    """Tell how a submission came: by hand where no portal took it in, else by form or client."""
    if opened.arrival is None:
        return TransmissionMode.COURIER
    if opened.note.attestation is Attestation.SIGNED:
        return TransmissionMode.CLIENT
    return TransmissionMode.TOR_WEB


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intake:
    """How and when something came: what an agreement is asked about."""

    mode: TransmissionMode
    on: date

    def objection(self, agreement: Agreement) -> ReasonCode | None:
        """Give the first reason to hold it; the nature is each item's own: Snapshot.held."""
        found = intake_objections(agreement, nature=None, mode=self.mode, on=self.on)
        return next((reason for each, reason in _REASONS.items() if each in found), None)


class _Gathered:
    """The layers of everything that a submission names, or the first objection to one of them."""

    def __init__(self, opened: Given, store: AgreementStore, on: date, intake: _Intake) -> None:
        self._opened = opened
        self._store = store
        self._on = on
        self._intake = intake
        self.layers: dict[tuple[Uid, int], SnapshotLayer] = {}
        self.under: dict[TermsReference, TermsReference] = {}
        self.agreements: dict[TermsReference, Agreement] = {}
        references = {opened.submission.terms, *(item.terms for item in opened.items)}
        self.objection = next(filter(None, map(self._gather, sorted(references, key=repr))), None)

    def _gather(self, reference: TermsReference) -> ReasonCode | None:
        """Take in what one reference names; give the reason if that cannot be."""
        self.under[reference] = reference
        match reference.state:
            case TermsState.UNKNOWN:
                return None
            case TermsState.STANDING:
                if reference != UNDER_STANDING_TERMS:
                    return ReasonCode.TERMS_UNKNOWN
                self._add(STANDING_TERMS, None)
                return None
            case TermsState.AGREEMENT:
                return self._gather_agreement(reference)

    def _gather_agreement(self, reference: TermsReference) -> ReasonCode | None:
        found = None if reference.named is None else self._store.find(reference.named)
        holder = None if found is None else self._store.holder(found.uid)
        if found is None or holder is None:
            return ReasonCode.TERMS_UNKNOWN
        if holder.account != self._opened.note.account:
            return ReasonCode.ACCOUNT_DISAGREES
        if (reason := self._intake.objection(found)) is not None:
            return reason
        self.agreements[reference] = found
        current = self._store.current(found.uid, self._on)
        if current is None or current.version < found.version:
            current = found
        layers = layers_in_force(
            snapshot=found,
            current=current,
            batch=Uid(self._opened.submission.submission_id),
            amendments=self._store.amendments(found.uid),
        )
        texts = {each.version: Digest(each.source_sha256) for each in (found, current)}
        for layer in layers:
            self._add(layer, texts[layer.version])
        if found.version not in {layer.version for layer in layers}:
            named = reference_to(current)
            self.under[reference] = TermsReference(state=TermsState.AGREEMENT, named=named)
        return None

    def _add(self, layer: Layer, source_sha256: Digest | None) -> None:
        kept = SnapshotLayer(layer=layer, source_sha256=source_sha256)
        self.layers[layer.uid, layer.version] = kept


def _persons(
    opened: Given, known: Iterable[ConsentRecord]
) -> dict[ConsentId, ConsentRecord] | None:
    """Give every record that came, and those known before that items name; None: not believed."""
    consents = {consent_id(each): each for each in opened.consents}
    if any(event.counter is not None for each in consents.values() for event in each.events):
        # A counter says that the person's own signature was verified; here nobody did.
        return None
    named = {_.consent_id for item in opened.items for _ in item.consents}
    for each in known:
        name = consent_id(each)
        if consents.get(name, each) != each:
            return None
        if name in named:
            consents[name] = each
    return consents
