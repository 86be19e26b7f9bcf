"""Start the programs of one machine together, and end all of them together.

Knows what to start from a table, and nothing of what the programs are: no zone is imported.
"""
