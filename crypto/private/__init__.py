"""Private keys at rest: only `worker`, and `client` for its own keys, may import this package."""
