"""What was finished stays, whatever happens behind it; what was left or forgotten goes."""

import base64
import http.client
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from portal.pages import REFUSAL_BYTES
from tests.portal.body import CONTENT_TYPE, file
from tests.portal.conftest import LIMITS, Site
from tests.portal.drafting import SMALL, Traveller
from tests.portal.test_giving import only
from tests.portal.test_refusing import connect

LARGE = file("b.mp4", b"B" * 3_000_000)


@pytest.fixture
def traveller(site: Site) -> Traveller:
    return Traveller(site.client)


def begin_upload(site: Site, traveller: Traveller, whole: bytes, kept: int) -> socket.socket:
    """Send some of a body by hand; the connection stays open."""
    connection = connect(site)
    head = (
        f"POST /en/files HTTP/1.1\r\nHost: portal\r\nContent-Type: {CONTENT_TYPE}\r\n"
        f"Cookie: draft={traveller.cookie}\r\nContent-Length: {len(whole)}\r\n\r\n"
    )
    connection.sendall(head.encode() + whole[:kept])
    return connection


def sealed(site: Site) -> int:
    return sum(path.stat().st_size for path in site.house.places.drafts.rglob("*.age"))


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def status_of(connection: socket.socket) -> int:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


@pytest.mark.threat("T-06")
@pytest.mark.parametrize("how", ["circuit", "cut", "bad part"])
def test_finished_files_stay_when_a_later_one_fails(
    site: Site, traveller: Traveller, how: str
) -> None:
    traveller.begin(PRESERVE="YES")
    traveller.add(SMALL)
    whole = traveller.whole(SMALL, LARGE)
    match how:
        case "circuit":
            begin_upload(site, traveller, whole, len(whole) - 500_000).close()
        case "cut":
            assert traveller.send(whole[:-500_000]).status_code == 400
        case _:
            answer = traveller.add(SMALL, LARGE, b"\r\nno head")
            assert (answer.status_code, len(answer.content)) == (400, REFUSAL_BYTES)
            assert "still there" in answer.text
    wait_for(lambda: len(traveller.shown) == 2)
    # The request that broke off lets go of the draft a moment after it kept what was whole.
    wait_for(lambda: traveller.add(file("c", b"C")).status_code == 303)
    traveller.hand_over()
    assert sorted(item.name.raw for item in only(site.house).items) == [b"a.jpg", b"a.jpg", b"c"]


def test_a_full_disk_takes_back_only_what_did_not_fit(
    site: Site, traveller: Traveller, serve: Callable[..., Site]
) -> None:
    traveller.begin()
    traveller.add(SMALL)
    cookie = traveller.cookie
    site.end()
    full = serve(replace(LIMITS, spare_bytes=1 << 60))
    full.client.cookies.set("draft", cookie)
    again = Traveller(full.client)
    assert again.add(LARGE).status_code == 507
    assert again.hand_over().status_code == 507
    assert again.shown == ["File 1: 300 KB"]


def test_a_second_writer_is_told_and_disturbs_nobody(site: Site, traveller: Traveller) -> None:
    traveller.begin()
    whole = traveller.whole(LARGE)
    with begin_upload(site, traveller, whole, len(whole) - 9) as first:
        wait_for(lambda: sealed(site) > 0)
        for answer in (traveller.add(SMALL), traveller.post("purposes"), traveller.hand_over()):
            assert answer.status_code == 409
            assert "still arriving" in answer.text
        first.sendall(whole[-9:])
        assert status_of(first) == 303
    assert traveller.shown == ["File 1: 3.0 MB"]


def test_a_writer_that_fell_silent_gives_way(serve: Callable[..., Site]) -> None:
    """The circuit is gone, and the portal has not been told."""
    site = serve(replace(LIMITS, stall_seconds=0.2))
    traveller = Traveller(site.client)
    traveller.begin()
    whole = traveller.whole(SMALL, LARGE)
    with begin_upload(site, traveller, whole, len(whole) - 500_000):
        wait_for(lambda: sealed(site) > 0)
        time.sleep(0.3)
        assert traveller.add(file("c", b"C")).status_code == 303
    assert traveller.shown == ["File 1: 300 KB", "File 2: 1 KB"]


def test_who_leaves_leaves_nothing_and_nobody_can_go_on(site: Site, traveller: Traveller) -> None:
    traveller.begin(PRESERVE="YES")
    traveller.add(SMALL)
    cookie = traveller.cookie
    answer = site.client.post("/leave")
    assert answer.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert site.house.left == set()
    assert "draft" not in site.client.cookies
    site.client.cookies.set("draft", cookie)
    assert traveller.page("files").status_code == 410


def test_leaving_in_the_middle_of_an_upload_ends_it_at_once(
    site: Site, traveller: Traveller
) -> None:
    traveller.begin()
    whole = traveller.whole(SMALL, LARGE)
    with begin_upload(site, traveller, whole, len(whole) - 500_000) as first:
        wait_for(lambda: sealed(site) > 0)
        assert site.client.post("/leave").status_code == 303
        assert site.house.left == set()
        assert status_of(first) == 410
    assert site.house.left == set()


def test_a_draft_that_nobody_touches_ends_and_bytes_put_it_off(
    serve: Callable[..., Site],
) -> None:
    site = serve(replace(LIMITS, draft_seconds=0.6))
    traveller = Traveller(site.client)
    traveller.begin()
    traveller.add(SMALL)
    whole = traveller.whole(LARGE)

    def dripping() -> Iterator[bytes]:
        for start in range(0, len(whole), 400_000):
            yield whole[start : start + 400_000]
            time.sleep(0.15)

    assert traveller.send(dripping()).status_code == 303
    assert len(traveller.shown) == 2
    time.sleep(0.8)
    answer = traveller.page("files")
    assert (answer.status_code, len(answer.content)) == (410, REFUSAL_BYTES)
    assert "half an hour" in answer.text
    assert site.house.left == set()


def test_a_receipt_is_shown_for_a_short_while_only(serve: Callable[..., Site]) -> None:
    site = serve(replace(LIMITS, handed_seconds=0.3))
    traveller = Traveller(site.client)
    traveller.begin()
    traveller.add(SMALL)
    traveller.hand_over()
    assert traveller.page("thanks").status_code == 200
    time.sleep(0.4)
    assert traveller.page("thanks").status_code == 410
    assert len(list(site.house.places.received.iterdir())) == 1


def test_a_cookie_that_is_none_or_anothers_opens_nothing(site: Site, traveller: Traveller) -> None:
    traveller.begin(PRESERVE="YES")
    traveller.add(SMALL)
    mine = traveller.cookie
    raw = base64.urlsafe_b64decode(mine)
    other_key = base64.urlsafe_b64encode(raw[:16] + secrets.token_bytes(32)).decode()
    token = traveller.token("review")
    for cookie in ("", "x", "draft", mine[:-4], f"{mine}AAAA", other_key, mine[::-1], "%00" * 99):
        site.client.cookies.clear()
        headers = {"cookie": f"draft={cookie}"}
        for step in ("purposes", "files", "review", "thanks"):
            assert site.client.get(f"/en/{step}", headers=headers).status_code == 410
        answer = site.client.post("/en/review", data={"token": token}, headers=headers)
        assert answer.status_code == 410
        site.client.post("/leave", headers=headers)
    site.client.cookies.set("draft", mine)
    assert traveller.shown == ["File 1: 300 KB"]


@pytest.mark.parametrize("step", ["words", "purposes", "files", "review"])
def test_a_form_of_another_site_or_of_another_page_does_nothing(
    site: Site, traveller: Traveller, step: str
) -> None:
    traveller.begin()
    traveller.add(SMALL)
    foreign = {"sec-fetch-site": "cross-site"}
    token = {"token": traveller.token(step)}
    assert site.client.post(f"/en/{step}", data=token, headers=foreign).status_code == 403
    other = {"token": traveller.token("return")}
    assert site.client.post(f"/en/{step}", data=other).status_code in {400, 403}
    assert traveller.shown == ["File 1: 300 KB"]
    assert list(site.house.places.received.iterdir()) == []


@pytest.mark.parametrize(
    "form",
    [
        {"PRESERVE": "PERHAPS"},
        {"colour": "blue"},
        {"age": "12"},
        {"words": "one two"},
        {"PRESERVE": "é"},
    ],
)
def test_an_answer_that_is_none_is_refused(traveller: Traveller, form: dict[str, str]) -> None:
    traveller.begin(PRESERVE="NO")
    assert traveller.post("purposes", **form).status_code == 400
    assert "checked" in traveller.page("purposes").text


def test_one_draft_carries_no_more_than_one_form(serve: Callable[..., Site]) -> None:
    site = serve(replace(LIMITS, body_bytes=1_000_000, items=3))
    traveller = Traveller(site.client)
    traveller.begin()
    assert traveller.add(SMALL, SMALL).status_code == 303
    assert traveller.add(file("c", b"C" * 500_000)).status_code == 413
    assert traveller.add(file("c", b"C"), file("d", b"D")).status_code == 413
    assert len(traveller.shown) == 3
    assert traveller.hand_over().status_code == 303


def test_drafts_of_strangers_share_a_pool(serve: Callable[..., Site]) -> None:
    site = serve(replace(LIMITS, draft_pool_bytes=1_200_000, drafts=2, items=4))
    first, second = (
        Traveller(httpx.Client(transport=each, base_url="http://portal"))
        for each in (httpx.HTTPTransport(uds=site_socket(site)) for _ in range(2))
    )
    first.begin()
    second.begin()
    assert Traveller(site.client).post("words").status_code == 503
    assert first.add(SMALL, SMALL).status_code == 303
    assert second.add(SMALL).status_code == 507
    first.client.post("/leave")
    assert second.add(SMALL).status_code == 303
    first.client.close()
    second.client.close()


def site_socket(site: Site) -> str:
    return str(site.house.settings.data_directory / "portal.sock")
