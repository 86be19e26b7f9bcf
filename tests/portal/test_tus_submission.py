"""From uploads to a submission: whole or not at all, once, byte for byte, with a receipt."""

import dataclasses
import time
from collections.abc import Callable

import httpx
import pytest

from amana.store.engine import open_database
from amana.store.log import frontier, inclusion_proof
from amana.wire.event import CustodyEvent, EventType
from amana.wire.ids import AccountId, random_id
from amana.wire.note import PackageNote
from amana.wire.receipt import ReceiptR1
from amana.wire.signers import read_signed
from amana.wire.upload import MissingObjects, UploadFault, UploadRefused, receipt_path
from amana.wire.vocabulary import Deployment
from crypto.opening import open_object
from crypto.sign import NoteSigner
from portal.limits import UploadLimits
from tests.portal.conftest import House, Site
from tests.portal.members import Consignment, Organisation, Uploader, enrol, kept, organisation

LIMITS = UploadLimits(witness_bytes=0)


@pytest.fixture
def cso(house: House) -> Organisation:
    made = organisation(house)
    enrol(house, made)
    return made


@pytest.fixture
def uploader(serve: Callable[..., Site], cso: Organisation) -> Uploader:
    return Uploader(serve(upload_limits=LIMITS).client, cso)


def fault(answer: httpx.Response) -> UploadFault:
    return UploadRefused.from_bytes(answer.content).fault


def send_all(uploader: Uploader, given: Consignment) -> httpx.Response:
    for sealed in given.objects.values():
        uploader.put(sealed)
    return uploader.submit(given.signed)


async def is_in_log(house: House, receipt: ReceiptR1) -> bool:
    database = open_database(house.settings.portal.database_url)
    async with database.read() as connection:
        size = (await frontier(connection)).size
        proof = await inclusion_proof(connection, receipt.event.leaf, size)
    await database.close()
    return proof is not None


async def test_a_submission_lies_there_byte_for_byte(uploader: Uploader, house: House) -> None:
    given = uploader.organisation.consign(b"a photograph", b"a film")
    answer = send_all(uploader, given)
    assert answer.status_code == 200
    expected = {f"objects/{each}.age": sealed for each, sealed in given.objects.items()}
    expected["package.note"] = given.signed
    assert kept(house.places.bundle(given.note.submission_id)) == expected
    assert list(house.places.uploads.iterdir()) == []
    assert list(house.places.receiving.iterdir()) == []
    receipt = read_signed(ReceiptR1, answer.content, house.keys.public)
    assert await is_in_log(house, receipt)


def test_the_receipt_is_about_this_note_and_its_event_is_sealed_to_the_card(
    uploader: Uploader, house: House
) -> None:
    given = uploader.organisation.consign(b"a photograph")
    receipt = read_signed(ReceiptR1, send_all(uploader, given).content, house.keys.public)
    assert receipt.submission_id == given.note.submission_id
    assert receipt.note_sha256 == given.note.digest
    assert receipt.merged_by == receipt.event.on == house.clock.now().date()
    with house.places.event(given.note.submission_id).open("rb") as source:
        event = CustodyEvent.from_bytes(b"".join(open_object(source, house.identity)))
    assert event == receipt.event
    assert (event.type, event.at) == (EventType.TRANSFER, None)


def test_the_same_note_again_gives_the_same_receipt_and_so_does_its_address(
    uploader: Uploader,
) -> None:
    given = uploader.organisation.consign(b"a photograph")
    first = send_all(uploader, given)
    assert uploader.submit(given.signed).content == first.content
    # Signed anew the text is the same, and the text is what counts.
    assert uploader.submit(uploader.organisation.sign(given.note)).content == first.content
    place = receipt_path(given.note.submission_id)
    assert uploader.client.get(place, headers=uploader.headers).content == first.content


@pytest.mark.threat("T-06")
def test_nothing_is_taken_while_something_is_missing(uploader: Uploader, house: House) -> None:
    given = uploader.organisation.consign(b"a photograph", b"a film")
    answer = uploader.submit(given.signed)
    assert answer.status_code == 409
    missing = MissingObjects.from_bytes(answer.content)
    assert missing.missing == tuple(each.object_id for each in given.note.everything())
    first, *others = missing.missing
    for each in others:
        uploader.put(given.objects[each])
    sealed = given.objects[first]
    place = uploader.place(len(sealed))
    uploader.patch(place, 0, sealed[:-1])
    answer = uploader.submit(given.signed)
    assert MissingObjects.from_bytes(answer.content).missing == (first,)
    assert list(house.places.received.iterdir()) == []
    uploader.patch(place, len(sealed) - 1, sealed[-1:])
    assert uploader.submit(given.signed).status_code == 200


def test_bytes_that_differ_are_missing(uploader: Uploader) -> None:
    given = uploader.organisation.consign()
    for object_id, sealed in given.objects.items():
        is_manifest = object_id == given.note.submission_manifest.object_id
        uploader.put(sealed[:-1] + bytes([sealed[-1] ^ 1]) if is_manifest else sealed)
    answer = uploader.submit(given.signed)
    missing = MissingObjects.from_bytes(answer.content).missing
    assert missing == (given.note.submission_manifest.object_id,)


@pytest.mark.threat("T-08")
def test_a_note_that_no_member_signed_is_refused_and_the_uploads_stay(
    uploader: Uploader, house: House
) -> None:
    cso = uploader.organisation
    given = cso.consign(b"a photograph")
    stranger = cso.sign(given.note, NoteSigner.generate(f"{cso.account}/member-2"))
    namesake = cso.sign(given.note, NoteSigner.generate(cso.member.key.name))
    for sealed in given.objects.values():
        uploader.put(sealed)
    for wrong in (stranger, namesake, given.signed + stranger.split(b"\n\n", 1)[1]):
        answer = uploader.submit(wrong)
        assert (answer.status_code, fault(answer)) == (422, UploadFault.NOTE_UNSIGNED)
    one_line = given.signed[: given.signed.rindex(b"\n", 0, -1) + 1]
    assert fault(uploader.submit(one_line)) is UploadFault.NOTE_UNSIGNED
    assert len(list(house.places.uploads.iterdir())) == len(given.objects)
    assert uploader.submit(given.signed).status_code == 200


def changed(given: Consignment, cso: Organisation, **fields: object) -> bytes:
    values = {each.name: getattr(given.note, each.name) for each in dataclasses.fields(given.note)}
    make: Callable[..., PackageNote] = PackageNote
    return cso.sign(make(**(values | fields)))


def test_a_note_that_does_not_fit_is_refused_with_a_word(uploader: Uploader, house: House) -> None:
    cso = uploader.organisation
    given = cso.consign(b"a photograph")
    unpadded = dataclasses.replace(given.note.objects[0], sealed_size=70_000)
    for wrong, expected in (
        (b"nothing", UploadFault.NOTE_MALFORMED),
        (changed(given, cso, deployment=Deployment.PRODUCTION), UploadFault.NOTE_MALFORMED),
        (changed(given, cso, objects=(unpadded,)), UploadFault.NOTE_MALFORMED),
        (changed(given, cso, account=random_id(AccountId)), UploadFault.NOTE_UNSIGNED),
        (changed(given, cso, card="0" * 64), UploadFault.CARD_NOT_CURRENT),
    ):
        answer = uploader.submit(wrong)
        assert (answer.status_code, fault(answer)) == (422, expected)
    assert list(house.places.received.iterdir()) == []


def test_another_note_for_the_same_submission_is_refused(uploader: Uploader) -> None:
    cso = uploader.organisation
    given = cso.consign(b"a photograph")
    send_all(uploader, given)
    answer = uploader.submit(changed(given, cso, objects=()))
    assert fault(answer) is UploadFault.NOTE_DIFFERS


@pytest.mark.threat("T-07")
def test_sealed_bytes_belong_to_one_submission(uploader: Uploader) -> None:
    cso = uploader.organisation
    given = cso.consign(b"a photograph")
    send_all(uploader, given)
    other = cso.consign(b"a film")
    both = changed(other, cso, objects=(*other.note.objects, *given.note.objects))
    answer = uploader.submit(both)
    refused = UploadRefused.from_bytes(answer.content)
    assert refused.fault is UploadFault.ALREADY_HERE
    assert refused.objects == tuple(each.object_id for each in given.note.objects)


@pytest.mark.threat("T-12")
def test_a_card_that_the_directory_did_not_sign_or_that_ended_takes_nothing(
    uploader: Uploader, house: House
) -> None:
    cso = uploader.organisation
    given = cso.consign(b"a photograph")
    enrol(house, cso, signers=1)
    assert fault(send_all(uploader, given)) is UploadFault.CARD_NOT_CURRENT
    enrol(house, cso)
    house.clock.advance(181 * 86_400)
    assert fault(uploader.submit(given.signed)) is UploadFault.CARD_NOT_CURRENT


def test_a_receipt_is_no_other_accounts(
    serve: Callable[..., Site], house: House, cso: Organisation
) -> None:
    other = organisation(house)
    enrol(house, cso, other)
    client = serve(upload_limits=LIMITS).client
    given = cso.consign(b"a photograph")
    assert send_all(Uploader(client, cso), given).status_code == 200
    stranger = Uploader(client, other)
    answer = client.get(receipt_path(given.note.submission_id), headers=stranger.headers)
    assert fault(answer) is UploadFault.UNKNOWN
    assert fault(stranger.submit(given.signed)) is UploadFault.NOTE_UNSIGNED


def test_uploads_end_after_their_days_and_not_before(
    serve: Callable[..., Site], house: House, cso: Organisation
) -> None:
    site = serve(upload_limits=LIMITS)
    uploader = Uploader(site.client, cso)
    place = uploader.put(cso.seal(b"x"))
    expires = uploader.client.head(place, headers=uploader.headers).headers["upload-expires"]
    assert expires == "Sat, 10 Oct 2026 00:00:00 GMT"
    house.clock.advance(7 * 86_400)
    site.end()
    site = serve(upload_limits=LIMITS)
    uploader.client = site.client
    assert uploader.offset(place) == 65_536
    house.clock.advance(86_400)
    site.end()
    uploader.client = serve(upload_limits=LIMITS).client
    until = time.monotonic() + 20
    while time.monotonic() < until and list(house.places.uploads.iterdir()):
        time.sleep(0.05)
    assert list(house.places.uploads.iterdir()) == []
    assert uploader.client.head(place, headers=uploader.headers).status_code == 404


@pytest.mark.threat("T-06")
def test_a_kill_before_the_rows_leaves_every_upload_and_the_next_note_is_taken(
    serve: Callable[..., Site], house: House, cso: Organisation
) -> None:
    site = serve(upload_limits=LIMITS)
    uploader = Uploader(site.client, cso)
    given = cso.consign(b"a photograph")
    for sealed in given.objects.values():
        uploader.put(sealed)
    site.end()
    # What a kill leaves behind between the bundle and its rows.
    half = house.places.bundle(given.note.submission_id) / "objects"
    half.mkdir(parents=True)
    for path in house.places.uploads.iterdir():
        (half / path.name).hardlink_to(path)
    house.places.event(given.note.submission_id).write_bytes(b"half")
    uploader.client = serve(upload_limits=LIMITS).client
    assert not half.exists()
    assert uploader.submit(given.signed).status_code == 200
    there = kept(house.places.bundle(given.note.submission_id))
    assert there.keys() == {"package.note", *(f"objects/{each}.age" for each in given.objects)}
