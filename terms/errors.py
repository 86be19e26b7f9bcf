"""What can go wrong in this package, one name per fact.

A "no" from the terms is a value (`Effect.DENY`), never an exception. Messages hold no names, no
material and no text that came from outside.
"""


class TermsError(Exception):
    """The root of every error that this package raises on purpose."""


class VocabularyError(TermsError):
    """A word, name, country or digest is not one that terms may be written with."""


class ContradictionError(TermsError):
    """Every part is well formed, but together they do not say one thing."""


class TermsFormatError(TermsError):
    """The JSON value is not the one form in which this record is written."""
