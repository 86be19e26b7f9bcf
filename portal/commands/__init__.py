"""The portal's words on the command line."""
