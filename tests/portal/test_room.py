"""Disk is promised before it is taken: nobody fills it with less than they announced."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from amana.i18n import Language
from portal.finishing import Received
from portal.intake import FORM, Intake, Room
from portal.limits import Limits
from tests.portal.body import CONTENT_TYPE, body, file
from tests.portal.body import field as a_field
from tests.portal.conftest import House, Site
from tests.portal.test_intake import intake, pieces

__all__ = ["intake"]  # the fixture

pytestmark = pytest.mark.threat("T-23")

MEGABYTE = 1 << 20


@dataclass
class Witnessed(Room):
    """Room that tells what was asked for."""

    promised_bytes: int = 0
    asked: list[int] = field(default_factory=list)

    @contextmanager
    def promise(self, needed: int) -> Iterator[None]:
        self.asked.append(needed)
        with super().promise(needed):
            yield


@pytest.mark.parametrize(("files", "size"), [(1, 0), (40, 1), (3, 200_000)])
async def test_no_form_takes_more_than_it_was_promised(
    house: House, intake: Intake, files: int, size: int
) -> None:
    room = Witnessed()
    given = (file(f"{n}", b"A" * size) for n in range(files))
    whole = body(a_field("token", intake.tokens.issue(FORM)), *given)
    outcome = await replace(intake, room=room).receive(
        CONTENT_TYPE.encode(), len(whole), pieces(whole), Language.EN
    )
    assert isinstance(outcome, Received)
    home = house.places.home
    taken = sum((home / each).stat().st_size for each in house.left)
    assert [taken <= asked for asked in room.asked] == [True]


def test_five_hundred_empty_files_are_not_taken_where_there_is_no_room_for_them(
    serve: Callable[..., Site], house: House
) -> None:
    """70 KB on the way in, 34 MB on the disk."""
    free = shutil.disk_usage(house.places.home).free
    site = serve(Limits(spare_bytes=free - 16 * MEGABYTE))
    whole = body(a_field("token", site.token()), *(file("a", b"x") for _ in range(500)))
    answer = site.client.post("/en/give", content=whole, headers={"content-type": CONTENT_TYPE})
    assert answer.status_code == 507
    assert list(house.places.received.iterdir()) == []
