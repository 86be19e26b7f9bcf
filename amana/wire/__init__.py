"""What goes between zones: every document as a frozen type, with its bytes both ways.

No module here signs, opens or stores. Formats: docs/format, chapters 6 to 12, 16 and 17.
"""
