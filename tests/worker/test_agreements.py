"""What the quarantine knows of agreements is what was signed, and stays so."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from amana.wire.errors import TermsTextError
from amana.wire.ids import AccountId
from amana.wire.terms_toml import read_agreement, sha256_of
from terms.errors import ContradictionError
from terms.names import Uid
from tests.wire.givens import ACCOUNT
from tests.worker.agreed import ORCHARD, WELL, put, signature, version
from worker.agreements import AgreementStore
from worker.errors import AgreementError, AgreementFault

ORCHARD_UID = Uid("example/orchard")
STRANGER = AccountId("00" * 16)


@pytest.fixture
def store(tmp_path: Path) -> AgreementStore:
    return AgreementStore(tmp_path / "agreements")


def fault_of(failure: pytest.ExceptionInfo[AgreementError]) -> AgreementFault:
    return failure.value.fault


def test_a_text_is_found_by_name_version_and_digest_and_after_a_restart(
    store: AgreementStore, tmp_path: Path
) -> None:
    text = put(store, ORCHARD)
    put(store, WELL)
    for each in (store, AgreementStore(tmp_path / "agreements")):
        found = each.find(text.ref)
        assert found is not None
        assert found == text.signed([signature(ORCHARD)])
        assert found.is_signed()
    assert {each.uid for each in store.holders()} == {"example/orchard", "example/well"}
    holder = store.holder(ORCHARD_UID)
    assert holder is not None
    assert (holder.account, holder.provider) == (ACCOUNT, "example/orchard-archive")


def test_a_name_that_means_another_text_finds_nothing(store: AgreementStore) -> None:
    ref = put(store, ORCHARD).ref
    other = read_agreement(b"# More.\n" + ORCHARD).ref
    assert store.find(replace(ref, digest=other.digest)) is None
    assert store.find(replace(ref, version=2)) is None
    assert store.find(replace(ref, uid=Uid("example/other"))) is None


def test_the_same_text_twice_is_the_same(store: AgreementStore, tmp_path: Path) -> None:
    first = put(store, ORCHARD)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    assert put(store, ORCHARD) == first
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


@pytest.mark.threat("T-14")
def test_another_text_of_one_version_is_refused_and_the_first_stays(store: AgreementStore) -> None:
    first = put(store, ORCHARD)
    with pytest.raises(AgreementError) as refused:
        store.add(ORCHARD.replace(b'"ASK"', b'"PERMIT"', 1), ACCOUNT)
    assert fault_of(refused) is AgreementFault.ANOTHER_TEXT
    assert store.find(first.ref) is not None
    assert len(store.versions(ORCHARD_UID)) == 1


def test_of_two_texts_that_come_at_once_one_is_kept(store: AgreementStore) -> None:
    texts = [b"# %d\n" % n + ORCHARD for n in range(8)]

    def add(source: bytes) -> bool:
        try:
            store.add(source, ACCOUNT)
        except AgreementError as refused:
            assert refused.fault is AgreementFault.ANOTHER_TEXT  # noqa: PT017 - in a thread
            return False
        return True

    with ThreadPoolExecutor(max_workers=8) as executor:
        kept = list(executor.map(add, texts))
    assert kept.count(True) == 1
    (only,) = store.versions(ORCHARD_UID)
    assert only.source_sha256 == sha256_of(texts[kept.index(True)])


def test_versions_come_in_order(store: AgreementStore) -> None:
    put(store, version(2))
    with pytest.raises(AgreementError) as refused:
        store.add(ORCHARD, ACCOUNT)
    assert fault_of(refused) is AgreementFault.NEWER_VERSION
    put(store, version(5))
    put(store, version(2))
    assert [each.version for each in store.versions(ORCHARD_UID)] == [2, 5]


def test_the_current_version_is_the_newest_that_is_signed_and_has_begun(
    store: AgreementStore,
) -> None:
    assert store.current(ORCHARD_UID, dt.date(2026, 5, 1)) is None
    put(store, ORCHARD)
    later = (b"valid_from = 2026-01-01", b"valid_from = 2027-01-01")
    put(store, version(2, ORCHARD, later))
    store.add(version(3), ACCOUNT)
    on = (dt.date(2025, 12, 31), dt.date(2026, 12, 31), dt.date(2027, 1, 1))
    current = [store.current(ORCHARD_UID, day) for day in on]
    assert [each and each.version for each in current] == [None, 1, 2]


@pytest.mark.threat("T-14")
def test_an_agreement_belongs_to_one_account_and_one_provider(store: AgreementStore) -> None:
    put(store, ORCHARD)
    for again in (ORCHARD, version(2)):
        with pytest.raises(AgreementError) as refused:
            store.add(again, STRANGER)
        assert fault_of(refused) is AgreementFault.ANOTHER_ACCOUNT
    with pytest.raises(AgreementError) as refused:
        store.add(version(2, ORCHARD, (b"example/orchard-archive", b"example/thief")), ACCOUNT)
    assert fault_of(refused) is AgreementFault.ANOTHER_PROVIDER


def test_a_text_that_names_its_account_is_that_accounts(store: AgreementStore) -> None:
    named = b'provider = "example/orchard-archive"\naccount = "%b"' % ACCOUNT.encode()
    text = ORCHARD.replace(b'provider = "example/orchard-archive"', named, 1)
    with pytest.raises(AgreementError) as refused:
        store.add(text, STRANGER)
    assert fault_of(refused) is AgreementFault.ANOTHER_ACCOUNT
    assert store.add(text, ACCOUNT).account == ACCOUNT


@pytest.mark.threat("T-14")
def test_a_signature_counts_for_its_text_and_party_alone(store: AgreementStore) -> None:
    store.add(ORCHARD, ACCOUNT)
    for wrong, fault in (
        (signature(version(2)), AgreementFault.SIGNS_NO_TEXT),
        (signature(ORCHARD, "example/thief"), AgreementFault.NOT_THE_PARTY),
    ):
        with pytest.raises(AgreementError) as refused:
            store.sign(ORCHARD_UID, wrong)
        assert fault_of(refused) is fault
    with pytest.raises(AgreementError) as refused:
        store.sign(Uid("example/well"), signature(ORCHARD))
    assert fault_of(refused) is AgreementFault.SIGNS_NO_TEXT
    assert not store.versions(ORCHARD_UID)[0].is_signed()
    with pytest.raises(ContradictionError):
        replace(signature(ORCHARD), attested_by=frozenset({Uid("officer-1")}))


def test_an_amendment_is_kept_beside_the_text_that_it_names(store: AgreementStore) -> None:
    put(store, ORCHARD)
    put(store, version(2))
    source = an_amendment(version(2))
    assert store.amend(source) == store.amend(source)
    (kept,) = store.amendments(ORCHARD_UID)
    assert not kept.signatures
    store.sign(ORCHARD_UID, replace(signature(ORCHARD), signed_sha256=kept.source_sha256))
    assert len(store.amendments(ORCHARD_UID)[0].signatures) == 1
    for wrong in (an_amendment(version(3)), an_amendment(b"# More.\n" + version(2))):
        with pytest.raises(AgreementError) as refused:
            store.amend(wrong)
        assert fault_of(refused) is AgreementFault.NO_SUCH_VERSION


def an_amendment(to: bytes, submission: str = "ab" * 32) -> bytes:
    text = read_agreement(to)
    return (
        f'format = "amana/agreement-amendment-toml/v1"\n[amendment]\nuid = "example/word-1"\n'
        f'agreement = "{text.ref.uid}"\nto_version = {text.ref.version}\n'
        f'to_sha256 = "{text.ref.digest}"\nsubmissions = ["{submission}"]\n'
    ).encode()


@pytest.mark.threat("T-17")
def test_a_name_with_steps_in_it_leads_nowhere(store: AgreementStore, tmp_path: Path) -> None:
    hostile = version(1, ORCHARD, (b'"example/orchard"', b'"a/../../../etc/passwd"'))
    put(store, hostile)
    outside = [path for path in tmp_path.iterdir() if path.name != "agreements"]
    assert not outside
    assert len(list((tmp_path / "agreements").iterdir())) == 1


@pytest.mark.parametrize("name", ["version-*.toml", "signature-*.json", "holder.json"])
def test_a_file_that_is_damaged_is_never_read_as_something_else(
    name: str, store: AgreementStore, tmp_path: Path
) -> None:
    ref = put(store, ORCHARD).ref
    (path,) = tmp_path.rglob(name)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(AgreementError) as refused:
        (store.holder(ref.uid), store.find(ref))
    assert fault_of(refused) is AgreementFault.DAMAGED


def test_a_version_under_another_name_is_refused(store: AgreementStore, tmp_path: Path) -> None:
    put(store, ORCHARD)
    (path,) = tmp_path.rglob("version-*.toml")
    path.rename(path.with_name("version-0000002.toml"))
    with pytest.raises(AgreementError) as refused:
        store.versions(ORCHARD_UID)
    assert fault_of(refused) is AgreementFault.DAMAGED


def test_what_is_no_agreement_leaves_nothing_behind(store: AgreementStore, tmp_path: Path) -> None:
    with pytest.raises(TermsTextError):
        store.add(ORCHARD.replace(b"PERMIT", b"ALLOW", 1), ACCOUNT)
    assert not (tmp_path / "agreements").exists()
