"""What can go wrong in a store, one name per fact.

Messages are for an operator's log: they never hold a URL (it may carry a password), a value of a
row, or a name from the material.
"""


class StoreError(Exception):
    """The root of every error that this package raises on purpose."""


class DatabaseUrlError(StoreError):
    """The URL does not name a database that this program can keep its promises in."""


class LooseFileError(StoreError):
    """The database file is not a plain file that its owner alone can read."""


class DurabilityError(StoreError):
    """The database did not take a setting on which durability or erasure rests."""


class DatabaseFailureError(StoreError):
    """The database could not be reached, or refused a statement; the transaction is undone."""


class FormatError(StoreError):
    """The root of what can be wrong with a database as a whole."""


class NoFormatError(FormatError):
    """The database was never set up."""


class OlderFormatError(FormatError):
    """The database must be upgraded before this program may use it."""


class NewerFormatError(FormatError):
    """The database was written by a newer program; this one might misread it."""


class WrongZoneError(FormatError):
    """The database belongs to another zone."""


class WrongDeploymentError(FormatError):
    """A training database was given to a production deployment, or the other way round."""


class LogSizeError(StoreError):
    """A proof was asked for a size that the log has not reached, or that is no size at all."""


class LeafHashError(StoreError):
    """What was to be appended is not a leaf hash."""


class LogDamagedError(StoreError):
    """A row that the tree needs is missing or is no hash: somebody changed the log."""
