"""Leaves join the log once a day, among so many that their number does not show."""

import secrets
from datetime import date, timedelta

import pytest
from sqlalchemy import insert

from amana.store.audit import audit_log
from amana.store.engine import open_database
from amana.store.log import frontier, inclusion_proof
from crypto.merkle import TreeHash
from portal.ledger import LEAVES_AT_ONCE, merge_leaves
from portal.records.tables import WAITING_LEAF
from tests.portal.conftest import NOON, House

DAY = NOON.date()


async def wait_for(house: House, count: int, since: date) -> list[TreeHash]:
    database = open_database(house.settings.portal.database_url)
    leaves = [TreeHash(secrets.token_bytes(32)) for _ in range(count)]
    async with database.write() as connection:
        for leaf in leaves:
            await connection.execute(
                insert(WAITING_LEAF).values(hash=leaf, since=since.isoformat())
            )
    await database.close()
    return leaves


@pytest.mark.threat("T-10")
@pytest.mark.parametrize(("count", "rows"), [(0, 1), (1, 1), (64, 1), (65, 2)])
async def test_so_many_leaves_join_however_many_came(house: House, count: int, rows: int) -> None:
    leaves = await wait_for(house, count, DAY)
    database = open_database(house.settings.portal.database_url)
    assert await merge_leaves(database, DAY + timedelta(days=1)) == rows * LEAVES_AT_ONCE
    async with database.read() as connection:
        size = (await frontier(connection)).size
        assert size == rows * LEAVES_AT_ONCE
        for leaf in leaves:
            assert await inclusion_proof(connection, leaf, size) is not None
        assert (await audit_log(connection)).finding is None
    await database.close()


async def test_leaves_of_today_wait_and_a_day_is_merged_once(house: House) -> None:
    (leaf,) = await wait_for(house, 1, DAY)
    database = open_database(house.settings.portal.database_url)
    assert await merge_leaves(database, DAY) == LEAVES_AT_ONCE
    assert await merge_leaves(database, DAY) == 0
    async with database.read() as connection:
        assert await inclusion_proof(connection, leaf, LEAVES_AT_ONCE) is None
    assert await merge_leaves(database, DAY + timedelta(days=1)) == LEAVES_AT_ONCE
    async with database.read() as connection:
        assert await inclusion_proof(connection, leaf, 2 * LEAVES_AT_ONCE) is not None
    await database.close()
