"""Judges receipts, logs and packages, with no database and no help from whoever made them."""
