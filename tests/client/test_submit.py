"""`amana submit`: the portal gets exactly the bundle, whatever breaks; the receipt is judged."""

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest

from amana.exitcodes import ExitCode
from amana.link.client import open_link
from amana.verify.command import main as verify
from amana.wire.receipt import ReceiptFile
from amana.wire.upload import UploadFault, UploadSecret
from client.commands.submit import main as submit
from client.errors import BundleError
from client.keys import MemberKeys
from client.submit import Bundle, Submission
from client.submit_link import PortalAwayError, PortalLink, PortalRefusedError
from client.submit_receipt import ReceiptError, believe
from client.submit_state import RequestCounter
from client.trust import load_kit
from examples.rehearsal import PASSPHRASE, Rehearsal
from portal.custody import PortalKeys
from tests.client.conftest import SealTo
from tests.client.portal import PortalProgram

MEGABYTE = 1 << 20


# httpcore leaves a refused unix socket to the garbage collector.
REFUSED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def portal(
    tmp_path_factory: pytest.TempPathFactory, rehearsal: Rehearsal, member: MemberKeys
) -> Iterator[PortalProgram]:
    """One portal for all tests here; each looks only at its own submission."""
    made = PortalProgram(tmp_path_factory.mktemp("portal"), rehearsal, member)
    made.serve()
    yield made
    made.end(signal.SIGKILL)


@pytest.fixture
def carried(tmp_path: Path, bundle: Path) -> Path:
    """A copy of the bundle, to leave files beside."""
    return shutil.copytree(bundle, tmp_path / "carried")


@pytest.fixture
def words(
    portal: PortalProgram, carried: Path, member: MemberKeys, rehearsal: Rehearsal, tmp_path: Path
) -> list[str]:
    """The command line of `amana submit` up to the portal's address."""
    assert portal.data.is_dir()
    member.save(tmp_path / "member.keys", PASSPHRASE)
    return [
        *(str(carried), "--kit", str(rehearsal.kit), "--keys", str(tmp_path / "member.keys")),
        *("--passphrase-file", str(rehearsal.passphrase), "--tries", "2"),
    ]


@pytest.fixture
def large(tmp_path: Path, seal_to: SealTo) -> Path:
    """A bundle with a film of 24 MiB."""
    film = tmp_path / "film.mp4"
    film.write_bytes(os.urandom(24 * MEGABYTE))
    seal_to(film, tmp_path / "large")
    return tmp_path / "large"


def arrived(portal: PortalProgram, folder: Path) -> dict[str, bytes]:
    """Every file of a bundle as the portal has it; nothing when it has none."""
    return files(portal.received / Bundle.read(folder).note.submission_id)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


class CountingLink(PortalLink):
    """A link that counts what is really sent, and can break after so many bytes."""

    sent = 0
    breaks_at = 1 << 60

    def add(
        self, secret: UploadSecret, offset: int, pieces: Iterable[bytes], size: int, length: int
    ) -> int:
        return super().add(secret, offset, self._counted(pieces), size, length)

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.sent += len(piece)
            if self.sent > self.breaks_at:
                raise PortalAwayError("portal-away")
            yield piece


Begin = Callable[..., tuple[Submission, CountingLink, list[int]]]


@pytest.fixture
def begin(portal: PortalProgram, member: MemberKeys, day: date) -> Iterator[Begin]:
    """Begin to submit a bundle, by a program that waits but a moment after a break."""
    links: list[CountingLink] = []

    def made(
        folder: Path, *, keys: MemberKeys = member, tries: int = 1
    ) -> tuple[Submission, CountingLink, list[int]]:
        links.append(CountingLink(open_link(portal.url)))
        confirmed: list[int] = []
        sending = Submission(
            Bundle.read(folder),
            links[-1],
            keys,
            RequestCounter(folder.with_name("counter"), day),
            confirmed=confirmed.append,
            wait=lambda seconds: time.sleep(min(seconds, 0.2)),
            tries=tries,
        )
        return sending, links[-1], confirmed

    yield made
    for each in links:
        each.__exit__(None, None, None)


def test_the_portal_gets_exactly_the_bundle(
    portal: PortalProgram, carried: Path, begin: Begin
) -> None:
    sending, _, confirmed = begin(carried)
    sending.run()
    assert arrived(portal, carried) == files(carried)
    assert sum(confirmed) == Bundle.read(carried).sealed_bytes
    assert not carried.with_name("carried.upload").exists()


def test_a_second_run_sends_nothing_and_gets_the_same_receipt(large: Path, begin: Begin) -> None:
    first, _, _ = begin(large)
    receipt = first.run()
    again, link, _ = begin(large)
    assert again.run() == receipt
    assert link.sent == 0


@pytest.mark.threat("T-06")
def test_after_a_break_only_what_is_missing_is_sent(
    portal: PortalProgram, large: Path, begin: Begin
) -> None:
    broken, link, confirmed = begin(large)
    link.breaks_at = 16 * MEGABYTE
    with pytest.raises(PortalAwayError):
        broken.run()
    whole = Bundle.read(large).sealed_bytes
    assert 8 * MEGABYTE <= sum(confirmed) < whole
    goes_on, second, _ = begin(large)
    goes_on.run()
    # What was gathered but not counted when it broke, and records, may come again.
    assert second.sent <= whole - sum(confirmed) + MEGABYTE
    assert arrived(portal, large) == files(large)


@REFUSED
@pytest.mark.threat("T-06")
def test_a_portal_killed_in_the_middle_loses_nothing_that_it_confirmed(
    portal: PortalProgram, large: Path, begin: Begin
) -> None:
    sending, link, confirmed = begin(large, tries=60)
    receipts: list[bytes] = []
    thread = threading.Thread(target=lambda: receipts.append(sending.run()))
    thread.start()
    for least in (2, 10):
        while sum(confirmed) < least * MEGABYTE and thread.is_alive():
            time.sleep(0.005)
        portal.end(signal.SIGKILL)
        portal.serve()
    thread.join(timeout=60)
    assert receipts
    assert arrived(portal, large) == files(large)
    assert sum(confirmed) == Bundle.read(large).sealed_bytes
    gc.collect()
    assert link.sent < 3 * Bundle.read(large).sealed_bytes


def test_a_bundle_that_changed_on_the_disk_is_found_out_before_the_end(
    portal: PortalProgram, large: Path, begin: Begin
) -> None:
    path = max((large / "objects").iterdir(), key=lambda each: each.stat().st_size)
    content = bytearray(path.read_bytes())
    content[20 * MEGABYTE] ^= 1
    path.write_bytes(content)
    sending, _, _ = begin(large)
    with pytest.raises(BundleError) as failure:
        sending.run()
    assert failure.value.sentence.key == "client.object-differs"
    assert arrived(portal, large) == {}
    path.write_bytes(content[:-1])
    cut, _, _ = begin(large)
    with pytest.raises(BundleError):
        cut.run()


def test_keys_that_are_not_enrolled_send_nothing(
    carried: Path, rehearsal: Rehearsal, begin: Begin
) -> None:
    stranger = MemberKeys.generate(rehearsal.account)
    sending, _, confirmed = begin(carried, keys=stranger)
    with pytest.raises(PortalRefusedError) as failure:
        sending.run()
    assert failure.value.fault is UploadFault.NOT_SIGNED
    assert confirmed == []


def test_the_same_keys_on_two_machines_do_not_lock_each_other_out(
    carried: Path, begin: Begin
) -> None:
    counter = carried.with_name("counter")
    for _ in range(3):
        sending, _, _ = begin(carried, tries=6)
        sending.run()
        counter.unlink()


@pytest.mark.threat("T-08")
def test_a_receipt_of_something_else_is_not_taken(
    carried: Path, large: Path, rehearsal: Rehearsal, begin: Begin
) -> None:
    other, _, _ = begin(large)
    note, kit = Bundle.read(carried).note, load_kit(rehearsal.kit)
    with pytest.raises(ReceiptError) as failure:
        believe(other.run(), note, other.log, kit, ())
    assert failure.value.sentence.key == "client.receipt-of-something-else"
    with pytest.raises(ReceiptError):
        believe(carried.joinpath("package.note").read_bytes(), note, None, kit, ())


def test_the_command_hands_over_keeps_the_receipt_and_verify_believes_it(
    portal: PortalProgram,
    words: list[str],
    rehearsal: Rehearsal,
    day: date,
    capsys: pytest.CaptureFixture[str],
) -> None:
    public = PortalKeys.load(portal.data / "portal" / "portal.keys").public
    carried = Path(words[0])
    card = portal.write_signer_card(public, carried.with_name("signer.note"), day)
    words += ["--portal", portal.url, "--json", "--portal-card", str(card)]
    assert submit(words) == ExitCode.OK
    said = json.loads(capsys.readouterr().out)
    assert said["receipt_judged"] is True
    path = Path(said["receipt"])
    assert path == carried.with_name("carried.receipt")
    assert ReceiptFile.from_bytes(path.read_bytes()).proof is None
    assert submit(words) == ExitCode.OK
    capsys.readouterr()
    judged = [str(path), "--kit", str(rehearsal.kit), "--card", str(card)]
    assert verify([*judged, "--note", str(carried / "package.note"), "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["submission"] == said["submission"]
    assert verify([str(path)]) == ExitCode.KEY_UNKNOWN
    assert verify(judged) == ExitCode.OK
    assert "training.invalid/portal" in capsys.readouterr().out


@REFUSED
def test_the_command_says_in_words_why_it_did_not(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert submit([*words, "--portal", "https://example.org"]) == ExitCode.REFUSED
    assert "[client.address-refused]" in capsys.readouterr().err
    assert submit([*words, "--portal", f"unix:{tmp_path}/none"]) == ExitCode.REFUSED
    said = capsys.readouterr().err
    assert said.index("Trying again in 1 s") < said.index("[client.portal-away]")
    gc.collect()


def test_whoever_stops_it_is_told_that_nothing_is_lost(words: list[str], tmp_path: Path) -> None:
    program = [str(Path(sys.executable).with_name("amana")), "submit", *words]
    with subprocess.Popen(
        [*program, "--portal", f"unix:{tmp_path}/none", "--tries", "20"],
        stderr=subprocess.PIPE,
        env={**os.environ, "AMANA_LANGUAGE": "en"},
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Trying again" in line:
                process.send_signal(signal.SIGINT)
                break
        assert "run the same command again" in process.stderr.read()
    assert process.returncode == ExitCode.INTERRUPTED
