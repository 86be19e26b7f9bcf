"""What can be wrong with what someone holds in their hand, one name per fact."""


class VerifyError(Exception):
    """The root of every error that this package raises on purpose."""


class ReceiptDiffersError(VerifyError):
    """The file is no receipt, was changed, or is about another note."""


class SignerUnknownError(VerifyError):
    """The key that signed is not one that the pinned directory certified for this, on that day."""


class NotProvenError(VerifyError):
    """The proof in the file does not show that the event is in the log."""
