"""Zone 2, the quarantine: the only place where material is opened, examined and packaged."""
