"""A portal that was taken over: it answers whatever a test makes it say."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from amana.clock import FixedClock
from amana.link.client import open_link
from amana.web.server import listen, server
from amana.wire import pull as wire
from amana.wire.documents import Document
from amana.wire.ids import LogOrigin
from amana.wire.note import PackageNote
from amana.wire.vocabulary import Deployment
from crypto.sign import LogSigner, SigningSeeds
from tests.portal.pulled import COSIGNER, NOON, PULLER, note_of
from worker.pull import PullClient

ORIGIN = LogOrigin("training.invalid/portal")
LOG = LogSigner.from_seeds(ORIGIN, SigningSeeds.generate())

Answer = Callable[[Request], Response]


class Hostile:
    """A portal that answers what it is told to, and counts what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []

    async def answer(self, request: Request) -> Response:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        self.asked.append(path)
        await request.body()
        found = self.answers.get(path)
        return Response(status_code=404) if found is None else found(request)

    def say(self, path: str, content: bytes | Document, status: int = 200, **headers: str) -> None:
        body = content.to_bytes() if isinstance(content, Document) else content
        self.answers[path] = lambda _request: Response(body, status, headers)

    def give(self, *contents: bytes) -> tuple[PackageNote, dict[str, bytes]]:
        note, bodies = note_of(contents, NOON.date())
        self.say(wire.note_path(note.submission_id), signed(note))
        for object_id, body in bodies.items():
            self.say(wire.sealed_path(note.submission_id, object_id), body)
        return note, {str(key): body for key, body in bodies.items()}


def signed(note: PackageNote) -> bytes:
    # Whose signature it has does not matter to the pull.
    return PULLER.sign(note.to_bytes().decode()).to_bytes()


@contextmanager
def taken_over(folder: Path) -> Iterator[Hostile]:
    """Serve such a portal on a unix socket in a folder."""
    hostile = Hostile()
    app = Starlette(routes=[Route("/{rest:path}", hostile.answer, methods=["GET", "POST"])])
    listener = listen("unix:h.sock", folder)
    running = server(app)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield hostile
    finally:
        running.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def pulling(folder: Path, url: str | None = None) -> Iterator[PullClient]:
    """Give a quarantine that pulls from the portal in a folder, or at another address."""
    with open_link(url or f"unix:{folder}/h.sock") as link:
        yield PullClient(
            link,
            PULLER,
            cosigner=COSIGNER,
            log=LOG.key,
            deployment=Deployment.TRAINING,
            memory=folder / "memory",
            clock=FixedClock(NOON),
            spare_bytes=0,
        )
