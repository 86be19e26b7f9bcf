"""Under what a tree is given: its agreement, the persons' consents, its handling class.

What is read here goes into every item's manifest, and the documents themselves go along sealed.
What contradicts is refused before anything is sealed; who really signed is asked in the quarantine.
Formats: docs/format/07-manifests.md, 27-terms-toml.md.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from amana.wire.consent_toml import read_consent
from amana.wire.errors import TermsTextError
from amana.wire.ids import AccountId, ConsentId, ContentSha256
from amana.wire.references import ConsentReference, TermsReference
from amana.wire.sealed import RecordKind
from amana.wire.snapshot import consent_document, consent_id
from amana.wire.terms_toml import AgreementText, read_agreement
from amana.wire.toml_table import LIMIT_BYTES
from amana.wire.vocabulary import ConsentBasis, TermsState
from client.errors import ConditionsError, shown
from client.tree import Entry
from terms.agreement import (
    Agreement,
    IntakeObjection,
    Signature,
    SignatureKind,
    TransmissionMode,
    agreement_layer,
    intake_objections,
)
from terms.consent import ConsentRecord, consent_layer
from terms.evaluate import evaluate
from terms.facts import Facts
from terms.layer import Layer, Terms
from terms.vocabulary import Action, Effect, HandlingClass, Purpose, RecipientKind

UNKNOWN_TERMS: Final = TermsReference(state=TermsState.UNKNOWN, named=None)
UNKNOWN_CONSENT: Final = ConsentReference(
    state=ConsentBasis.UNKNOWN, consent_id=None, exempt_reason=None
)

_OBJECTIONS: Final = {
    IntakeObjection.NOT_SIGNED: "agreement-not-signed",
    IntakeObjection.NOT_YET_VALID: "agreement-not-yet-valid",
    IntakeObjection.INTAKE_CLOSED: "agreement-intake-closed",
    IntakeObjection.NATURE_NOT_AGREED: "agreement-nature-not-agreed",
    IntakeObjection.MODE_NOT_AGREED: "agreement-mode-not-agreed",
}

MOST_PERSONS: Final = 256
"""Most persons of one item (docs/format/07-manifests.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideDocument:
    """A document that goes beside the material, sealed alone."""

    kind: RecordKind
    consent_id: ConsentId | None
    content: bytes

    @property
    def sha256(self) -> ContentSha256:
        """By which the submission manifest names it."""
        return ContentSha256(hashlib.sha256(self.content).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedConsent:
    """A person's consent, and the place below which it is about; None: about everything."""

    record: ConsentRecord
    place: bytes | None

    def concerns(self, entry: Entry) -> bool:
        """Tell whether an entry lies at the place or below it."""
        place = self.place
        return place is None or entry.path == place or entry.path.startswith(place + b"/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Under what a tree is given."""

    terms: TermsReference = UNKNOWN_TERMS
    consents: tuple[PlacedConsent, ...] = ()
    handling_class: HandlingClass | None = None
    documents: tuple[SideDocument, ...] = ()

    def consents_of(self, entry: Entry) -> tuple[ConsentReference, ...]:
        """Give what an item says of the persons in it; that nobody is known is said as well."""
        persons = {consent_id(_.record): None for _ in self.consents if _.concerns(entry)}
        recorded = tuple(
            ConsentReference(state=ConsentBasis.RECORDED, consent_id=each, exempt_reason=None)
            for each in persons
        )
        return recorded or (UNKNOWN_CONSENT,)


NOTHING_KNOWN: Final = Conditions()
"""Neither terms nor anybody's consent: legal, kept, and never shared."""


def load_conditions(
    agreement: Path | None,
    consents: Iterable[tuple[Path, Path | None]],
    handling_class: HandlingClass | None,
    *,
    account: AccountId,
    on: date,
) -> Conditions:
    """Read what a tree is to be given under.

    consents: a file for each person, and the place that it is about, None for everything.
    ConditionsError: a file is missing or is not what it should be; the agreement is another
    account's, has not begun, takes nothing any more, or takes nothing this way; one of them forbids
    that material is kept and handed on; one person is there twice in two ways.
    """
    text = None if agreement is None else _agreement(agreement, account, on)
    persons = tuple(_person(path, place) for path, place in consents)
    records = _one_for_each(persons)
    layers = () if text is None else (agreement_layer(_as_if_signed(text, on)),)
    _require_keeping((*layers, *map(consent_layer, records)), on)
    documents = [] if text is None else [_agreement_document(text)]
    documents += [
        SideDocument(
            kind=RecordKind.CONSENT, consent_id=consent_id(each), content=consent_document(each)
        )
        for each in records
    ]
    if len(records) > MOST_PERSONS:
        raise ConditionsError("too-many-consents", count=len(records), most=MOST_PERSONS)
    return Conditions(
        terms=UNKNOWN_TERMS
        if text is None
        else TermsReference(state=TermsState.AGREEMENT, named=text.ref),
        consents=persons,
        handling_class=handling_class,
        documents=tuple(documents),
    )


def require_places(conditions: Conditions, entries: Sequence[Entry]) -> None:
    """ConditionsError: a consent is about a place where nothing is sealed."""
    for each in conditions.consents:
        if each.place is not None and not any(each.concerns(entry) for entry in entries):
            raise ConditionsError("consent-for-nothing", name=shown(each.place))


def _agreement(path: Path, account: AccountId, on: date) -> AgreementText:
    try:
        text = read_agreement(read_text(path))
    except TermsTextError as failure:
        raise ConditionsError.in_text(failure, path) from failure
    agreement = text.agreement
    if text.account not in {None, account}:
        raise ConditionsError("agreement-another-account", agreement=agreement.uid)
    # Whether it goes by courier or over Tor is decided later, and by another person perhaps.
    ways = {TransmissionMode.CLIENT, TransmissionMode.COURIER} & agreement.transmission_modes
    objections = intake_objections(
        _as_if_signed(text, on), nature=None, mode=min(ways, default=TransmissionMode.CLIENT), on=on
    )
    for objection in sorted(objections):
        raise ConditionsError(_OBJECTIONS[objection], agreement=agreement.uid, day=on.isoformat())
    return text


def _as_if_signed(text: AgreementText, on: date) -> Agreement:
    """Give the agreement as it would be in force: signatures are known in the quarantine alone."""
    agreement = text.agreement
    signature = Signature(
        kind=SignatureKind.KEY,
        party=agreement.provider,
        signed_on=on,
        signed_sha256=agreement.source_sha256,
    )
    return text.signed([signature])


def _agreement_document(text: AgreementText) -> SideDocument:
    return SideDocument(kind=RecordKind.AGREEMENT, consent_id=None, content=text.source)


def _person(path: Path, place: Path | None) -> PlacedConsent:
    try:
        record = read_consent(read_text(path))
    except TermsTextError as failure:
        raise ConditionsError.in_text(failure, path) from failure
    below = None if place is None else os.path.normpath(os.fsencode(place.absolute()))
    return PlacedConsent(record=record, place=below)


def _one_for_each(persons: Sequence[PlacedConsent]) -> tuple[ConsentRecord, ...]:
    """Give every record once. ConditionsError: one id has two records."""
    records: dict[ConsentId, ConsentRecord] = {}
    for each in persons:
        name = consent_id(each.record)
        if records.setdefault(name, each.record) != each.record:
            raise ConditionsError("consent-twice", consent=name)
    return tuple(records.values())


def _require_keeping(layers: Sequence[Layer], on: date) -> None:
    """ConditionsError, with the rule, where a layer forbids to keep material and hand it on."""
    for layer in layers:
        for act in (Action.ARCHIVE, Action.FORWARD):
            facts = Facts(
                action=act,
                recipient_kind=RecipientKind.MECHANISM,
                purpose=Purpose.STRUCTURAL_INVESTIGATION,
                date=on,
            )
            found = evaluate(terms=Terms(layers=(layer,)), facts=facts)
            for reason in found.because:
                if (reason.layer_uid, reason.effect) == (layer.uid, Effect.DENY):
                    raise ConditionsError(
                        "conditions-forbid", act=act, rule=reason.rule_uid, layer=layer.uid
                    )


def read_text(path: Path) -> bytes:
    """Read a text that a person wrote. ConditionsError: it is missing or cannot be read."""
    try:
        with path.open("rb") as source:
            return source.read(LIMIT_BYTES + 1)
    except FileNotFoundError as failure:
        raise ConditionsError("no-such-file", path=str(path)) from failure
    except OSError as failure:
        raise ConditionsError(
            "file-unreadable", path=str(path), reason=failure.strerror or ""
        ) from failure
