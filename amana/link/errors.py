"""What can go wrong on the way to another program, one name per fact."""


class LinkError(Exception):
    """The root of every error that this package raises on purpose."""


class AddressError(LinkError):
    """The address is not one that may be spoken to; nothing was sent anywhere."""


class AnswerError(LinkError):
    """The other side answered with something that no honest one would: too long, or cut."""
