"""A bundle on several disks: each says which of them it is."""

import dataclasses

import pytest

from amana.wire.bundle import Disk
from amana.wire.errors import FieldError
from tests.wire.examples import DISK


def test_a_disk_knows_its_number_and_how_many_there_are() -> None:
    last = dataclasses.replace(DISK, number=2)
    assert Disk.from_bytes(last.to_bytes()) == last


@pytest.mark.parametrize(("number", "disks"), [(3, 2), (0, 2), (1, 1), (1, 1_001)])
def test_a_number_that_no_disk_can_have_is_refused(number: int, disks: int) -> None:
    with pytest.raises(FieldError):
        dataclasses.replace(DISK, number=number, disks=disks).to_bytes()


@pytest.mark.threat("T-16")
def test_a_disk_tells_nothing_but_its_submission() -> None:
    assert set(Disk.__slots__) == {"submission_id", "number", "disks"}
