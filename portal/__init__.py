"""Zone 1, the public portal: seals material on the first byte, and keeps what it cannot read."""
