"""tus as the portal speaks it: what is counted is durable, what is not sealed does not stay."""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator

import httpx
import pytest

from amana.wire.upload import CHUNK_TYPE, OBJECTS_PATH, UploadFault, UploadRefused
from portal.limits import UploadLimits
from tests.portal.conftest import House, Site
from tests.portal.members import Organisation, Uploader, enrol, organisation

pytestmark = pytest.mark.threat("T-24")

LIMITS = UploadLimits(witness_bytes=0, idle_seconds=20, stall_seconds=0.2)


@pytest.fixture
def cso(house: House) -> Organisation:
    made = organisation(house)
    enrol(house, made)
    return made


@pytest.fixture
def uploader(serve: Callable[..., Site], cso: Organisation) -> Uploader:
    return Uploader(serve(upload_limits=LIMITS).client, cso)


def test_a_sealed_object_goes_up_in_one_piece(uploader: Uploader, house: House) -> None:
    sealed = uploader.organisation.seal(os.urandom(200_000))
    place = uploader.put(sealed)
    assert uploader.offset(place) == len(sealed)
    (path,) = house.places.uploads.iterdir()
    assert path.read_bytes() == sealed


def test_an_upload_goes_on_where_it_stopped(uploader: Uploader) -> None:
    sealed = uploader.organisation.seal(os.urandom(100_000))
    place = uploader.place(len(sealed))
    for start in range(0, len(sealed), 30_000):
        answer = uploader.patch(place, start, sealed[start : start + 30_000])
        assert answer.headers["upload-offset"] == str(min(start + 30_000, len(sealed)))
    assert uploader.offset(place) == len(sealed)


def test_the_first_bytes_may_come_with_the_creation(uploader: Uploader) -> None:
    sealed = uploader.organisation.seal(b"short")
    answer = uploader.client.post(
        OBJECTS_PATH,
        content=sealed[:5_000],
        headers=uploader.headers | {"upload-length": str(len(sealed)), "content-type": CHUNK_TYPE},
    )
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "5000")
    assert uploader.patch(answer.headers["location"], 5_000, sealed[5_000:]).status_code == 204


def test_an_address_is_relative_and_not_kept(uploader: Uploader, house: House) -> None:
    place = uploader.place(65_536)
    secret = place.removeprefix(f"{OBJECTS_PATH}/")
    assert len(base64.urlsafe_b64decode(secret + "==")) == 16
    database = (house.settings.data_directory / "portal.db").read_bytes()
    database += (house.settings.data_directory / "portal.db-wal").read_bytes()
    token = uploader.headers["authorization"].removeprefix("Bearer ")
    assert secret.encode() not in database
    assert token.encode() not in database
    assert all(secret not in path.name for path in house.places.uploads.iterdir())


def test_metadata_is_judged_and_thrown_away(uploader: Uploader, house: House) -> None:
    named = base64.b64encode(b"Ahmads-interview.mp4").decode()
    answer = uploader.create(65_536, **{"upload-metadata": f"filename {named},is_private"})
    assert answer.status_code == 201
    for path in house.settings.data_directory.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"Ahmads" not in content
            assert named.encode() not in content
    for wrong in ("filename !", "a b,a b", "a b c", "a,,b", "x" * 5_000):
        answer = uploader.create(65_536, **{"upload-metadata": wrong})
        assert (answer.status_code, fault(answer)) == (400, UploadFault.HEADER_MALFORMED)


@pytest.mark.parametrize(
    ("headers", "status", "expected"),
    [
        ({"tus-resumable": "0.2.2"}, 412, UploadFault.TUS_VERSION),
        ({"authorization": "Bearer " + "A" * 43}, 401, UploadFault.NO_SESSION),
        ({"authorization": "Basic abc"}, 401, UploadFault.NO_SESSION),
        ({"upload-length": "-1"}, 400, UploadFault.HEADER_MALFORMED),
        ({"upload-length": "1e6"}, 400, UploadFault.HEADER_MALFORMED),
        ({"upload-length": str(1 << 50)}, 413, UploadFault.TOO_LARGE),
        ({"upload-length": "0"}, 422, UploadFault.LENGTH_IMPOSSIBLE),
        ({"upload-length": "70000"}, 422, UploadFault.LENGTH_IMPOSSIBLE),
        ({"upload-defer-length": "1"}, 400, UploadFault.HEADER_MALFORMED),
        ({"upload-concat": "partial"}, 400, UploadFault.HEADER_MALFORMED),
    ],
)
def test_a_creation_that_cannot_be_is_refused_with_a_word(
    uploader: Uploader, headers: dict[str, str], status: int, expected: UploadFault
) -> None:
    answer = uploader.create(65_536, **headers)
    assert (answer.status_code, fault(answer)) == (status, expected)
    assert answer.headers["tus-resumable"] == "1.0.0"


def test_a_piece_at_another_offset_is_refused(uploader: Uploader) -> None:
    sealed = uploader.organisation.seal(b"x")
    place = uploader.place(len(sealed))
    answer = uploader.patch(place, 10, sealed[10:])
    assert (answer.status_code, fault(answer)) == (409, UploadFault.OFFSET_DIFFERS)
    assert uploader.offset(place) == 0


def test_a_piece_of_another_type_is_refused(uploader: Uploader) -> None:
    place = uploader.place(65_536)
    answer = uploader.patch(place, 0, b"x", **{"content-type": "text/plain"})
    assert (answer.status_code, fault(answer)) == (415, UploadFault.MEDIA_TYPE)


def test_more_than_was_announced_is_refused_with_and_without_a_length(uploader: Uploader) -> None:
    sealed = uploader.organisation.seal(b"x")
    place = uploader.place(len(sealed))
    answer = uploader.patch(place, 0, sealed + b"more")
    assert (answer.status_code, fault(answer)) == (413, UploadFault.TOO_LARGE)
    assert uploader.offset(place) == 0

    def pieces() -> Iterator[bytes]:
        yield sealed
        yield b"more"

    own = {"upload-offset": "0", "content-type": CHUNK_TYPE}
    answer = uploader.client.patch(place, content=pieces(), headers=uploader.headers | own)
    assert fault(answer) is UploadFault.TOO_LARGE
    assert uploader.offset(place) == len(sealed)


@pytest.mark.threat("T-04")
@pytest.mark.parametrize("length", [65_536, 1 << 20])
@pytest.mark.parametrize(
    "first", [b"%PDF-1.7 plain bytes", b"age-encryption.org/v1\n-> X25519 A\n"]
)
def test_what_is_not_sealed_does_not_stay(
    uploader: Uploader, house: House, length: int, first: bytes
) -> None:
    place = uploader.place(length)
    answer = uploader.patch(place, 0, first.ljust(5_000, b"x"))
    assert (answer.status_code, fault(answer)) == (422, UploadFault.NOT_SEALED)
    assert list(house.places.uploads.iterdir()) == []
    assert uploader.client.head(place, headers=uploader.headers).status_code == 404


def test_a_head_that_comes_byte_by_byte_is_judged_all_the_same(uploader: Uploader) -> None:
    sealed = bytearray(uploader.organisation.seal(b"x"))
    place = uploader.place(len(sealed))
    assert uploader.patch(place, 0, bytes(sealed[:1_000])).status_code == 204
    sealed[1_300] ^= 1  # inside the stanza's share: its base64 stays base64, or not
    sealed[1_500:1_510] = b"!!!!!!!!!!"
    answer = uploader.patch(place, 1_000, bytes(sealed[1_000:]))
    assert fault(answer) is UploadFault.NOT_SEALED


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_bytes_with_another_checksum_are_thrown_away(uploader: Uploader, algorithm: str) -> None:
    sealed = uploader.organisation.seal(os.urandom(50_000))
    place = uploader.place(len(sealed))
    right = base64.b64encode(hashlib.new(algorithm, sealed[:40_000]).digest()).decode()
    answer = uploader.patch(
        place, 0, sealed[1:40_001], **{"upload-checksum": f"{algorithm} {right}"}
    )
    assert fault(answer) in {UploadFault.NOT_SEALED, UploadFault.CHECKSUM_DIFFERS}
    place = uploader.place(len(sealed))
    head = {"upload-checksum": f"{algorithm} {right}"}
    changed = sealed[:39_999] + bytes([sealed[39_999] ^ 1])
    answer = uploader.patch(place, 0, changed, **head)
    assert (answer.status_code, fault(answer)) == (460, UploadFault.CHECKSUM_DIFFERS)
    assert uploader.offset(place) == 0
    assert uploader.patch(place, 0, sealed[:40_000], **head).status_code == 204
    assert uploader.offset(place) == 40_000


def test_an_unknown_checksum_is_refused_before_anything_is_taken(uploader: Uploader) -> None:
    place = uploader.place(65_536)
    for said, expected in (
        ("md5 abcd", UploadFault.CHECKSUM_UNKNOWN),
        ("sha256 abcd", UploadFault.HEADER_MALFORMED),
        ("sha1 ?", UploadFault.HEADER_MALFORMED),
    ):
        answer = uploader.patch(place, 0, b"x", **{"upload-checksum": said})
        assert (answer.status_code, fault(answer)) == (400, expected)


def test_an_upload_can_be_ended(uploader: Uploader, house: House) -> None:
    place = uploader.put(uploader.organisation.seal(b"x"))
    assert uploader.client.delete(place, headers=uploader.headers).status_code == 204
    assert uploader.client.delete(place, headers=uploader.headers).status_code == 404
    assert list(house.places.uploads.iterdir()) == []


def test_methods_can_be_named_in_a_header(uploader: Uploader) -> None:
    sealed = uploader.organisation.seal(b"x")
    place = uploader.place(len(sealed))
    own = {"upload-offset": "0", "content-type": CHUNK_TYPE, "x-http-method-override": "PATCH"}
    answer = uploader.client.post(place, content=sealed, headers=uploader.headers | own)
    assert answer.status_code == 204
    other = {"x-http-method-override": "TRACE"}
    assert uploader.client.post(place, headers=uploader.headers | other).status_code == 405


def test_what_is_spoken_is_said_without_a_session(uploader: Uploader) -> None:
    answer = uploader.client.options(OBJECTS_PATH)
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert set(answer.headers["tus-extension"].split(",")) == {
        "creation", "creation-with-upload", "checksum", "termination", "expiration",
    }  # fmt: skip
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"


@pytest.mark.threat("T-12")
def test_an_upload_is_no_other_accounts(
    serve: Callable[..., Site], house: House, cso: Organisation
) -> None:
    other = organisation(house)
    enrol(house, cso, other)
    client = serve(upload_limits=LIMITS).client
    place = Uploader(client, cso).place(65_536)
    stranger = Uploader(client, other)
    assert stranger.client.head(place, headers=stranger.headers).status_code == 404
    assert stranger.client.delete(place, headers=stranger.headers).status_code == 404
    assert fault(stranger.patch(place, 0, b"x")) is UploadFault.UNKNOWN


def test_room_is_kept_from_the_creation_on_and_given_back(
    serve: Callable[..., Site], cso: Organisation
) -> None:
    limits = UploadLimits(witness_bytes=0, pool_bytes=131_072, uploads=3)
    uploader = Uploader(serve(upload_limits=limits).client, cso)
    place = uploader.place(65_536)
    uploader.place(65_536)
    answer = uploader.create(4_096)
    assert (answer.status_code, fault(answer)) == (507, UploadFault.NO_ROOM)
    uploader.client.delete(place, headers=uploader.headers)
    uploader.place(4_096)
    uploader.place(4_096)
    answer = uploader.create(4_096)
    assert (answer.status_code, fault(answer)) == (429, UploadFault.TOO_MANY)


def test_uploads_leave_room_for_witnesses(serve: Callable[..., Site], cso: Organisation) -> None:
    limits = UploadLimits(witness_bytes=1 << 60)
    uploader = Uploader(serve(upload_limits=limits).client, cso)
    assert fault(uploader.create(65_536)) is UploadFault.NO_ROOM


def fault(answer: object) -> UploadFault:
    """The word of a refusal."""
    assert isinstance(answer, httpx.Response)
    return UploadRefused.from_bytes(answer.content).fault
