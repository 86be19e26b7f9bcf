"""The tables that every zone has in its own database: `format` and `log`.

Column types are Text, Integer and LargeBinary only, because SQLite's STRICT tables know no
others. No table has a time; a day is the finest date there is. Zones add their own tables beside
these. Meaning of every column: docs/format/14-stores.md.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

NAMES: Final = MappingProxyType(
    {
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)
"""How constraints are named, so that a later migration can name what it changes."""

_SHARED: Final = MetaData(naming_convention=dict(NAMES))

FORMAT: Final = Table(
    "format",
    _SHARED,
    Column("zone", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("deployment", Text, nullable=False),
    Column("created_on", Text, nullable=False),
    CheckConstraint("version > 0", name="version_is_positive"),
    CheckConstraint("deployment IN ('TRAINING', 'PRODUCTION')", name="deployment_is_known"),
    sqlite_strict=True,
)
"""One row: whose database this is, of which format, for which deployment, since which day."""

LOG: Final = Table(
    "log",
    _SHARED,
    # PostgreSQL's INTEGER would end the log at 2^30 events.
    Column(
        "number",
        Integer().with_variant(BigInteger(), "postgresql"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint("number >= 0", name="number_is_not_negative"),
    CheckConstraint("length(hash) = 32", name="hash_is_sha256"),
    # Even numbers are leaves. A leaf is found by its hash, and stands in the log once.
    Index(
        "uq_log_leaf",
        "hash",
        unique=True,
        sqlite_where=text("number % 2 = 0"),
        postgresql_where=text("number % 2 = 0"),
    ),
    sqlite_strict=True,
)
"""One row for every full subtree of the custody log (amana/store/numbering.py)."""


def new_metadata() -> MetaData:
    """Give MetaData that holds the shared tables, for a zone to add its own to."""
    metadata = MetaData(naming_convention=dict(NAMES))
    for table in _SHARED.sorted_tables:
        table.to_metadata(metadata)
    return metadata
