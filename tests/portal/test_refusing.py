"""What is not whole, not ours or too much is refused, and leaves nothing behind."""

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.pages import REFUSAL_BYTES
from tests.portal.body import BOUNDARY, CONTENT_TYPE, body, field, file
from tests.portal.conftest import LIMITS, Site

A_FILE = file("a", b"A" * 300_000)


def post(site: Site, content: bytes | Iterator[bytes], content_type: str = CONTENT_TYPE) -> int:
    answer = site.client.post("/en/give", content=content, headers={"content-type": content_type})
    if answer.status_code != 200:
        assert len(answer.content) == REFUSAL_BYTES
    return answer.status_code


def connect(site: Site) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(str(site.house.settings.data_directory / "portal.sock"))
    return connection


def head(length: int) -> bytes:
    return (
        f"POST /en/give HTTP/1.1\r\nHost: portal\r\nContent-Type: {CONTENT_TYPE}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def wait_until_nothing_is_left(site: Site) -> None:
    for _ in range(100):
        if not site.house.left:
            return
        time.sleep(0.05)
    assert site.house.left == set()


def wait_until_something_is_there(site: Site) -> None:
    for _ in range(100):
        if site.house.left:
            return
        time.sleep(0.05)
    raise AssertionError("nothing arrived")


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([A_FILE], 403),  # no token at all
        ([field("token", "made-up"), A_FILE], 403),
        ([field("PRESERVE", "YES"), field("token", "TOKEN"), A_FILE], 403),
        ([field("token", "TOKEN"), A_FILE, field("PRESERVE", "YES")], 400),
        ([field("token", "TOKEN"), field("PRESERVE", "YES"), field("PRESERVE", "NO")], 400),
        ([field("token", "TOKEN"), field("PRESERVE", "PERHAPS"), A_FILE], 400),
        ([field("token", "TOKEN"), field("age", "12"), A_FILE], 400),
        ([field("token", "TOKEN"), field("understood", "NO"), A_FILE], 400),
        ([field("token", "TOKEN"), field("colour", "blue"), A_FILE], 400),
        ([field("token", "TOKEN"), field("age", "x" * 513), A_FILE], 400),
        ([field("token", "TOKEN"), field("files", "no file name"), A_FILE], 400),
        ([field("token", "TOKEN"), b"X-Other: 1\r\n\r\nvalue"], 400),
        ([field("token", "TOKEN"), b"\r\nno head"], 400),
        ([field("token", "TOKEN"), A_FILE.replace(b"\r\n\r\n", b"\r\nA: b\r\n\r\n", 1)], 400),
        ([field("token", "TOKEN")], 400),
        ([field("token", "TOKEN"), field("text", ""), file("", b"")], 400),
    ],
)
def test_a_form_that_breaks_a_rule_is_refused_whole(
    site: Site, parts: list[bytes], status: int
) -> None:
    token = site.token().encode()
    assert post(site, body(*(part.replace(b"TOKEN", token) for part in parts))) == status
    assert site.house.left == set()


def test_a_form_that_was_open_for_a_day_is_refused(site: Site) -> None:
    token = site.token()
    site.house.clock.advance(25 * 3600)
    assert post(site, body(field("token", token), A_FILE)) == 403


def test_a_form_of_another_site_is_refused(site: Site) -> None:
    answer = site.client.post(
        "/en/give",
        content=body(field("token", site.token()), A_FILE),
        headers={"content-type": CONTENT_TYPE, "sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403
    assert site.house.left == set()


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        f"multipart/mixed; boundary={BOUNDARY}",
        f"multipart/form-data; boundary={'b' * 71}",
    ],
)
def test_a_body_without_a_boundary_is_refused(site: Site, content_type: str) -> None:
    assert post(site, body(field("token", site.token()), A_FILE), content_type) == 400
    assert site.house.left == set()


@pytest.mark.threat("T-06")
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, -3, -len(BOUNDARY), -len(BOUNDARY) - 6])
def test_a_body_that_was_cut_is_never_a_submission(site: Site, kept: float) -> None:
    """Announced as complete by its length, as a proxy or a bad client would."""
    whole = body(field("token", site.token()), A_FILE, file("b", b"B" * 2_000_000))
    cut = whole[: int(kept) if kept < 0 else int(len(whole) * kept)]
    assert post(site, cut) == 400
    assert site.house.left == set()


@pytest.mark.threat("T-06")
def test_a_visitor_who_goes_away_leaves_nothing(site: Site) -> None:
    whole = body(field("token", site.token()), A_FILE, file("b", b"B" * 5_000_000))
    with connect(site) as connection:
        connection.sendall(head(len(whole)) + whole[:-1_000_000])
        wait_until_something_is_there(site)
    wait_until_nothing_is_left(site)


def test_a_visitor_who_sends_nothing_for_too_long_is_told(serve: Callable[..., Site]) -> None:
    site = serve(replace(LIMITS, idle_seconds=0.3))
    whole = body(field("token", site.token()), A_FILE, file("b", b"B" * 3_000_000))
    with connect(site) as connection:
        connection.sendall(head(len(whole)) + whole[:-1_000])
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 400
        assert b"Nothing arrived for too long" in answer.read()
    assert site.house.left == set()


def test_a_visitor_who_sends_too_slowly_loses_the_place(serve: Callable[..., Site]) -> None:
    site = serve(replace(LIMITS, upload_seconds=0.5))
    whole = body(field("token", site.token()), A_FILE)

    def dripping() -> Iterator[bytes]:
        for start in range(0, len(whole), 30_000):
            yield whole[start : start + 30_000]
            time.sleep(0.1)

    assert post(site, dripping()) == 400
    assert site.house.left == set()


def test_more_than_a_form_can_carry_is_refused(serve: Callable[..., Site]) -> None:
    site = serve(replace(LIMITS, body_bytes=1_000_000, items=3))
    token = field("token", site.token())
    large = body(token, file("a", b"A" * 1_000_000))
    assert post(site, large) == 413
    assert post(site, iter([large[:500_000], large[500_000:]])) == 413  # no length was announced
    assert post(site, body(token, *[file("a", b"")] * 4)) == 413
    assert site.house.left == set()


def test_ten_thousand_parts_are_refused_before_they_cost_anything(site: Site) -> None:
    assert post(site, body(field("token", site.token()), *[file("", b"")] * 10_000)) == 413
    assert site.house.left == set()


def test_no_room_is_said_before_anything_is_read(serve: Callable[..., Site]) -> None:
    site = serve(replace(LIMITS, spare_bytes=1 << 60))
    assert post(site, body(field("token", site.token()), A_FILE)) == 507
    assert site.house.left == set()


def test_when_every_place_is_taken_the_next_visitor_is_told(serve: Callable[..., Site]) -> None:
    site = serve(replace(LIMITS, uploads=1))
    whole = body(field("token", site.token()), A_FILE, file("b", b"B" * 3_000_000))
    with connect(site) as connection:
        connection.sendall(head(len(whole)) + whole[:-1])
        wait_until_something_is_there(site)
        assert post(site, whole) == 503
        connection.sendall(whole[-1:])
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 200
        answer.read()
    assert post(site, whole) == 200


@pytest.mark.threat("T-12")
@pytest.mark.parametrize("how", ["missing", "one signature", "lapsed", "not a card"])
def test_without_a_valid_card_nothing_is_taken(site: Site, how: str) -> None:
    token = field("token", site.token())
    match how:
        case "missing":
            site.house.card_path.unlink()
        case "one signature":
            site.house.write_card(site.house.card(), signers=1)
        case "not a card":
            site.house.card_path.write_bytes(b"\xff")
        case _:
            site.house.clock.advance(41 * 24 * 3600)
            token = field("token", site.token())
    assert post(site, body(token, A_FILE)) == 503
    assert site.house.left == set()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_bytes_come_the_answer_is_a_page(site: Site, data: st.DataObject) -> None:
    """A valid form, changed in places or replaced; what still is a form may pass."""
    whole = bytearray(body(field("token", site.token()), field("PRESERVE", "YES"), file("a", b"A")))
    if data.draw(st.booleans()):
        for _ in range(data.draw(st.integers(1, 4))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    else:
        whole = bytearray(data.draw(st.binary(max_size=2_000)))
    assert post(site, bytes(whole)) in {200, 400, 403, 413}
    assert not any("failed" in line for line in site.house.log)
    assert list(site.house.places.receiving.iterdir()) == []
