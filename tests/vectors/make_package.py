"""Write tests/vectors/package: packages that must be taken and that must be refused, and why.

Sealing and ML-DSA signing are random: what is there already and is still judged the same stays as
it is. Also writes the tables of chapters 20 and 21.
"""

import shutil
from pathlib import Path

from amana.wire.spool import COMMIT
from repository.errors import RefusedError
from repository.opened import verify
from tests.package import chapter_tables
from tests.package.world import END, KEYS, QUARANTINE, REPOSITORY, Given, a_world
from tests.repository import forge
from tests.repository.wrong import WRONG
from worker.forward import Outbox
from worker.package_plan import plan_packages

PACKAGE = Path(__file__).parent / "package"
GOOD = "in order"
SMALL = (Given(name="صورة.jpg".encode(), content=b"one"), Given(name=b"2.txt", content=b"two"))
PINNED = {
    what: WRONG[what]
    for what in (
        *("an object", "a stray tag file", "fetch.txt", "no snapshot", "another snapshot"),
        *("no consent record", "an item manifest", "a custody event", "an item gone"),
    )
}


def folder_of(name: str) -> Path:
    """Where the package of a vector lies."""
    return PACKAGE / name.replace(" ", "-")


def verdict(folder: Path) -> str:
    """What the repository says of a package: `read`, or the reason of its refusal."""
    try:
        verify(folder, KEYS, END)
    except RefusedError as failure:
        return failure.reason
    return "read"


def expected() -> dict[str, str]:
    """What must be said of each vector."""
    return {GOOD: "read"} | {what: reason.value for what, (_, reason) in PINNED.items()}


def make(name: str, spool: Path) -> None:
    """Make one vector anew."""
    world = a_world(SMALL, with_bare=False)
    (plan,) = plan_packages(world.dossier, world.items)
    outbox = Outbox(spool, spool, repository=REPOSITORY, signer=QUARANTINE)
    sealed = outbox.put(plan, world.contents)
    package_id = sealed.package_id
    if name != GOOD:
        package_id = forge.forge(spool, sealed, PINNED[name][0])
    (spool / f"{package_id}{COMMIT}").unlink()
    (spool / package_id).rename(folder_of(name))


def main() -> None:
    """Write every vector that is not there or no longer judged as it was, and the tables."""
    PACKAGE.mkdir(exist_ok=True)
    for name, wanted in expected().items():
        if folder_of(name).exists() and verdict(folder_of(name)) == wanted:
            continue
        shutil.rmtree(folder_of(name), ignore_errors=True)
        spool = PACKAGE / ".making"
        spool.mkdir()
        make(name, spool)
        spool.rmdir()
    for path in chapter_tables.PATHS:
        path.write_text(chapter_tables.with_tables(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
