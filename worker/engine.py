"""The engine: what carries the pipeline over a crash. The only module that knows DBOS.

Three workflows, each a few steps on one submission. What the engine keeps in its own database is
their names, submission ids, run numbers and the words of `Progress`, as JSON: no step takes or
gives anything else, and no exception leaves one, since its text would be kept. A step runs at least
once, so each does nothing the second time. Nothing is sent anywhere. Traps and what was measured:
docs/format/26-quarantine.md.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import Final, Self, TypeAlias

from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID

from amana.wire.ids import SubmissionId

APPLICATION_VERSION: Final = "amana-pipeline-1"
"""Changes only when steps are added, removed or reordered: a run begun under one shape is never
continued under another. DBOS's own default is a digest of the code, which orphans runs."""

_NAME: Final = "amana"
_QUEUE: Final = "pipeline"
_POLL_SECONDS: Final = 0.2
# A crash that a submission causes itself must not end in the engine's giving up on it.
_MOST_RECOVERIES: Final = 1_000_000


@unique
class Progress(StrEnum):
    """What a step comes to: all that the engine's database ever learns of it."""

    DONE = "done"
    AGAIN = "again"
    HELD = "held"
    FAILED = "failed"


@unique
class Kind(StrEnum):
    """The three workflows."""

    EXAMINE = "examine"
    RELEASE = "release"
    ERASE = "erase"


Step: TypeAlias = Callable[[SubmissionId], Progress]
"""One step: does its work on the submission, or finds it done. Raises nothing."""

Finish: TypeAlias = Callable[[SubmissionId, int, Progress], None]
"""What is told of a run when it ends: its number, and what its last step came to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps of each workflow by name, in order; and whom to tell at the end of a run."""

    steps: Mapping[Kind, Sequence[tuple[str, Step]]]
    finish: Finish


class _Json(Serializer):
    """Words and numbers as JSON; DBOS's own default would be pickle, which runs what it reads."""

    def serialize(self, data: object) -> str:
        """Give the JSON text. TypeError: it is none, so it has no business here."""
        return json.dumps(data)

    def deserialize(self, serialized_data: str) -> object:
        """Give what the text says."""
        return json.loads(serialized_data)

    def name(self) -> str:
        """Give the name that stands beside what was written."""
        return "amana-json"


class Engine:
    """The running engine: `with Engine(...) as engine:`. One in a process.

    database: an absolute path of its own SQLite file, or a PostgreSQL URL. executor_id: the same
    after every start, so that the runs of the last one are taken up again.
    """

    def __init__(self, database: Path | str, executor_id: str, plan: Plan) -> None:
        self._plan = plan
        DBOS(config=_config(database, executor_id))
        self._workflows = {kind: self._workflow(kind) for kind in Kind}

    def start(self, kind: Kind, submission: SubmissionId, run: int) -> None:
        """Begin a run, unless it was begun before: the same numbers name the same run for ever."""
        with SetWorkflowID(f"{kind.value}.{submission}.{run}"):
            DBOS.enqueue_workflow(_QUEUE, self._workflows[kind], submission, run)

    def __enter__(self) -> Self:
        DBOS.launch()
        # One submission at a time: the memory budgets are the whole machine's.
        DBOS.register_queue(
            _QUEUE,
            worker_concurrency=1,
            polling_interval_sec=_POLL_SECONDS,
            on_conflict="always_update",
        )
        return self

    def __exit__(self, *_: object) -> None:
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=5)

    def _workflow(self, kind: Kind) -> Callable[[str, int], str]:
        steps = [
            DBOS.step(name=f"{kind.value}.{name}")(_by_words(step))
            for name, step in self._plan.steps[kind]
        ]

        def finished(submission: str, number: int, progress: str) -> str:
            self._plan.finish(SubmissionId(submission), number, Progress(progress))
            return progress

        finish = DBOS.step(name=f"{kind.value}.finish")(finished)

        def run(submission: str, number: int) -> str:
            progress = Progress.DONE.value
            for step in steps:
                progress = step(submission)
                if progress != Progress.DONE:
                    break
            finish(submission, number, progress)
            return progress

        return DBOS.workflow(name=kind.value, max_recovery_attempts=_MOST_RECOVERIES)(run)


def _by_words(step: Step) -> Callable[[str], str]:
    def worded(submission: str) -> str:
        return step(SubmissionId(submission)).value

    return worded


def _config(database: Path | str, executor_id: str) -> DBOSConfig:
    if isinstance(database, Path):
        _prepare(database)
        database = f"sqlite:///{database}"
    return DBOSConfig(
        name=_NAME,
        system_database_url=database,
        application_version=APPLICATION_VERSION,
        executor_id=executor_id,
        serializer=_Json(),
        log_level="CRITICAL",
        enable_otlp=False,
    )


def _prepare(path: Path) -> None:
    """Make the file for its owner alone. The journal's mode is kept in the file."""
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
