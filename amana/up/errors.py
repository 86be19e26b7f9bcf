"""What can go wrong before anything is started."""


class UpError(Exception):
    """The root of every error of the supervisor."""


class TableError(UpError):
    """The table of programs is malformed, or names a setting that there is not."""


class KernelError(UpError):
    """The kernel does not give what keeps programs from being left behind. Linux is needed."""
