"""What happens to a submission in the quarantine, from its arrival to the erasure of its copy."""
