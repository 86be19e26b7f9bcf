"""An agreement (memorandum of understanding) between a provider and the Mechanism, as data.

Four parts, as in the Mechanism's practice (A/74/699 para. 32): the nature of the material, the
modes of its transmission, the conditions of its use, the conditions of its sharing. Signatures are
verified elsewhere; here it is only asked whose are there, and over which text. Format:
docs/format/13-terms.md section 10.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from terms.errors import ContradictionError
from terms.layer import Layer, LayerKind, require_own_names
from terms.names import Digest, Uid
from terms.rule import Rule, by_date
from terms.vocabulary import CUSTODY_ACTS, INSIDE_ACTS, SHARING_ACTS, Action, Duty, Effect, Operator


class Material(StrEnum):
    """The nature of an item."""

    DOCUMENT = "DOCUMENT"
    PHOTOGRAPH = "PHOTOGRAPH"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    SATELLITE_IMAGERY = "SATELLITE_IMAGERY"
    STATEMENT = "STATEMENT"
    OPEN_SOURCE = "OPEN_SOURCE"
    DATABASE = "DATABASE"
    DEVICE_IMAGE = "DEVICE_IMAGE"
    OTHER = "OTHER"


class TransmissionMode(StrEnum):
    """How material comes."""

    TOR_WEB = "TOR_WEB"
    CLIENT = "CLIENT"
    COURIER = "COURIER"
    UN_SHARE = "UN_SHARE"


class Attribution(StrEnum):
    """How the provider may be named when something is shared."""

    NAMED = "NAMED"
    ORGANISATION_ONLY = "ORGANISATION_ONLY"
    ANONYMISED = "ANONYMISED"


class DerivedProducts(StrEnum):
    """Whether something may be made of the material, and that be shared."""

    ALLOWED = "ALLOWED"
    ASK = "ASK"
    NO = "NO"


class OnExpiry(StrEnum):
    """What happens to the material when the agreement has ended."""

    HOLD = "HOLD"
    RETURN = "RETURN"
    DELETE = "DELETE"
    RENEW = "RENEW"


class LawfulBasis(StrEnum):
    """What the provider holds its data on; the article numbers are those of the GDPR."""

    EXPLICIT_CONSENT = "EXPLICIT_CONSENT"  # Art. 9(2)(a)
    VITAL_INTERESTS = "VITAL_INTERESTS"  # Art. 9(2)(c)
    LEGAL_CLAIMS = "LEGAL_CLAIMS"  # Art. 9(2)(f)
    PUBLIC_INTEREST = "PUBLIC_INTEREST"  # Art. 9(2)(g)
    NOT_SUBJECT = "NOT_SUBJECT"


class TransferBasis(StrEnum):
    """What the provider transfers data to an international organisation on (GDPR chapter V)."""

    SAFEGUARDS = "SAFEGUARDS"  # Art. 46
    EXPLICIT_CONSENT = "EXPLICIT_CONSENT"  # Art. 49(1)(a)
    PUBLIC_INTEREST = "PUBLIC_INTEREST"  # Art. 49(1)(d)
    LEGAL_CLAIMS = "LEGAL_CLAIMS"  # Art. 49(1)(e)
    NOT_SUBJECT = "NOT_SUBJECT"


class SignatureKind(StrEnum):
    """How somebody signed."""

    KEY = "KEY"
    OPENPGP = "OPENPGP"
    WET_INK_ATTESTED = "WET_INK_ATTESTED"


ATTESTING_OFFICERS = 2
"""Officers who must attest ink on paper (docs/format/13-terms.md section 10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature that was verified, or ink that at least two officers attest.

    Raises ContradictionError for ink without its officers, and for officers without ink.
    """

    kind: SignatureKind
    party: Uid
    signed_on: dt.date
    signed_sha256: Digest
    attested_by: frozenset[Uid] = frozenset()

    def __post_init__(self) -> None:
        is_ink = self.kind is SignatureKind.WET_INK_ATTESTED
        if len(self.attested_by) < ATTESTING_OFFICERS if is_ink else self.attested_by:
            raise ContradictionError("ink, and only ink, is attested by two officers or more")

    def binds(self, party: Uid, text: Digest) -> bool:
        """Tell whether this is that party's, and over that text."""
        return (self.party, self.signed_sha256) == (party, text)


_DERIVED = Uid("derived-products")
_ON_EXPIRY = Uid("on-expiry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One version of an agreement.

    use_rules speak to custody and inside acts, sharing_rules to sharing acts. intake_until ends
    intake; valid_to ends the agreement, after which its rules go on to govern conditions_survive
    and on_expiry says what becomes of the material. if_dissolved: who answers when the provider is
    no more; None means that nobody does, and silence is no. lawful_basis and transfer_basis are
    None where the provider was not asked. source_sha256: the text that is signed, of which all else
    here is the reading. Raises ContradictionError for a rule in the wrong part, and for one whose
    name is not its own.
    """

    FORMAT: ClassVar[str] = "amana/agreement/v1"

    uid: Uid
    version: int
    provider: Uid
    nature: frozenset[Material]
    transmission_modes: frozenset[TransmissionMode]
    use_rules: tuple[Rule, ...]
    sharing_rules: tuple[Rule, ...]
    attribution: Attribution
    derived_products: DerivedProducts
    valid_from: dt.date
    valid_to: dt.date | None
    intake_until: dt.date | None
    conditions_survive: frozenset[Action]
    on_expiry: OnExpiry
    if_dissolved: Uid | None
    lawful_basis: LawfulBasis | None
    transfer_basis: TransferBasis | None
    source_sha256: Digest
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        use = frozenset[Action]().union(*(rule.actions for rule in self.use_rules))
        sharing = frozenset[Action]().union(*(rule.actions for rule in self.sharing_rules))
        if use - CUSTODY_ACTS - INSIDE_ACTS or sharing - SHARING_ACTS:
            raise ContradictionError("a rule about use or sharing is in the other part")
        made = frozenset({_DERIVED, _ON_EXPIRY})
        require_own_names((*self.use_rules, *self.sharing_rules), made)

    def is_signed(self) -> bool:
        """Tell whether the provider signed this very text; what is not signed is a draft."""
        return any(_.binds(self.provider, self.source_sha256) for _ in self.signatures)


class IntakeObjection(StrEnum):
    """Why something is held at the door; nothing is lost by it."""

    NOT_SIGNED = "NOT_SIGNED"
    NOT_YET_VALID = "NOT_YET_VALID"
    INTAKE_CLOSED = "INTAKE_CLOSED"
    NATURE_NOT_AGREED = "NATURE_NOT_AGREED"
    MODE_NOT_AGREED = "MODE_NOT_AGREED"


def intake_objections(
    agreement: Agreement,
    *,
    nature: Material | None,
    mode: TransmissionMode,
    on: dt.date,
) -> frozenset[IntakeObjection]:
    """Give every reason to hold new material; none means that it may come in.

    nature: None where the provider did not say, which is no objection: it is known after review.
    """
    last_days = (agreement.intake_until, agreement.valid_to)
    claims = {
        IntakeObjection.NOT_SIGNED: not agreement.is_signed(),
        IntakeObjection.NOT_YET_VALID: on < agreement.valid_from,
        IntakeObjection.INTAKE_CLOSED: any(day is not None and on > day for day in last_days),
        IntakeObjection.NATURE_NOT_AGREED: nature is not None and nature not in agreement.nature,
        IntakeObjection.MODE_NOT_AGREED: mode not in agreement.transmission_modes,
    }
    return frozenset(objection for objection, is_so in claims.items() if is_so)


def agreement_layer(agreement: Agreement) -> Layer:
    """Give an agreement as the layer that `terms.evaluate` reads; a draft permits nothing."""
    return Layer(
        kind=LayerKind.AGREEMENT,
        uid=agreement.uid,
        version=agreement.version,
        party=agreement.provider,
        rules=tuple(_rules(agreement)) if agreement.is_signed() else (),
        valid_from=agreement.valid_from,
        valid_to=agreement.valid_to,
        conditions_survive=agreement.conditions_survive | _ending(agreement),
    )


_ENDINGS = {OnExpiry.RETURN: Action.RETURN, OnExpiry.DELETE: Action.DELETE}
_EFFECTS = {DerivedProducts.ASK: Effect.ASK, DerivedProducts.NO: Effect.DENY}
_ATTRIBUTION_DUTIES = {
    Attribution.NAMED: frozenset[Duty](),
    Attribution.ORGANISATION_ONLY: frozenset({Duty.NAME_ORGANISATION_ONLY}),
    Attribution.ANONYMISED: frozenset({Duty.ANONYMISE_SOURCE}),
}


def _ending(agreement: Agreement) -> frozenset[Action]:
    ending = _ENDINGS.get(agreement.on_expiry)
    return frozenset() if ending is None else frozenset({ending})


def _derived(agreement: Agreement) -> Iterator[Rule]:
    effect = _EFFECTS.get(agreement.derived_products)
    if effect is not None:
        acts = frozenset({Action.DERIVE, Action.SHARE_DERIVED})
        yield Rule(uid=_DERIVED, effect=effect, actions=acts)


def _rules(agreement: Agreement) -> Iterator[Rule]:
    yield from agreement.use_rules
    attribution = _ATTRIBUTION_DUTIES[agreement.attribution]
    for rule in (*agreement.sharing_rules, *_derived(agreement)):
        yield replace(rule, duties=rule.duties | attribution)
    ending = _ending(agreement)
    if agreement.valid_to is not None and ending:
        after = (by_date(Operator.GT, agreement.valid_to),)
        yield Rule(uid=_ON_EXPIRY, effect=Effect.PERMIT, actions=ending, constraints=after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """The provider's word that a newer version governs batches that came under an older one.

    to_sha256: the text of that version. source_sha256: the text of this word, which names that
    digest and the batches, and which is signed. Raises ContradictionError where they are one:
    who signs a new version has not thereby said what it is to govern.
    """

    FORMAT: ClassVar[str] = "amana/agreement-amendment/v1"

    uid: Uid
    agreement: Uid
    to_version: int
    to_sha256: Digest
    batches: frozenset[Uid]
    source_sha256: Digest
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        if self.source_sha256 == self.to_sha256:
            raise ContradictionError("an amendment is the text that it puts in force")

    def widens(self, batch: Uid, current: Agreement) -> bool:
        """Tell whether this lets the current version alone govern a batch."""
        to = (current.uid, current.version, current.source_sha256)
        return (
            (self.agreement, self.to_version, self.to_sha256) == to
            and batch in self.batches
            and any(_.binds(current.provider, self.source_sha256) for _ in self.signatures)
        )


def layers_in_force(
    *,
    snapshot: Agreement,
    current: Agreement,
    batch: Uid,
    amendments: Iterable[Amendment],
) -> tuple[Layer, ...]:
    """Give the layers over a batch that came under one version and lives under another.

    Both count, so the stricter wins, unless the provider signed that the current one is enough.
    Raises ContradictionError for versions of two agreements, for a current version that is the
    older one, and for one version that says two things.
    """
    if (snapshot.uid, snapshot.provider) != (current.uid, current.provider):
        raise ContradictionError("these are not two versions of one agreement")
    if snapshot.version > current.version:
        raise ContradictionError("the version in force is older than the one it came under")
    if snapshot.version == current.version and snapshot != current:
        raise ContradictionError("one version of an agreement says two things")
    if snapshot.version == current.version or any(
        amendment.widens(batch, current) for amendment in amendments
    ):
        return (agreement_layer(current),)
    return (agreement_layer(snapshot), agreement_layer(current))
