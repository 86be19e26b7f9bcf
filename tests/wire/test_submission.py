"""The submission manifest: what binds a submission together, and what a provider may add."""

import dataclasses

import pytest

from amana.wire.errors import FieldError
from amana.wire.ids import (
    AccountId,
    CardId,
    Digest,
    Nonce,
    ObjectId,
    RecipientText,
    derive_submission_id,
)
from amana.wire.note import PackageNote
from amana.wire.sealed import OBJECTS_LIMIT, RecordKind, SealedObject
from amana.wire.submission import SubmissionManifest
from terms.layer import LayerKind, freeze
from terms.names import Uid
from tests.wire import cards, examples, givens
from tests.wire.examples import LAYER, NOTE, SEALED_CONSENT, SUBMISSION

OTHER_ACCOUNT = givens.an_id(AccountId, "another account")


def test_a_submission_id_binds_nonce_account_and_card() -> None:
    nonce, account, card = examples.NONCE, givens.ACCOUNT, cards.CARD.card_id
    ids = {
        derive_submission_id(nonce, account, card),
        derive_submission_id(Nonce(bytes(32)), account, card),
        derive_submission_id(nonce, OTHER_ACCOUNT, card),
        derive_submission_id(nonce, account, CardId("0" * 64)),
    }
    assert len(ids) == 4
    with pytest.raises(FieldError):
        dataclasses.replace(SUBMISSION, account=OTHER_ACCOUNT)
    with pytest.raises(FieldError):
        derive_submission_id(nonce, AccountId("not an id"), card)


def test_an_object_stands_once_in_a_submission_manifest() -> None:
    with pytest.raises(FieldError):
        dataclasses.replace(SUBMISSION, objects=(examples.PHOTO, examples.PHOTO))
    consent = dataclasses.replace(SEALED_CONSENT, object_id=examples.PHOTO.object_id)
    with pytest.raises(FieldError):
        dataclasses.replace(SUBMISSION, records=(consent,))


@pytest.mark.threat("T-14")
@pytest.mark.parametrize("kind", LayerKind)
def test_a_provider_adds_conditions_and_never_stands_in_for_anybody(kind: LayerKind) -> None:
    if kind is LayerKind.FREEZE:
        layer = freeze(uid=Uid("stop"), party=Uid("party:7f2a"))
    else:
        layer = dataclasses.replace(LAYER, kind=kind)
    if kind in {LayerKind.ORIGINATOR, LayerKind.BATCH, LayerKind.ITEM}:
        added = dataclasses.replace(SUBMISSION, batch_terms=(layer,))
        assert SubmissionManifest.from_bytes(added.to_bytes()) == added
    else:
        with pytest.raises(FieldError, match="batch_terms"):
            dataclasses.replace(SUBMISSION, batch_terms=(layer,))


@pytest.mark.threat("T-14")
def test_one_version_of_a_layer_does_not_come_twice() -> None:
    wider = dataclasses.replace(LAYER, rules=())
    with pytest.raises(FieldError, match="batch_terms"):
        dataclasses.replace(SUBMISSION, batch_terms=(LAYER, wider))


def test_a_consent_record_travels_by_its_id_and_once() -> None:
    with pytest.raises(FieldError, match="consent_id"):
        dataclasses.replace(SEALED_CONSENT, consent_id=None)
    with pytest.raises(FieldError, match="consent_id"):
        dataclasses.replace(SEALED_CONSENT, kind=RecordKind.INVENTORY)
    again = dataclasses.replace(SEALED_CONSENT, object_id=givens.an_id(ObjectId, "again"))
    with pytest.raises(FieldError, match="records"):
        dataclasses.replace(SUBMISSION, records=(SEALED_CONSENT, again))


@pytest.mark.threat("T-16")
def test_a_note_tells_of_a_record_only_that_it_is_there() -> None:
    note = NOTE.to_bytes().decode()
    assert SEALED_CONSENT.object_id in note
    assert SEALED_CONSENT.sha256 not in note
    assert examples.CONSENT_ID not in note
    assert "consent" not in note


def test_replies_go_to_a_recipient_and_count_by_a_signer_of_notes() -> None:
    reply = SUBMISSION.reply
    assert reply is not None
    wrong = (
        dataclasses.replace(reply, answer_key=givens.LOG.key),
        dataclasses.replace(reply, recipient=RecipientText("age1pq1" + "q" * 1_952)),
    )
    for each in wrong:
        with pytest.raises(FieldError, match="reply"):
            dataclasses.replace(SUBMISSION, reply=each).to_bytes()


def test_as_many_objects_as_there_may_be_fit_into_note_and_manifest() -> None:
    """The limit is on all lists together: each at its own would be longer than a note may be."""
    many = tuple(
        SealedObject(
            object_id=ObjectId(f"{number:032x}"),
            sealed_size=1 << 47,
            sealed_sha256=Digest(f"{number:064x}"),
        )
        for number in range(OBJECTS_LIMIT)
    )
    full = dataclasses.replace(NOTE, item_manifests=(), records=(), objects=many)
    assert len(full.to_bytes()) < PackageNote.LIMIT_BYTES * 3 / 4
    with pytest.raises(FieldError, match="objects"):
        dataclasses.replace(full, records=NOTE.records)
    with pytest.raises(FieldError, match="objects"):
        dataclasses.replace(SUBMISSION, objects=(), item_manifests=many)
