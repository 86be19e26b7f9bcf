"""The migrations of the quarantine's database, one file for each format version."""
