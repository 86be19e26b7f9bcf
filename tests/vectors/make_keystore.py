"""Make tests/vectors/keystore: one small key store, and what must come out of it.

Sealing and locking are random, so the files differ each time they are made; they pin opening. They
are made once and kept: a store that was written today must open in twenty years. What is there
already stays as it is.
"""

import json
from pathlib import Path

from crypto.identities import HybridIdentity
from crypto.private.keyfile import LEAST_MEMORY_BYTES, Cost
from crypto.private.keystore import KeyStore

FOLDER = Path(__file__).parent / "keystore"
QUICK = Cost(memory_bytes=LEAST_MEMORY_BYTES, operations=1)
PHRASES = {"first": "olive basket morning river", "second": "سبعة فوانيس تحت الثلج"}
GROUPS = ("triage", "sgbv")


def main() -> None:
    """Write the store and expected.json, if they are not there."""
    if (FOLDER / "expected.json").exists():
        return
    FOLDER.mkdir(exist_ok=True)
    store = KeyStore.create(
        FOLDER / "keys",
        FOLDER / "tombstones",
        groups=GROUPS,
        officer="first",
        passphrase=PHRASES["first"],
        cost=QUICK,
    )
    ring = store.unlock("first", PHRASES["first"])
    store.add_officer(ring, "second", groups=("triage",), passphrase=PHRASES["second"], cost=QUICK)
    kept = {"intake-1": HybridIdentity.generate(), "class-1": HybridIdentity.generate()}
    store.put(ring, "intake-1", "triage", kept["intake-1"])
    store.put(ring, "class-1", "sgbv", kept["class-1"])
    store.bind(ring, "card-1", "intake-1")
    store.destroy("class-2")
    intake, of_class = (kept[name].to_text() for name in ("intake-1", "class-1"))
    expected = {
        "first": {
            "intake-1": intake,
            "card-1": intake,
            "class-1": of_class,
            "class-2": "destroyed",
        },
        "second": {
            "intake-1": intake,
            "card-1": intake,
            "class-1": "not-held",
            "class-2": "destroyed",
        },
    }
    text = json.dumps({"opens": expected, "phrases": PHRASES}, ensure_ascii=False, indent=1)
    (FOLDER / "expected.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
