"""Run the migrations of one zone inside the transaction that amana/store/migrate.py opened.

Alembic loads this file by its path. It opens no connection and reads no settings: without a
caller's connection there is nothing to migrate.
"""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
