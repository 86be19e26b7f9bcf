"""How a database comes to its format: Alembic's environment, and migrations that zones share."""
