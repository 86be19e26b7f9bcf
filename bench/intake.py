"""One large file into the portal's form, beside nginx and OnionShare, each into the same disk.

python bench/intake.py [MEBIBYTES]     default 512

All three take the same file over loopback from the same client, which hands it to the kernel
(sendfile). Ours comes through the form: it is parsed, hashed twice, sealed and synced to the disk,
and nothing of it lies there in clear. nginx takes a WebDAV PUT and OnionShare its own form: both
write the file as it is, and neither syncs it. The ratio is the other's time over ours: above 1.0 we
are faster. Medians of three rounds, which take turns. What is not installed here is left out, and
said so. The portal's memory is asked for before and after: its growth is the last column.
"""

import contextlib
import functools
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from amana.clock import SystemClock, today
from examples.rehearsal import prepare
from examples.training_portal import make_portal

MEBIBYTE = 1 << 20
ROUNDS = 3
FOLDER = Path("var/bench-intake").absolute()
BOUNDARY = "amana-bench-boundary"
HOST = "127.0.0.1"
OURS, NGINX = 8711, 8712

Send = Callable[[Path], None]


def main() -> int:
    """Measure, and print one table."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    file = FOLDER / "material.bin"
    with file.open("wb") as target, Path("/dev/urandom").open("rb") as source:
        for _ in range(size):
            target.write(source.read(MEBIBYTE))
    with contextlib.ExitStack() as running:
        portal = running.enter_context(our_portal())
        senders: dict[str, Send] = {"amana portal, sealed and synced": send_ours}
        if shutil.which("nginx", path="/usr/sbin:/usr/bin"):
            running.enter_context(nginx())
            senders["nginx WebDAV PUT, clear"] = send_nginx
        if shutil.which("onionshare-cli"):
            port = running.enter_context(onionshare())
            name = "onionshare-cli receive, clear"
            senders[name] = functools.partial(send_onionshare, port)
        before = memory(portal)
        send_ours(small(FOLDER))
        warm = memory(portal)
        times: dict[str, list[float]] = {name: [] for name in senders}
        for _ in range(ROUNDS):
            for name, send in senders.items():
                begun = time.perf_counter()
                send(file)
                times[name].append(time.perf_counter() - begun)
        after = memory(portal)
    report(size, times)
    print(f"portal's memory: {before} KiB at start, {warm} after 1 MiB, {after} after {size} MiB")
    shutil.rmtree(FOLDER)
    return 0


def report(size: int, times: dict[str, list[float]]) -> None:
    """Print seconds, speed, and the ratio to ours."""
    ours = statistics.median(next(iter(times.values())))
    print(f"{'':34}{'seconds':>9}{'MiB/s':>8}{'their time / ours':>20}")
    for name, each in times.items():
        middle = statistics.median(each)
        print(f"{name:34}{middle:9.2f}{size / middle:8.0f}{middle / ours:20.2f}")


def small(folder: Path) -> Path:
    """Give a file of 1 MiB."""
    path = folder / "small.bin"
    path.write_bytes(bytes(MEBIBYTE))
    return path


def memory(process: int) -> int:
    """Give a process's resident memory in KiB, as /proc names it."""
    text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmRSS:\s+(\d+)", text)[0])


@contextlib.contextmanager
def our_portal() -> Iterator[int]:
    """Serve a training portal; give its process number."""
    keys = prepare(FOLDER / "keys", today(SystemClock()))
    settings = make_portal(FOLDER / "portal", keys)
    with settings.open("a") as target:
        target.write(f'[portal]\nlisten = "{HOST}:{OURS}"\n')
    command = [str(Path(sys.executable).with_name("amana")), "portal"]
    subprocess.run(
        [*command, "init", "--settings", settings], check=True, stdout=subprocess.DEVNULL
    )
    with served([*command, "serve", "--settings", str(settings)], OURS) as process:
        yield process


@contextlib.contextmanager
def nginx() -> Iterator[int]:
    """Serve a folder to which files can be PUT."""
    home = FOLDER / "nginx"
    (home / "files").mkdir(parents=True)
    (home / "nginx.conf").write_text(
        f"daemon off; pid {home}/pid; error_log {home}/error; worker_processes 1; user root;"
        "events {} http { access_log off;"
        f"client_body_temp_path {home}/body; server {{ listen {HOST}:{NGINX};"
        f"client_max_body_size 0; root {home}/files; dav_methods PUT; }} }}",
        encoding="ascii",
    )
    with served(["/usr/sbin/nginx", "-c", str(home / "nginx.conf")], NGINX) as process:
        yield process


@contextlib.contextmanager
def onionshare() -> Iterator[int]:
    """Serve OnionShare's receive mode on loopback, without Tor; give its port, which it chooses."""
    command = ["onionshare-cli", "--receive", "--local-only", "--public", "--data-dir"]
    process = subprocess.Popen(
        [*command, str(FOLDER / "onionshare")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    with ended(process):
        told = iter(process.stdout or ())
        found = (re.search(rf"^http://{HOST}:(\d+)", line) for line in told)
        yield next(int(each[1]) for each in found if each)


@contextlib.contextmanager
def served(command: list[str], port: int) -> Iterator[int]:
    """Run a program until the block ends, once it answers at its port."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with ended(process):
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    break
            time.sleep(0.05)
        yield process.pid


@contextlib.contextmanager
def ended(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> Iterator[None]:
    """End a program with the block."""
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def send_ours(file: Path) -> None:
    """Send through the form, as a browser would."""
    page = exchange(OURS, b"GET /en/give HTTP/1.1\r\n", [])
    token = re.findall(rb'name="token" value="([^"]+)"', page)[0]
    field = part('name="token"') + token + b"\r\n"
    send_form(OURS, "/en/give", field + part('name="files"; filename="material.bin"'), file)


def send_onionshare(port: int, file: Path) -> None:
    """Send through OnionShare's form."""
    head = part('name="file[]"; filename="material.bin"')
    send_form(port, "/upload", head, file)


def send_nginx(file: Path) -> None:
    """Send as a WebDAV PUT."""
    line = f"PUT /{time.monotonic_ns()} HTTP/1.1\r\n".encode()
    exchange(NGINX, line, [file])


def send_form(port: int, path: str, head: bytes, file: Path) -> None:
    """Send one multipart form whose last part is a file."""
    kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    exchange(port, f"POST {path} HTTP/1.1\r\n{kind}".encode(), [head, file, tail])


def part(disposition: str) -> bytes:
    """Give the head of a part."""
    kind = "Content-Type: application/octet-stream\r\n" if "filename" in disposition else ""
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n{kind}\r\n".encode()


def exchange(port: int, head: bytes, body: list[bytes | Path]) -> bytes:
    """Send a request and give the whole answer. ConnectionError: it is no success."""
    length = sum(each.stat().st_size if isinstance(each, Path) else len(each) for each in body)
    fields = f"Host: {HOST}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    with socket.create_connection((HOST, port)) as line:
        line.sendall(head + fields.encode())
        for each in body:
            if isinstance(each, Path):
                with each.open("rb") as source:
                    line.sendfile(source)
            else:
                line.sendall(each)
        answer = b"".join(iter(lambda: line.recv(65_536), b""))
    if not re.match(rb"HTTP/1\.[01] (20|30)", answer):
        raise ConnectionError(answer[:80])
    return answer


if __name__ == "__main__":
    sys.exit(main())
