"""The migrations of the portal's database, one file for each format version."""
