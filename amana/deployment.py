"""Whether what is handed over is real: one word, in settings and in every document."""

from enum import StrEnum, unique


@unique
class Deployment(StrEnum):
    """Whether material is real. Production refuses what comes from training, and says so.

    The word stands in cards, notes and packages (docs/format/06-ids-and-fields.md).
    """

    TRAINING = "TRAINING"
    PRODUCTION = "PRODUCTION"
