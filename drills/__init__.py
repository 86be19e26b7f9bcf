"""Rehearsals of what must not happen: each ends with an error when it did."""
