"""A package as others read it, BagIt, tar, PREMIS, tables; and that it is always the same."""

import csv
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from amana.wire import package_paths as paths
from amana.wire.manifest import ItemManifest
from amana.wire.package import PackagedItem, SealedPackage
from crypto.opening import SeekableObject
from repository.unpack import unpack
from terms.vocabulary import INSIDE_ACTS, SHARING_ACTS
from tests.package.world import END, HOSTILE_NAMES, KEYS, SAMPLES, Held, World
from worker.errors import MismatchError
from worker.package import Maker, write_package
from worker.package_plan import PackagePlan

PREMIS = "{http://www.loc.gov/premis/v3}"
VALIDATE = "import bagit, sys; bagit.Bag(sys.argv[1]).validate()"


@pytest.fixture(scope="module")
def inner(made: tuple[Path, SealedPackage], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inner") / "bag"
    unpack(made[0], KEYS, END, folder)
    return folder


def the_tar(folder: Path) -> bytes:
    with (folder / paths.SEALED).open("rb") as source:
        return b"".join(SeekableObject(source, KEYS.identity).contents())


def validate(bag: Path) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", VALIDATE, str(bag)], check=True)


def test_bagit_python_finds_the_bag_outside_and_the_bag_inside_valid(
    made: tuple[Path, SealedPackage], inner: Path
) -> None:
    validate(made[0])
    validate(inner)


def test_sha256sum_and_sha512sum_find_every_file_as_listed(inner: Path) -> None:
    for program in ("sha256", "sha512"):
        for manifest in (f"manifest-{program}.txt", f"tagmanifest-{program}.txt"):
            command = [f"{program}sum", "--check", "--strict", "--quiet", manifest]
            subprocess.run(command, cwd=inner, check=True)


def test_gnu_tar_lists_the_files_in_the_order_of_the_format(
    made: tuple[Path, SealedPackage], inner: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "inner.tar"
    archive.write_bytes(the_tar(made[0]))
    listed = subprocess.run(
        ["tar", "-tf", str(archive)], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    names = [name.removeprefix(paths.TOP) for name in listed]
    assert names[:3] == ["bagit.txt", paths.RECORD, paths.SNAPSHOT]
    assert names[-5:][0] == "bag-info.txt"
    assert {str(p.relative_to(inner)) for p in inner.rglob("*") if p.is_file()} == set(names)


def test_the_package_id_is_the_digest_of_the_inner_tar(made: tuple[Path, SealedPackage]) -> None:
    folder, sealed = made
    assert hashlib.sha256(the_tar(folder)).hexdigest() == sealed.package_id
    assert hashlib.sha256((folder / paths.SEALED).read_bytes()).hexdigest() == sealed.sealed_sha256


def test_made_twice_it_is_the_same_package_in_other_sealed_bytes(
    plan: PackagePlan, world: World, maker: Maker, made: tuple[Path, SealedPackage], tmp_path: Path
) -> None:
    again = write_package(plan, world.contents, maker, tmp_path / "again")
    assert again.package_id == made[1].package_id
    assert again.sealed_sha256 != made[1].sealed_sha256


def test_content_cut_elsewhere_makes_the_same_package(
    plan: PackagePlan, maker: Maker, made: tuple[Path, SealedPackage], tmp_path: Path
) -> None:
    contents = {
        item.manifest.item_id: given.content
        for item, given in zip(plan.items, SAMPLES, strict=False)
    }
    again = write_package(plan, Held(contents, piece_bytes=7), maker, tmp_path / "again")
    assert again.package_id == made[1].package_id


@pytest.mark.threat("T-16")
def test_nothing_outside_the_seal_names_a_provider_a_class_or_a_file(
    made: tuple[Path, SealedPackage], plan: PackagePlan
) -> None:
    folder, _ = made
    outside = b"".join(
        path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != Path(paths.SEALED).name
    )
    dossier = plan.dossier
    secrets = [
        dossier.submission.account,
        dossier.submission.submission_id,
        dossier.snapshot.digest,
        plan.record.handling_class,
        *(item.registration for item in plan.items),
        *(item.manifest.content.sha256 for item in plan.items if item.manifest.content),
    ]
    assert [secret for secret in secrets if secret.encode() in outside] == []


@pytest.mark.threat("T-17")
def test_hostile_names_are_kept_exactly_and_never_name_a_file(inner: Path) -> None:
    lines = (inner / paths.PROVIDER_ITEMS).read_bytes().splitlines()
    kept = [bytes(ItemManifest.from_bytes(line).name.raw) for line in lines]
    assert kept[: len(HOSTILE_NAMES)] == list(HOSTILE_NAMES)
    objects = sorted(path.name for path in (inner / paths.OBJECTS).iterdir())
    assert objects == [f"{number:06d}.bin" for number in range(1, len(SAMPLES) + 1)]
    for given, name in zip(SAMPLES, objects, strict=True):
        assert (inner / paths.OBJECTS / name).read_bytes() == given.content


def test_premis_is_read_by_a_parser_that_gives_names_back_as_they_were(
    inner: Path, plan: PackagePlan
) -> None:
    tree = ET.fromstring((inner / paths.PREMIS).read_bytes())  # noqa: S314 - our own output
    names = [name.text for name in tree.iter(f"{PREMIS}originalName")]
    assert names[0] == HOSTILE_NAMES[0].decode()
    assert names[1] == HOSTILE_NAMES[1].decode()
    assert names[3] == "%C7%E1%D3%E6%D1%ED%C9.doc"
    events = [event.text for event in tree.iter(f"{PREMIS}eventIdentifierValue")]
    assert events == [line.event.event_id for line in plan.custody()]
    assert len(tree.findall(f"{PREMIS}object")) == len(plan.items)


def test_rights_allow_nothing_that_the_conditions_do_not(inner: Path, plan: PackagePlan) -> None:
    with (inner / paths.RIGHTS).open(newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    first = {row["grant_act"]: row["grant_restriction"] for row in rows[:19]}
    assert len(rows) == 19 * len(plan.items)
    allowed = {act for act, restriction in first.items() if restriction == "Allow"}
    assert "archive" in allowed
    # What work is for and to whom material would go no row can know.
    assert allowed.isdisjoint(SHARING_ACTS | INSIDE_ACTS)
    unknown = {row["grant_act"]: row["grant_restriction"] for row in rows[-19:]}
    assert unknown["archive"] == "Allow"
    assert {unknown[act] for act in ("publish", "use_as_lead", "share_onward")} == {"Disallow"}


def test_metadata_and_load_file_hold_every_item_and_its_name(
    inner: Path, plan: PackagePlan
) -> None:
    with (inner / paths.METADATA).open(newline="", encoding="utf-8") as source:
        titles = [row["dc.title"] for row in csv.DictReader(source)]
    assert titles[1] == HOSTILE_NAMES[1].decode()
    assert len(titles) == len(plan.items)
    with (inner / paths.LOADFILE).open(newline="", encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    for row in rows:
        raw = (inner / row["ITEMPATH"]).read_bytes()
        assert hashlib.sha512(raw).hexdigest() == row["SHA512"]


def test_every_item_says_its_conditions_and_its_consent(inner: Path) -> None:
    lines = (inner / paths.ITEMS).read_bytes().splitlines()
    items = [PackagedItem.from_bytes(line) for line in lines]
    assert all(item.consents for item in items)
    assert json.loads((inner / paths.RECORD).read_bytes())["deployment"] == "TRAINING"


def test_content_that_is_not_its_manifests_makes_no_package(
    plan: PackagePlan, maker: Maker, tmp_path: Path
) -> None:
    first, *_ = plan.items
    swapped = Held({item.manifest.item_id: b"x" * item.size for item in plan.items})
    with pytest.raises(MismatchError):
        write_package(plan, swapped, maker, tmp_path / "one")
    shorter = Held({item.manifest.item_id: b"" for item in plan.items})
    with pytest.raises(MismatchError):
        write_package(plan, shorter, maker, tmp_path / "two")
    assert not (tmp_path / "one" / paths.SEALED).exists()
    assert first.size > 0


def test_the_time_in_a_package_is_that_of_its_custody(plan: PackagePlan, inner: Path) -> None:
    assert plan.made_at.isoformat() == "2026-10-09T08:30:06+00:00"
    assert (inner / "bag-info.txt").read_text().startswith("Bagging-Date: 2026-10-09\n")
    later = replace(plan, items=plan.items[:2])
    assert later.made_at < plan.made_at
