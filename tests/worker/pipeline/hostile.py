"""What somebody prepares who wants evidence lost: bundles that are signed, sealed, and lie."""

import shutil
from dataclasses import replace
from pathlib import Path

from amana.durable import make_folders
from amana.wire.bundle import NOTE, object_path
from amana.wire.ids import (
    ItemId,
    SubmissionId,
    derive_submission_id,
    random_id,
    random_nonce,
)
from amana.wire.note import PackageNote
from crypto.recipients import HybridRecipient
from portal.places import Places as PortalPlaces
from tests.worker.opening.forge import Forger, Story, honest
from tests.worker.pipeline.ground import CONDITIONS, Quarantine


def bundle_of(
    quarantine: Quarantine, name: str, given: dict[str, bytes]
) -> tuple[PackageNote, Path]:
    """An honest bundle of the organisation, not brought yet."""
    source = quarantine.home / f"{name}.given"
    make_folders(source)
    for each, content in given.items():
        (source / each).write_bytes(content)
    bundle = quarantine.home / f"{name}.bundle"
    commission = replace(quarantine.world.commission, conditions=CONDITIONS)
    return quarantine.world.seal(source, bundle, commission), bundle


def told_again(
    quarantine: Quarantine, bundle: Path, target: Path, *, with_items: bool
) -> PackageNote:
    """The same sealed material under a new submission id, signed by the same member.

    with_items: under the same item ids too.
    """
    shutil.copytree(bundle, target)
    opened = quarantine.world.opened(bundle, quarantine.shop.register())
    nonce = random_nonce()
    name = derive_submission_id(nonce, opened.note.account, opened.note.card)
    items = tuple(
        replace(
            item,
            submission_id=name,
            item_id=item.item_id if with_items else random_id(ItemId),
        )
        for item in opened.items
    )
    story = Story(
        note=replace(opened.note, submission_id=name),
        submission=replace(opened.submission, submission_id=name, client_nonce=nonce),
        items=items,
    )
    Forger(quarantine.world, target).tell(story, honest)
    return story.note


def erasable_by_its_word(quarantine: Quarantine) -> tuple[PackageNote, Path]:
    """A stranger's photograph under the month's card, whose manifest says that the card is its own.

    Sealed by whoever made it, and observed by the portal like any other.
    """
    portal = PortalPlaces(data_directory=quarantine.home / "portal")
    folder = quarantine.world.give({b"photo.jpg": b"\xff\xd8\xff\xe0" + bytes(500)}, portal)
    bundle = quarantine.home / "stranger"
    shutil.copytree(folder, bundle)
    (bundle / "event.age").unlink()
    opened = quarantine.world.opened(bundle, quarantine.shop.register())
    forger = Forger(quarantine.world, bundle)
    forger.recipient = HybridRecipient.from_text(quarantine.world.month_card.recipient)
    (bundle / object_path(opened.note.submission_manifest.object_id)).unlink()
    sealed = forger.seal(replace(opened.submission, erasable=True).to_bytes())
    note = replace(opened.note, submission_manifest=sealed)
    (bundle / NOTE).write_bytes(quarantine.world.portal.observe(note).to_bytes())
    return note, bundle


def spoil(folder: Path) -> Path:
    """Change the last byte of one sealed object, and give its path."""
    path = min((folder / "objects").iterdir())
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    return path


def put_in_place_of(quarantine: Quarantine, submission: SubmissionId, bundle: Path) -> None:
    """What anybody can do who can write into the quarantine's folder of submissions."""
    place = quarantine.shop.places.bundle(submission)
    shutil.rmtree(place)
    shutil.copytree(bundle, place)
