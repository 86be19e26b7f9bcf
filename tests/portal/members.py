"""An enrolled organisation, what its member seals and signs, and a plain tus client for tests."""

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx

from amana.durable import durable
from amana.wire.card import Audience, CardStatus, KeyCard
from amana.wire.enrolment import PortalAccount, PortalEnrolment
from amana.wire.ids import (
    AccountId,
    Digest,
    LogOrigin,
    ObjectId,
    RecipientText,
    derive_submission_id,
    random_id,
    random_nonce,
)
from amana.wire.note import Attestation, PackageNote
from amana.wire.request import HEADER, request_of, to_header
from amana.wire.sealed import SealedObject
from amana.wire.upload import (
    CHUNK_TYPE,
    OBJECTS_PATH,
    SESSION_PATH,
    SUBMISSIONS_PATH,
    UploadSession,
)
from amana.wire.vocabulary import Deployment
from crypto.opening import HybridIdentity
from crypto.padding import Kind
from crypto.seal import seal
from crypto.sign import NoteSigner
from tests.portal.conftest import TODAY, House

COUNTERS = count(1)
TUS = {"tus-resumable": "1.0.0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignment:
    """What a member has to hand over: the note, signed, and the sealed bytes by object."""

    note: PackageNote
    signed: bytes
    objects: dict[ObjectId, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """One account with one member."""

    account: AccountId
    member: NoteSigner = field(repr=False)
    intake: HybridIdentity = field(repr=False)
    card: KeyCard

    def seal(self, content: bytes, kind: Kind = Kind.RAW) -> bytes:
        return b"".join(seal([content], self.intake.recipient, kind))

    def consign(self, *contents: bytes, signer: NoteSigner | None = None) -> Consignment:
        """Seal contents, and sign the note of them; manifests are stand-ins: nobody opens them."""
        objects: dict[ObjectId, bytes] = {}

        def add(content: bytes, kind: Kind) -> SealedObject:
            object_id = random_id(ObjectId)
            objects[object_id] = self.seal(content, kind)
            return described(object_id, objects[object_id])

        note = PackageNote(
            submission_id=derive_submission_id(random_nonce(), self.account, self.card.card_id),
            account=self.account,
            card=self.card.card_id,
            deployment=Deployment.TRAINING,
            attestation=Attestation.SIGNED,
            received_on=None,
            items_root=Digest(hashlib.sha256(b"root").hexdigest()),
            submission_manifest=add(b"manifest", Kind.RECORD),
            item_manifests=(add(b"items", Kind.RECORD),),
            records=(),
            objects=tuple(add(each, Kind.RAW) for each in contents),
        )
        return Consignment(note=note, signed=self.sign(note, signer), objects=objects)

    def sign(self, note: PackageNote, signer: NoteSigner | None = None) -> bytes:
        return (signer or self.member).sign(note.to_bytes().decode()).to_bytes()

    def request(self, counter: int | None = None, audience: str = "training.invalid/portal") -> str:
        """Give the header that opens a session."""
        request = request_of(
            method="POST",
            path=SESSION_PATH,
            body=b"",
            counter=next(COUNTERS) if counter is None else counter,
            audience=LogOrigin(audience),
            deployment=Deployment.TRAINING,
        )
        return to_header(self.member.sign(request.to_bytes().decode()))


def described(object_id: ObjectId, sealed: bytes) -> SealedObject:
    return SealedObject(
        object_id=object_id,
        sealed_size=len(sealed),
        sealed_sha256=Digest(hashlib.sha256(sealed).hexdigest()),
    )


def organisation(house: House, *, on: dt.date = TODAY) -> Organisation:
    account = random_id(AccountId)
    intake = house.identity
    card = KeyCard(
        audience=Audience.CSO,
        account=account,
        deployment=Deployment.TRAINING,
        recipient=RecipientText(intake.recipient.to_text()),
        valid_from=on,
        valid_to=on + dt.timedelta(days=180),
        status=CardStatus.ACTIVE,
        sequence=1,
        previous=None,
    )
    member = NoteSigner.generate(f"{account}/member-1")
    return Organisation(account=account, member=member, intake=intake, card=card)


def enrol(house: House, *organisations: Organisation, signers: int = 2) -> None:
    """Write the file by which the portal knows these organisations and nobody else."""
    first, *others = house.directory[:signers]
    accounts = []
    for each in sorted(organisations, key=lambda one: one.account):
        note = first.sign(each.card.to_bytes().decode())
        for signer in others:
            note = signer.cosign(note)
        accounts.append(
            PortalAccount(
                account=each.account,
                members=(each.member.key,),
                card=each.card.card_id,
                card_note=note.to_bytes().decode(),
            )
        )
    said = PortalEnrolment(deployment=Deployment.TRAINING, accounts=tuple(accounts))
    fresh = house.places.enrolled.with_suffix(".new")
    with durable(fresh) as target:
        target.write(said.to_bytes())
    fresh.replace(house.places.enrolled)


class Uploader:
    """A client that does what it is told, and nothing by itself."""

    def __init__(self, client: httpx.Client, organisation: Organisation) -> None:
        self.client = client
        self.organisation = organisation
        self.headers = {**TUS, "authorization": f"Bearer {self.session()}"}

    def session(self) -> str:
        answer = self.client.post(SESSION_PATH, headers={HEADER: self.organisation.request()})
        assert answer.status_code == 201, answer.text
        return UploadSession.from_bytes(answer.content).token

    def create(self, length: int, **headers: str) -> httpx.Response:
        return self.client.post(
            OBJECTS_PATH, headers={**self.headers, "upload-length": str(length), **headers}
        )

    def place(self, length: int) -> str:
        answer = self.create(length)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    def offset(self, place: str) -> int:
        answer = self.client.head(place, headers=self.headers)
        assert answer.status_code == 200
        return int(answer.headers["upload-offset"])

    def patch(self, place: str, offset: int, content: bytes, **headers: str) -> httpx.Response:
        own = {"upload-offset": str(offset), "content-type": CHUNK_TYPE}
        return self.client.patch(place, content=content, headers=self.headers | own | headers)

    def put(self, sealed: bytes) -> str:
        place = self.place(len(sealed))
        assert self.patch(place, 0, sealed).status_code == 204
        return place

    def submit(self, signed: bytes) -> httpx.Response:
        return self.client.post(SUBMISSIONS_PATH, content=signed, headers=self.headers)


def kept(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
