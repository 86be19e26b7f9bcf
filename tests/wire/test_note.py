"""The package note: what stands in the clear, who vouches for it, and whether it fits the rest."""

import dataclasses
from collections.abc import Iterator

import pytest

from amana.wire.agree import Mismatch, item_mismatches, note_mismatches
from amana.wire.card import KeyCard
from amana.wire.documents import Nested, shape_of
from amana.wire.errors import FieldError, FormatError, UnsignedError
from amana.wire.fields import Base64, Codec, Many, Nullable, Text
from amana.wire.ids import (
    CARD_ID,
    CONTENT_SHA256,
    CONTENT_SHA512,
    AccountId,
    CardId,
    Digest,
    Nonce,
    derive_submission_id,
)
from amana.wire.minted import MintedBatch, OneTimeCard
from amana.wire.note import Attestation, PackageNote, read_note
from amana.wire.signer_card import SignerCard
from amana.wire.signers import read_signed
from amana.wire.vocabulary import Deployment, SealedBy
from tests.wire import examples, givens

CLEAR = [PackageNote, KeyCard, SignerCard, OneTimeCard, MintedBatch]
"""What lies on the portal unsealed."""


OTHER_ACCOUNT = givens.an_id(AccountId, "another account")


def codecs(kind: type) -> Iterator[object]:
    """Every codec in a record, and in the records inside it."""
    waiting: list[object] = [field.codec for field in shape_of(kind).values()]
    while waiting:
        codec = waiting.pop()
        yield codec
        match codec:
            case Nullable(codec=inner) | Many(codec=inner):
                waiting.append(inner)
            case Nested(kind=inside):
                yield from codecs(inside)
            case _:
                pass


@pytest.mark.threat("T-16")
@pytest.mark.parametrize("kind", CLEAR, ids=lambda kind: kind.__name__)
def test_no_field_of_a_clear_document_can_hold_a_name_or_a_digest_of_plaintext(kind: type) -> None:
    """By its types: no text, no raw bytes, no plaintext digest, at any depth."""
    found = list(codecs(kind))
    assert found
    assert CONTENT_SHA256 not in found
    assert CONTENT_SHA512 not in found
    assert not [codec for codec in found if isinstance(codec, Text | Base64)]


@pytest.mark.threat("T-16")
def test_the_proof_by_types_would_see_a_digest_in_an_item_manifest() -> None:
    assert CONTENT_SHA256 in list(codecs(type(examples.BARE_ITEM)))


@pytest.mark.threat("T-16")
def test_nothing_of_an_item_stands_in_its_note() -> None:
    note = examples.NOTE.to_bytes()
    content = examples.BARE_ITEM.content
    assert content is not None
    hidden = ["jpg", "صورة", content.sha256, content.sha512, "mou:7f2a", "B-17"]
    assert not [each for each in hidden if each.encode() in note]


@pytest.mark.threat("T-08")
def test_a_note_is_read_only_with_both_signatures_of_its_signer() -> None:
    note = givens.signed(examples.NOTE, givens.MEMBER)
    assert read_signed(PackageNote, note, givens.MEMBER.key) == examples.NOTE
    lines = note.splitlines(keepends=True)
    for dropped in (-1, -2):
        with pytest.raises(UnsignedError):
            read_signed(
                PackageNote,
                b"".join(line for at, line in enumerate(lines) if at != len(lines) + dropped),
                givens.MEMBER.key,
            )
    with pytest.raises(UnsignedError):
        read_signed(PackageNote, note, givens.PORTAL.key)
    with pytest.raises(UnsignedError):
        read_signed(PackageNote, note.replace(b'"signed"', b'"sigmed"'), givens.MEMBER.key)


@pytest.mark.threat("T-08")
def test_a_signed_statement_of_another_kind_is_no_note() -> None:
    with pytest.raises(FormatError):
        read_signed(PackageNote, givens.signed(examples.R1, givens.PORTAL), givens.PORTAL.key)


@pytest.mark.threat("T-08")
def test_nobody_gives_anothers_word() -> None:
    """A portal's signature must never make material count as sealed by its provider."""
    by_member = givens.signed(examples.NOTE, givens.MEMBER)
    assert read_note(by_member, givens.MEMBER.key, Attestation.SIGNED) == examples.NOTE
    by_portal = givens.signed(examples.NOTE, givens.PORTAL)
    for attestation in Attestation:
        with pytest.raises(UnsignedError):
            read_note(by_portal, givens.PORTAL.key, attestation)
    stranger = givens.a_signer(f"{OTHER_ACCOUNT}/member-1")
    with pytest.raises(UnsignedError):
        read_note(givens.signed(examples.NOTE, stranger), stranger.key, Attestation.SIGNED)


def test_only_an_observed_note_has_a_day() -> None:
    observed = dataclasses.replace(
        examples.NOTE, attestation=Attestation.OBSERVED, received_on=givens.TODAY
    )
    assert PackageNote.from_bytes(observed.to_bytes()) == observed
    with pytest.raises(FieldError):
        dataclasses.replace(examples.NOTE, received_on=givens.TODAY)
    with pytest.raises(FieldError):
        dataclasses.replace(examples.NOTE, attestation=Attestation.OBSERVED)


def test_an_object_stands_once_in_a_note() -> None:
    photo = examples.PHOTO.outside
    with pytest.raises(FieldError, match="object twice"):
        dataclasses.replace(examples.NOTE, objects=(photo, photo))
    renamed = dataclasses.replace(photo, object_id=givens.an_id(type(photo.object_id), "other"))
    with pytest.raises(FieldError, match="same sealed bytes"):
        dataclasses.replace(examples.NOTE, objects=(photo, renamed))


def test_a_note_that_fits_its_manifests_has_no_mismatch() -> None:
    assert note_mismatches(examples.NOTE, examples.SUBMISSION) == ()
    items = (examples.BARE_ITEM, examples.FOLDER_ITEM)
    assert item_mismatches(examples.SUBMISSION, items) == ()


@pytest.mark.threat("T-08")
def test_only_the_providers_signature_makes_material_sealed_by_its_provider() -> None:
    """What the portal merely observed may never pass for what nobody on the way could read."""
    observed = dataclasses.replace(
        examples.NOTE, attestation=Attestation.OBSERVED, received_on=givens.TODAY
    )
    assert note_mismatches(observed, examples.SUBMISSION) == (Mismatch.SEALED_BY,)
    by_server = dataclasses.replace(examples.SUBMISSION, sealed_by=SealedBy.SERVER)
    assert note_mismatches(observed, by_server) == ()
    claims = (examples.BARE_ITEM, examples.FOLDER_ITEM)
    assert examples.FOLDER_ITEM.sealed_by is SealedBy.CLIENT
    assert item_mismatches(by_server, claims) == (Mismatch.SEALED_BY,)
    modest = dataclasses.replace(examples.FOLDER_ITEM, sealed_by=SealedBy.SERVER)
    assert Mismatch.SEALED_BY not in item_mismatches(by_server, (examples.BARE_ITEM, modest))


@pytest.mark.threat("T-16")
def test_nobody_else_puts_a_name_below_a_note() -> None:
    note = givens.signed(examples.NOTE, givens.MEMBER, givens.PORTAL)
    with pytest.raises(UnsignedError, match="somebody else"):
        read_note(note, givens.MEMBER.key, Attestation.SIGNED)
    portals = [givens.PORTAL.key]
    assert read_note(note, givens.MEMBER.key, Attestation.SIGNED, portals) == examples.NOTE
    half = b"".join(note.splitlines(keepends=True)[:-1])
    assert read_note(half, givens.MEMBER.key, Attestation.SIGNED, portals) == examples.NOTE
    wrong = givens.signed(examples.R1, givens.PORTAL).splitlines(keepends=True)[-1]
    with pytest.raises(UnsignedError, match="wrong"):
        read_note(half + wrong, givens.MEMBER.key, Attestation.SIGNED, portals)


@pytest.mark.parametrize(
    ("note", "mismatch"),
    [
        (dataclasses.replace(examples.NOTE, account=OTHER_ACCOUNT), Mismatch.ACCOUNT),
        (
            dataclasses.replace(examples.NOTE, card=CardId(givens.a_digest("another card"))),
            Mismatch.CARD,
        ),
        (
            dataclasses.replace(examples.NOTE, deployment=Deployment.PRODUCTION),
            Mismatch.DEPLOYMENT,
        ),
        (dataclasses.replace(examples.NOTE, objects=()), Mismatch.OBJECTS),
        (dataclasses.replace(examples.NOTE, item_manifests=()), Mismatch.ITEM_MANIFESTS),
        (dataclasses.replace(examples.NOTE, records=()), Mismatch.RECORDS),
        (
            dataclasses.replace(examples.NOTE, items_root=givens.a_digest("another root")),
            Mismatch.ITEMS_ROOT,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_disagreement_of_note_and_manifest_is_named(
    note: PackageNote, mismatch: Mismatch
) -> None:
    assert note_mismatches(note, examples.SUBMISSION) == (mismatch,)


def test_each_disagreement_of_manifest_and_items_is_named() -> None:
    bare, folder = examples.BARE_ITEM, examples.FOLDER_ITEM
    assert item_mismatches(examples.SUBMISSION, (folder, bare)) == (Mismatch.ITEMS_ROOT,)
    assert item_mismatches(examples.SUBMISSION, (bare, bare)) == (
        Mismatch.ITEMS_ROOT,
        Mismatch.ITEM_TWICE,
    )
    assert Mismatch.ITEM_COUNT in item_mismatches(examples.SUBMISSION, (bare,))
    assert Mismatch.OBJECT_WITHOUT_ITEM in item_mismatches(examples.SUBMISSION, (folder,))
    bodiless = dataclasses.replace(examples.SUBMISSION, objects=())
    assert item_mismatches(bodiless, (bare, folder)) == (Mismatch.ITEM_WITHOUT_OBJECT,)
    moved = dataclasses.replace(
        bare,
        submission_id=derive_submission_id(Nonce(bytes(32)), OTHER_ACCOUNT, examples.NOTE.card),
    )
    assert Mismatch.ITEM_OF_ANOTHER_SUBMISSION in item_mismatches(
        examples.SUBMISSION, (moved, folder)
    )


def test_a_digest_says_which_kind_of_digest_it_is() -> None:
    """The two look alike in JSON; the types keep them apart, and the tables say which is which."""
    codec: Codec[CardId] = CARD_ID
    assert codec.describe() != CONTENT_SHA256.describe()
    assert Digest(examples.NOTE.digest) == examples.R1.note_sha256
