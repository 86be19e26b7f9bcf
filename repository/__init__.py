"""Zone 3, the receiving side: verifies a package and its conditions with no help from us."""
