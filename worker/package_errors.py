"""What can go wrong when material is packaged and handed over, one name per fact."""

from worker.errors import WorkerError


class PlanError(WorkerError):
    """What was to be packaged does not agree with itself, so no package of it may leave."""


class AnswerError(WorkerError):
    """An answer is not the pinned repository's word on this very package: keep everything."""
