"""What two or more zones share.

Nothing in this package decides about material, and nothing in it holds a private key. Its layers
are import contracts in pyproject.toml.
"""
