"""The commands of the quarantine, one module for each first word."""
