"""What a zone keeps: its database, the format of that database, and its custody log.

Each zone has a database of its own; nothing here knows which zone it serves.
Format: docs/format/14-stores.md.
"""
