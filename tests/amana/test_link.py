"""There is no way into the open network: not by a mistyped address, a redirect or a proxy."""

import base64
import gc
import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from amana.link.client import open_link, read_bounded
from amana.link.errors import AddressError, AnswerError

pytestmark = pytest.mark.threat("T-26")


def onion(key: bytes = bytes(32)) -> str:
    """A well-formed address of nobody."""
    summed = hashlib.sha3_256(b".onion checksum" + key + b"\x03").digest()[:2]
    return base64.b32encode(key + summed + b"\x03").decode().lower() + ".onion"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org",
        "https://example.org",
        "http://10.0.0.1",
        "http://localhost",  # a name is looked up, and who knows where
        "ftp://127.0.0.1",
        "http://user:word@127.0.0.1",
        "http://127.0.0.1/?q=1",
        f"https://{onion()}",
        f"http://a{onion()}",
        "http://" + "a" * 56 + ".onion",
        "http://short.onion",
        "http://ü.onion",
        "http://[",
        "",
    ],
)
def test_other_addresses_are_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(AddressError):
        open_link(url, socks="127.0.0.1:9050")


@pytest.mark.parametrize(
    "socks",
    [
        None,
        "example.org:9050",
        "8.8.8.8:9050",
        "127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "[127.0.0.1]:9050",
        "::1:x",
        "::1:9050",
    ],
)
def test_an_onion_address_needs_a_socks_port_nearby(socks: str | None) -> None:
    with pytest.raises(AddressError):
        open_link(f"http://{onion()}", socks=socks)


def test_nothing_that_a_server_wants_kept_is_sent_back() -> None:
    """A cookie would tell that two requests are one program's."""
    reply = b"HTTP/1.1 204 No Content\r\nSet-Cookie: name=ab12; Path=/\r\nConnection: close\r\n\r\n"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with open_link(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            for _ in range(2):
                with answering(listener, reply) as heard:
                    assert client.get("/").headers["set-cookie"]
                assert b"ab12" not in heard[0]


def test_a_request_elsewhere_is_refused_on_the_way_out() -> None:
    with open_link("http://127.0.0.1:1") as client:
        for url in ("http://example.org/", "http://127.0.0.1:2/", "https://127.0.0.1:1/"):
            with pytest.raises(AddressError):
                client.get(url)


@contextmanager
def answering(listener: socket.socket, answer: bytes) -> Iterator[list[bytes]]:
    """Answer one connection with these bytes; give what came."""
    heard: list[bytes] = []

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65_536))
            connection.sendall(answer)

    thread = threading.Thread(target=run)
    thread.start()
    yield heard
    thread.join()


ANSWER = b"HTTP/1.1 302 Found\r\nLocation: http://example.org/\r\nContent-Length: 5\r\n\r\nhello"


def test_a_socket_on_this_machine_is_spoken_to_and_a_redirect_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with answering(listener, ANSWER) as heard, open_link(f"unix:{path}") as client:
            answer = client.get("/x")
        assert (answer.status_code, answer.text) == (302, "hello")
        assert b"user-agent" not in heard[0].lower()
        assert b"httpx" not in heard[0].lower()


# httpcore leaves a connection that the proxy refused to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_name_goes_to_tor_and_what_is_isolated_has_a_word_of_its_own() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with (
            answering(listener, b"\x05\x02") as heard,
            open_link(f"http://{onion()}", socks=f"127.0.0.1:{port}", isolation="one") as client,
            pytest.raises(httpx.TransportError),
        ):
            client.get("/")
        # RFC 1928: version 5, one method, which is user and password (RFC 1929).
        assert heard[0] == b"\x05\x01\x02"
    gc.collect()


def test_an_answer_over_its_limit_is_not_read_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "s"
    body = os.urandom(10_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"
    for limit in (10_000, 9_999):
        with socket.socket(socket.AF_UNIX) as listener:
            path.unlink(missing_ok=True)
            listener.bind(str(path))
            listener.listen()
            with (
                answering(listener, head + body),
                open_link(f"unix:{path}") as client,
                client.stream("GET", "/") as answer,
            ):
                if limit == len(body):
                    assert read_bounded(answer, limit) == body
                    continue
                with pytest.raises(AnswerError):
                    read_bounded(answer, limit)
