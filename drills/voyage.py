"""One whole trip of material full of canaries; it is meant to be watched from outside.

    python -m drills.voyage FOLDER [--few]

An organisation gives by command line, a person by the pages, strangers knock with odd requests; the
quarantine examines, an officer decides, packages arrive and are opened, and both providers come
back. At its end the folder holds `canaries.json`: every mark, and what it stood in. Addresses come
from the environment.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from crypto.phrase import ReturnPhrase, derive
from crypto.wordlist import Language
from drills.canaries import Canary
from drills.ground import end_in_order
from drills.hostile import Given, Nest, few, lay, many
from examples.arrivals import arrivals, report
from examples.deployment import AGREEMENT, CONSENT, LABEL, OFFICER, Deployment, set_up
from examples.desk import Desk
from examples.trip import running
from examples.visitor import ANSWERS, Visitor
from portal.places import Places

CANARIES: Final = "canaries.json"
MATERIAL: Final = "Material"
REGISTER_ONLY: Final = "an organisation's label"

_SECONDS: Final = 240.0
_WINDOW: Final = 3


class Witness(Visitor):
    """A person at the pages, whose program claims media types."""

    def hand_in(self, given: tuple[Given, ...], text: str) -> None:
        """Give files and a text."""
        fields = {"token": self._token("give"), **ANSWERS, "words": self.words, "text": text}
        parts: list[tuple[str, tuple[str | None, bytes, str]]] = [
            (name, (None, value.encode(), "text/plain")) for name, value in fields.items()
        ]
        parts += [
            ("files", (each.name.rpartition("/")[2], each.content, each.claimed)) for each in given
        ]
        self._checked(self._client.post("give", files=parts))


@dataclass(frozen=True, slots=True)
class StrictDesk(Desk):
    """An officer who keeps what could be scanned, and nothing else."""

    def judge(self) -> frozenset[str]:
        """Decide on every item; give the names of what is not kept."""
        officer = ("--officer", OFFICER)
        amana = self.deployment.amana
        items = [each for submission in self._examined() for each in self._items(submission)]
        found = {"infected", "flagged"}
        flagged = [each["item"] for each in items if each["verdict"] in found]
        refused = [each for each in items if each["verdict"] not in {*found, "clean"}]
        amana("review", "accept", *officer, "--all-clean", "--class", "STANDARD")
        if flagged:
            amana("review", "accept", *officer, "--class", "SENSITIVE", *flagged)
        if refused:
            because = ("--reason", "COULD_NOT_BE_OPENED")
            amana("review", "refuse", *officer, *because, *(each["item"] for each in refused))
        return frozenset(each["name"] for each in refused)

    def keep_all(self) -> None:
        """Keep every item, whatever the scanner could say of it."""
        items = [each["item"] for found in map(self._items, self._examined()) for each in found]
        class_ = ("--class", "SENSITIVE")
        self.deployment.amana("review", "accept", "--officer", OFFICER, *class_, *items)

    def _examined(self) -> list[str]:
        return [each for each, state in self.submissions().items() if state == "EXAMINED"]


def main() -> int:
    """Make the trip. 1: a file that was kept is not the same."""
    parser = argparse.ArgumentParser(prog="voyage")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--few", action="store_true", help="a photograph and a broken archive")
    options = parser.parse_args()
    nest = Nest()
    deployment = set_up(options.folder)
    given = few(nest) if options.few else many(nest)
    folder = lay(deployment.folder / MATERIAL, given)
    nest.watch(REGISTER_ONLY, LABEL)
    with running(deployment):
        differs = _trip(deployment, nest, given, folder)
    marks = [[each.what, each.mark.hex()] for each in nest.canaries]
    (deployment.folder / CANARIES).write_text(json.dumps(marks), encoding="utf-8")
    return 1 if differs else 0


def portal() -> str:
    """Give the address of the portal."""
    return f"http://{os.environ['AMANA_PORTAL_LISTEN']}"


def _trip(deployment: Deployment, nest: Nest, given: tuple[Given, ...], folder: Path) -> int:
    passphrase = ("--passphrase-file", deployment.passphrase)
    deployment.amana("key", "unlock", "--officer", OFFICER, *passphrase)
    _submit(deployment, nest, folder)
    witness = Witness(portal())
    witness.hand_in(given, f"{nest.mark('typed text')} {nest.letters('typed text')}")
    _knock(nest)
    desk = StrictDesk(deployment)
    desk.await_examined(submissions=2, seconds=_SECONDS)
    refused = desk.judge()
    desk.await_settled(seconds=_SECONDS)
    witness.statuses()
    _watch_words(deployment, nest, witness.words)
    found = arrivals(deployment)
    inner = [(os.fsencode(f"{folder.name}/{each.name}"), folder / each.name) for each in given]
    plain = [(name.rpartition(b"/")[2], path) for name, path in inner]
    return report(found, "organisation", inner, refused) + report(found, "person", plain, refused)


def _submit(deployment: Deployment, nest: Nest, material: Path) -> None:
    folder = deployment.kit.parent
    consent = folder / "consent.toml"
    told = CONSENT.read_text(encoding="utf-8")
    told = told.replace("pseudonym-olive", nest.mark("a pseudonym in a consent"))
    consent.write_text(told.replace("notice-ar-1", nest.mark("a notice in a consent")))
    member = ("--kit", deployment.kit, "--keys", deployment.keys)
    passphrase = ("--passphrase-file", deployment.passphrase)
    bundle = deployment.folder / "bundle"
    deployment.amana(
        *("seal", material, *member, *passphrase, "--card", deployment.card, "--out", bundle),
        *("--agreement", AGREEMENT, "--consent", consent),
    )
    deployment.amana(
        *("submit", bundle, *member, *passphrase, "--portal", portal()),
        *("--portal-card", folder / "portal-receipts.note"),
        *("--receipt", folder / "submission.receipt"),
    )


def _knock(nest: Nest) -> None:
    """Ask for what there is not, and give what is refused."""
    with httpx.Client(base_url=portal(), timeout=_SECONDS) as client:
        client.get(f"/en/{nest.mark('an address')}?q={nest.mark('a query')}")
        heads = ("User-Agent", "Referer", "Cookie", "X-Forwarded-For", "Accept-Language")
        client.get("/ar/give", headers={head: f"a={nest.mark(head)}" for head in heads})
        metadata = {"Tus-Resumable": "1.0.0", "Upload-Length": "9"}
        metadata["Upload-Metadata"] = f"filename {nest.mark('upload metadata')}"
        client.post("/api/uploads", headers=metadata)
        client.post("/en/give", content=nest.mark("a body without form").encode() * 99)
        broken = f'multipart/form-data; boundary="{nest.mark("a boundary")}"'
        client.post("/en/give", headers={"Content-Type": broken}, content=b"--no")
        name = nest.mark("a name in a form without token")
        client.post("/en/give", files={"files": (name, name.encode())})
        client.post("/en/return", data={"token": "x", "words": nest.mark("mistyped words")})
        token = Witness(portal())._token("return")  # noqa: SLF001 - a visit of its own
        client.post("/en/return", data={"token": token, "words": nest.mark("words of nobody")})


def _watch_words(deployment: Deployment, nest: Nest, told: str) -> None:
    phrase = ReturnPhrase.parse(told)
    ways = {each.value: phrase.words(each) for each in Language} | {"digits": phrase.groups}
    for language, words in ways.items():
        for start in range(0, len(words) - _WINDOW + 1, _WINDOW):
            for between in (" ", "+", "\n", '","'):
                text = between.join(words[start : start + _WINDOW])
                nest.watch(f"the ten words, {language}", text)
    root = Places(data_directory=deployment.data).phrase_root.read_bytes()
    secrets = derive(phrase, directory_root=root)
    nest.canaries += [
        Canary(what="the secret of the ten words", mark=phrase.secret),
        Canary(what="a mailbox's reply seed", mark=secrets.reply_seed),
        Canary(what="a mailbox's Ed25519 seed", mark=secrets.answer_ed25519_seed),
        Canary(what="a mailbox's ML-DSA seed", mark=secrets.answer_mldsa_seed),
        Canary(what="a mailbox's lookup id", mark=secrets.lookup_id),
    ]


if __name__ == "__main__":
    os.umask(0o077)
    end_in_order()
    sys.exit(main())
