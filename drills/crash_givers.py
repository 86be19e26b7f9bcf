"""Providers while programs are killed: a member of an organisation, and a person at the pages.

The member goes on with the same bundle until the portal gives a receipt, by whatever breaks. The
person has no receipt: a page that does not come means that nothing is promised, and the same files
are given anew, under other names, so that each attempt is told apart at the end.
"""

import contextlib
import hashlib
import json
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from amana.clock import SystemClock, today
from amana.durable import durable
from amana.wire.words import VersionText
from client.conditions import load_conditions
from client.keys import MemberKeys
from client.plan import plan
from client.sealing import Commission, seal_tree
from client.tree import walk
from client.trust import believe_card, load_kit
from crypto.recipients import HybridRecipient
from drills.crash_dice import Dice
from examples.deployment import AGREEMENT, CONSENT, PASSPHRASE, Deployment, program
from examples.visitor import Visitor

_ATTEMPTS: Final = 100
_PAUSE_SECONDS: Final = 0.5
_SMALL_BYTES: Final = 40_000
_LARGE_BYTES: Final = 9 << 20
_CONTENT: Final = b"EXAMPLE: what a person wrote."


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One attempt to give files.

    files: SHA-256 by the whole name as it was given. others: further contents without a name that
    is known here. is_acknowledged: whether the provider was told that it arrived. submission: its
    id, where the provider knows it. receipt: its receipt's file.
    """

    label: str
    files: Mapping[bytes, str]
    is_acknowledged: bool
    others: tuple[str, ...] = ()
    submission: str = ""
    receipt: Path | None = None


class Member:
    """Seals a folder, submits it by `amana submit`, and again until there is a receipt."""

    def __init__(self, deployment: Deployment, portal: str, dice: Dice) -> None:
        self._deployment = deployment
        self._portal = portal
        self._dice = dice
        self._commission = _commission(deployment)
        self._running: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self.runs = 0

    def kill(self) -> bool:
        """Kill the program that submits, if one runs."""
        with self._lock:
            if self._running is None or self._running.poll() is not None:
                return False
            self._running.kill()
            return True

    def give(self, number: int) -> Given:
        """Give one folder; return when the receipt is there, or after all attempts."""
        label = f"Field-{number:03}"
        home = self._deployment.folder / "given" / label
        folder = home / label
        (folder / "inner").mkdir(parents=True)
        sizes = (0, 1 + self._dice.below(_SMALL_BYTES), self._dice.below(_LARGE_BYTES))
        paths = [folder / "empty.txt", folder / "inner" / "note.txt", folder / "film.bin"]
        for path, size in zip(paths, sizes, strict=True):
            path.write_bytes(secrets.token_bytes(size))
        files = {os.fsencode(path.relative_to(home)): _digest(path.read_bytes()) for path in paths}
        bundle, receipt = home / "bundle", home / "receipt"
        planned = plan(walk([folder]).entries)
        seal_tree(planned, self._commission, bundle, lambda _: None)
        submission = self._submit(bundle, receipt, home / "submit.log")
        return Given(
            label=label,
            files=files,
            is_acknowledged=bool(submission),
            submission=submission,
            receipt=receipt,
        )

    def _submit(self, bundle: Path, receipt: Path, log: Path) -> str:
        """Give the submission's id as the receipt has it; nothing if there never was one."""
        made = self._deployment
        words = [
            *(program(), "submit", bundle, "--kit", made.kit, "--keys", made.keys),
            *("--passphrase-file", made.passphrase, "--portal", self._portal, "--json"),
            *("--portal-card", made.kit.parent / "portal-receipts.note"),
            *("--receipt", receipt, "--tries", "3"),
        ]
        for _ in range(_ATTEMPTS):
            self.runs += 1
            with log.open("a") as errors:
                process = subprocess.Popen(  # noqa: S603 - the project's own program
                    [str(word) for word in words],
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                )
                with self._lock:
                    self._running = process
                told, _ = process.communicate()
            if process.returncode == 0:
                return str(json.loads(told)["submission"])
            time.sleep(_PAUSE_SECONDS)
        return ""


class Person:
    """Gives files at the pages, and anew after every break."""

    def __init__(self, deployment: Deployment, portal: str, dice: Dice) -> None:
        self._folder = deployment.folder / "given"
        self._portal = portal
        self._dice = dice

    def give(self, number: int, keep: Callable[[Given], None]) -> None:
        """Try until the page says thank you. keep: takes each attempt, the failed ones too."""
        for attempt in range(_ATTEMPTS):
            label = f"person-{number:03}-{attempt:02}"
            folder = self._folder / label
            folder.mkdir(parents=True)
            sizes = (1 + self._dice.below(_SMALL_BYTES), self._dice.below(_LARGE_BYTES // 2))
            paths = [folder / f"{label}-{place}.bin" for place in range(len(sizes))]
            for path, size in zip(paths, sizes, strict=True):
                path.write_bytes(secrets.token_bytes(size))
            is_thanked = self._try(paths)
            keep(
                Given(
                    label=label,
                    files={os.fsencode(each.name): _digest(each.read_bytes()) for each in paths},
                    is_acknowledged=is_thanked,
                    others=(_digest(_CONTENT),),
                )
            )
            if is_thanked:
                return
            time.sleep(_PAUSE_SECONDS)

    def _try(self, paths: list[Path]) -> bool:
        with contextlib.suppress(ConnectionError, httpx.HTTPError):
            with contextlib.closing(Visitor(self._portal)) as visitor:
                visitor.give(paths, _CONTENT.decode())
            return True
        return False


def cheapen(deployment: Deployment, passphrase: str = PASSPHRASE) -> None:
    """Lock the member's keys anew at the least cost: they are opened at every run of `submit`."""
    from crypto.private import keyfile  # noqa: PLC0415

    cost = keyfile.Cost(memory_bytes=keyfile.LEAST_MEMORY_BYTES, operations=1)
    inside = keyfile.unlock(deployment.keys.read_bytes(), passphrase)
    deployment.keys.unlink()
    with durable(deployment.keys) as target:
        target.write(keyfile.lock(inside, passphrase, cost))


def _commission(made: Deployment) -> Commission:
    kit, day = load_kit(made.kit), today(SystemClock())
    card = believe_card(made.kit, kit, [made.card], day)
    keys = MemberKeys.load(made.keys, PASSPHRASE)
    return Commission(
        account=kit.account,
        card=card.card_id,
        recipient=HybridRecipient.from_text(card.recipient),
        deployment=kit.deployment,
        reply=keys.reply,
        signer=keys.signer,
        client_version=VersionText("amana/drill"),
        conditions=load_conditions(AGREEMENT, [(CONSENT, None)], None, account=kit.account, on=day),
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
