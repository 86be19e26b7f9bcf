"""The client's words of the command line, a module each."""
