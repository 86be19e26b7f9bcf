"""The server waits for nobody for ever, and its own answers carry the headers of a page."""

import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from amana.web import server as module
from amana.web.headers import header_set
from amana.web.server import AddressError, listen, server

Connect = Callable[[], socket.socket]


async def _page(_request: Request) -> Response:
    return PlainTextResponse("here")


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    listener = listen("unix:web.sock", tmp_path)
    running = server(Starlette(routes=[Route("/", _page)]))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    opened: list[socket.socket] = []

    def start() -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(10)
        connection.connect(str(tmp_path / "web.sock"))
        opened.append(connection)
        return connection

    yield start
    for connection in opened:
        connection.close()
    running.should_exit = True
    thread.join()
    listener.close()


def everything(connection: socket.socket) -> bytes:
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received


def test_what_is_no_http_gets_an_empty_answer_with_the_headers(connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
    answer = everything(connection)
    head = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head[0] == b"HTTP/1.1 400 Bad Request"
    assert {b"%b: %b" % header for header in header_set()} <= set(head)
    assert answer.endswith(b"\r\n\r\n")
    assert b"server" not in answer.lower().replace(b"opener", b"")


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come_ends_the_connection(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.2)
    connection = connect()
    connection.sendall(begun)
    assert everything(connection) == b""


def test_the_timer_ends_with_the_head_and_a_connection_serves_twice(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.5)
    connection = connect()
    for _ in range(2):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while not answer.endswith(b"here"):
            answer += connection.recv(4_096)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"date:" not in answer.lower()


def test_one_connection_too_many_is_turned_away(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 0)
    assert everything(connect()).startswith(b"HTTP/1.1 503 ")


def test_a_socket_is_for_its_owner_and_group_and_replaces_a_dead_one(tmp_path: Path) -> None:
    listen("unix:a.sock", tmp_path).close()
    with listen("unix:a.sock", tmp_path):
        assert stat.S_IMODE((tmp_path / "a.sock").stat().st_mode) == 0o660


@pytest.mark.parametrize(
    "address", ["0.0.0.0:80", "localhost:80", "127.0.0.1:", "127.0.0.1:99999", "[::]:1", "", "80"]
)
def test_an_address_that_others_can_reach_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(AddressError):
        listen(address, tmp_path)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.sock").write_text("mine")
    with pytest.raises(AddressError):
        listen("unix:a.sock", tmp_path)
    assert (tmp_path / "a.sock").read_text() == "mine"


def test_loopback_listens_on_this_machine(tmp_path: Path) -> None:
    with listen("127.0.0.1:0", tmp_path) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_socket_that_somebody_listens_at_is_not_taken_over(tmp_path: Path) -> None:
    with listen("unix:a.sock", tmp_path) as first:
        with pytest.raises(OSError, match="somebody listens"):
            listen("unix:a.sock", tmp_path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(tmp_path / "a.sock"))
            first.accept()[0].close()


START = b"GET / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"a" * 20_000,  # never ends
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        START + b"A: " + b"a" * 20_000,
        START + b"A: b\r\n" * 64 + b"\r\n",
        START + b"A: " + b"a" * 9_000 + b"\r\nB: " + b"b" * 9_000 + b"\r\n\r\n",
        CHUNKED + b"A: b\r\n" * 64,
    ],
)
def test_a_head_or_trailer_that_is_too_long_is_not_kept(connect: Connect, sent: bytes) -> None:
    connection = connect()
    connection.sendall(sent)
    answer = everything(connection)
    assert answer == b"" or answer[9:12] in {b"400", b"431", b"405"}
    assert b"here" not in answer


def test_a_trailer_that_never_ends_is_not_kept(connect: Connect) -> None:
    connection = connect()
    connection.settimeout(5)  # sooner than the rest of an answered body is given up
    connection.sendall(CHUNKED + b"A: ")
    connection.recv(4_096)
    connection.sendall(b"a" * 40_000)
    everything(connection)


def test_a_body_and_a_usual_head_are_not_counted_as_head(connect: Connect) -> None:
    connection = connect()
    request = START + b"A: b\r\n" * 60 + b"Content-Length: 100000\r\n\r\n" + b"b" * 100_000
    connection.sendall(request * 2)
    answer = b""
    while answer.count(b"here") < 2:
        answer += connection.recv(4_096)


@pytest.mark.parametrize("stray", [b"\r\n", b"\r\n\r\n"])
def test_an_empty_line_does_not_keep_a_connection_for_ever(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, stray: bytes
) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    connection = connect()
    connection.sendall(START + b"\r\n")
    answer = b""
    while not answer.endswith(b"here"):
        answer += connection.recv(4_096)
    connection.sendall(stray)
    assert everything(connection) == b""


def test_the_rest_of_a_body_that_was_answered_is_not_read_for_ever(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DRAIN_SECONDS", 0.3)
    connection = connect()
    connection.sendall(START + b"Content-Length: 1000000\r\n\r\n" + b"b" * 10)
    assert everything(connection).endswith(b"here")
