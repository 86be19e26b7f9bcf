"""Zone 0, a provider's own machine: seal, submit, check. Nothing here ever opens for others."""
