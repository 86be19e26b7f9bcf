"""Primitives and sealed formats. Nothing here knows a zone, a database or a network."""
