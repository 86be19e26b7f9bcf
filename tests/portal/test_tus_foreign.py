"""Clients that nobody here wrote hand sealed objects over: tuspy and aiotus."""

import io
import os
from collections.abc import Callable

import aiotus
import pytest
from tusclient.client import TusClient

from amana.wire.upload import OBJECTS_PATH
from portal.limits import UploadLimits
from tests.portal.conftest import House, Site
from tests.portal.members import Organisation, Uploader, enrol, organisation

UPLOADS = UploadLimits(witness_bytes=0)


@pytest.fixture
def cso(house: House) -> Organisation:
    made = organisation(house)
    enrol(house, made)
    return made


@pytest.fixture
def uploader(serve: Callable[..., Site], cso: Organisation) -> Uploader:
    """A member whose portal listens on a port of this machine: foreign clients know no sockets."""
    return Uploader(serve(upload_limits=UPLOADS, address="127.0.0.1:0").client, cso)


def url_of(uploader: Uploader) -> str:
    return str(uploader.client.base_url).rstrip("/") + OBJECTS_PATH


def kept(house: House) -> list[bytes]:
    return [path.read_bytes() for path in house.places.uploads.iterdir()]


@pytest.mark.parametrize("chunk", [1 << 30, 100_000])
@pytest.mark.parametrize("has_checksum", [False, True])
def test_tuspy_uploads_goes_on_and_compares(
    uploader: Uploader, house: House, chunk: int, *, has_checksum: bool
) -> None:
    sealed = uploader.organisation.seal(os.urandom(700_000))
    client = TusClient(url_of(uploader), headers=uploader.headers)
    first = client.uploader(
        file_stream=io.BytesIO(sealed),
        chunk_size=100_000,
        metadata={"filename": "a name"},
        upload_checksum=has_checksum,
    )
    first.upload(stop_at=300_000)
    again = client.uploader(
        file_stream=io.BytesIO(sealed),
        chunk_size=chunk,
        url=first.url,
        upload_checksum=has_checksum,
    )
    assert again.offset == 300_000
    again.upload()
    assert kept(house) == [sealed]


async def test_aiotus_uploads(uploader: Uploader, house: House) -> None:
    sealed = uploader.organisation.seal(os.urandom(700_000))
    place = await aiotus.upload(
        url_of(uploader) + "/",
        io.BytesIO(sealed),
        metadata={"filename": b"a name"},
        headers=uploader.headers,
    )
    assert place is not None
    assert kept(house) == [sealed]
    # Nothing of a name comes back: it was thrown away.
    assert not await aiotus.metadata(str(place), headers=uploader.headers)
