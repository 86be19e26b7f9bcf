"""Migrations come along with an installed wheel, not only with a checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from amana.store.migrate import newest_version
from worker.records.tables import WORKER

ROOT: Final = Path(__file__).parents[2]

UPGRADE: Final = """
import asyncio, sys
from datetime import date
import amana.store, worker.records
from amana.store.engine import open_database
from amana.store.migrate import upgrade
from amana.wire.vocabulary import Deployment
from worker.records.tables import WORKER

async def main():
    database = open_database(sys.argv[1])
    made = await upgrade(database, WORKER, Deployment.TRAINING, date(2026, 10, 2))
    await database.close()
    return made.version

print(amana.store.__file__, worker.records.__file__, asyncio.run(main()), sep="\\n")
"""


def test_an_installed_wheel_upgrades_a_database(tmp_path: Path, sqlite_url: str) -> None:
    wheels, installed = tmp_path / "wheels", tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = wheels.iterdir()
    zipfile.ZipFile(wheel).extractall(installed)
    ran = subprocess.run(
        [sys.executable, "-c", UPGRADE, sqlite_url],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    *files, version = ran.stdout.splitlines()
    assert all(Path(file).is_relative_to(installed) for file in files)
    assert int(version) == newest_version(WORKER)
