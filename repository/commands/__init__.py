"""The repository's commands, one module for each word."""
