"""A portal that lies: it is not believed, nothing runs for ever, and the bundle stays as it is."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from amana.link.client import open_link
from amana.wire.ids import LogOrigin, ObjectId, SubmissionId, random_id
from amana.wire.upload import (
    BearerToken,
    MissingObjects,
    UploadPortal,
    UploadSession,
)
from amana.wire.vocabulary import Deployment
from client.errors import KeysError
from client.keys import MemberKeys
from client.submit import Bundle, Submission
from client.submit_link import PortalAwayError, PortalLink
from client.submit_state import RequestCounter
from tests.client.conftest import SealTo

pytestmark = pytest.mark.threat("T-27")

PORTAL = UploadPortal(
    log=LogOrigin("training.invalid/portal"),
    deployment=Deployment.TRAINING,
    object_limit_bytes=1 << 40,
)
PORTAL_DAY = dt.date(2026, 10, 2)
SESSION = UploadSession(token=BearerToken("A" * 43), idle_seconds=60)
Answer = tuple[int, dict[str, str], bytes]
Answers = dict[str, Answer]


@pytest.fixture
def lying() -> Iterator[Callable[[Answers], str]]:
    """Serve the same answer to each method and path, whatever is sent."""
    servers: list[HTTPServer] = []

    def serve(answers: Answers) -> str:
        class Liar(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                kind = self.path.rsplit("/", 1)[-1]
                default: Answer = (204, {"Upload-Offset": "0", "Upload-Length": "1"}, b"")
                status, headers, body = answers.get(kind, default)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_HEAD = _answer  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        servers.append(HTTPServer(("127.0.0.1", 0), Liar))
        threading.Thread(target=servers[-1].serve_forever).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for each in servers:
        each.shutdown()
        each.server_close()


def answers(bundle: Bundle, **changed: Answer) -> Answers:
    """What an honest portal says, but for what is changed."""
    missing = MissingObjects(
        submission_id=bundle.note.submission_id,
        missing=tuple(each.object_id for each in bundle.note.everything()),
    )
    honest: Answers = {
        "v1": (200, {}, PORTAL.to_bytes()),
        "session": (201, {}, SESSION.to_bytes()),
        "submissions": (409, {}, missing.to_bytes()),
        "objects": (201, {"Location": "/api/v1/objects/" + "A" * 22}, b""),
    }
    return honest | changed


@pytest.fixture
def large(tmp_path: Path, seal_to: SealTo) -> Bundle:
    film = tmp_path / "film.mp4"
    film.write_bytes(bytes(3 << 20))
    seal_to(film, tmp_path / "large")
    return Bundle.read(tmp_path / "large")


def run(url: str, bundle: Bundle, member: MemberKeys) -> bytes:
    with PortalLink(open_link(url)) as link:
        counter = RequestCounter(bundle.folder.with_name("counter"), PORTAL_DAY)
        sending = Submission(
            bundle,
            link,
            member,
            counter,
            confirmed=lambda _count: None,
            wait=lambda _seconds: None,
            tries=3,
        )
        return sending.run()


def test_a_portal_that_confirms_nothing_is_left(
    lying: Callable[[Answers], str], large: Bundle, member: MemberKeys
) -> None:
    with pytest.raises(PortalAwayError):
        run(lying(answers(large)), large, member)


def test_a_portal_of_another_deployment_gets_nothing(
    lying: Callable[[Answers], str], large: Bundle, member: MemberKeys
) -> None:
    other = UploadPortal(
        log=PORTAL.log, deployment=Deployment.PRODUCTION, object_limit_bytes=1 << 40
    )
    with pytest.raises(KeysError):
        run(lying(answers(large, v1=(200, {}, other.to_bytes()))), large, member)


@pytest.mark.threat("T-13")
@pytest.mark.parametrize(
    "strange",
    [
        b"",
        b"{}",
        b"x" * (40 << 20),
        MissingObjects(
            submission_id=SubmissionId("ab" * 32), missing=(random_id(ObjectId),)
        ).to_bytes(),
    ],
)
def test_a_strange_list_of_what_is_missing_is_not_believed(
    lying: Callable[[Answers], str], large: Bundle, member: MemberKeys, strange: bytes
) -> None:
    with pytest.raises(PortalAwayError):
        run(lying(answers(large, submissions=(409, {}, strange))), large, member)


@pytest.mark.threat("T-13")
@pytest.mark.parametrize(
    "location", ["", "http://example.org/api/v1/objects/" + "A" * 22, "/api/v1/objects/../x"]
)
def test_a_strange_location_is_not_followed(
    lying: Callable[[Answers], str], large: Bundle, member: MemberKeys, location: str
) -> None:
    with pytest.raises(PortalAwayError):
        run(lying(answers(large, objects=(201, {"Location": location}, b""))), large, member)
