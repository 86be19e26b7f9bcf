"""How a program of this project speaks HTTP with another: through Tor, or within one machine."""
