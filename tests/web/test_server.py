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
