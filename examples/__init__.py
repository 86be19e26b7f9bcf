"""Programs that show the whole as its users would see it. Harmless material, training keys only."""
