"""What every page and API has in common: rendering, headers, tokens, the server."""
