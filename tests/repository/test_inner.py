"""What is wrong inside a package is refused by name, though seal and signature are right."""

import pytest

from amana.wire import bag
from amana.wire import package_paths as paths
from amana.wire.acknowledgement import RefusalReason
from repository.receive import Received, Refused
from tests.repository import forge
from tests.repository.conftest import Way
from tests.repository.forge import Edit, changed, without
from tests.repository.wrong import WRONG, dropped_line


def reason_of(way: Way) -> RefusalReason:
    (result,) = way.receive()
    assert isinstance(result, Refused)
    assert list((way.store / "packages").iterdir()) == []
    return result.word.reason


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_inside_is_refused_by_name(way: Way, what: str) -> None:
    edit, reason = WRONG[what]
    forge.forge(way.spool, way.sealed, edit)
    assert reason_of(way) is reason


def test_a_forgery_that_changes_nothing_is_taken(way: Way) -> None:
    """Or the refusals above could all be the forger's own mistakes."""
    forge.forge(way.spool, way.sealed, lambda files: files)
    (result,) = way.receive()
    assert isinstance(result, Received)


UNFIT: dict[str, tuple[Edit, RefusalReason]] = {
    "a manifest line gone": (
        changed(bag.Algorithm.SHA256.manifest, dropped_line),
        RefusalReason.INNER_FILE_NOT_LISTED,
    ),
    "a manifest line more": (
        changed(
            bag.Algorithm.SHA512.manifest,
            lambda raw: raw + bag.manifest_line("0" * 128, "data/objects/000099.bin"),
        ),
        RefusalReason.INNER_FILE_MISSING,
    ),
    "a digest": (
        changed(bag.Algorithm.SHA512.manifest, lambda raw: b"0" * 128 + raw[128:]),
        RefusalReason.INNER_FILE_CHANGED,
    ),
    "a file that only manifests know": (
        changed(paths.PREMIS, lambda raw: raw.replace(b"success", b"failed.")),
        RefusalReason.INNER_FILE_CHANGED,
    ),
    "bag-info": (
        changed(bag.INFO_NAME, lambda raw: raw + b"Contact-Name: x\n"),
        RefusalReason.INNER_FILE_CHANGED,
    ),
    "no tag manifest": (
        without(bag.Algorithm.SHA512.tag_manifest),
        RefusalReason.INNER_FILE_MISSING,
    ),
}


@pytest.mark.parametrize("what", UNFIT)
def test_manifests_that_do_not_fit_are_refused_by_name(way: Way, what: str) -> None:
    edit, reason = UNFIT[what]
    forge.forge(way.spool, way.sealed, edit, fit=False)
    assert reason_of(way) is reason


def test_an_archive_that_is_cut_or_spelled_otherwise_is_refused(way: Way) -> None:
    files, modified = forge.files_of(way.package)
    whole = forge.archive(files, modified)
    forge.put(way.spool, way.sealed, whole[:-512])
    assert reason_of(way) is RefusalReason.ARCHIVE_MALFORMED
