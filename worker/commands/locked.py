"""Tell whoever looks at what waits that it waits for the keys, and what to do."""

import sys
from collections.abc import Collection

from amana.i18n import Sentence
from worker.agent_client import AgentClient
from worker.agent_places import KeyPlaces
from worker.commands.voice import Voice
from worker.errors import AgentUnreachableError
from worker.pipeline.states import ItemState, SubmissionState

_NEED_KEYS = frozenset({SubmissionState.FETCHED, SubmissionState.RELEASED})


def tell_if_locked(
    voice: Voice, states: Collection[SubmissionState], items: Collection[ItemState]
) -> None:
    """Say on the error stream that keys are needed and not there; nothing to a program."""
    if voice.as_json or not (_NEED_KEYS.intersection(states) or ItemState.FOUND in items):
        return
    agent = AgentClient(KeyPlaces(data_directory=voice.settings.data_directory).socket)
    try:
        key = "KeysLockedError" if agent.status().is_locked else ""
    except AgentUnreachableError:
        key = "AgentUnreachableError"
    if key:
        told = voice.speaker.say(Sentence(key=f"error.worker.{key}"))
        sys.stderr.write(f"{voice.say('waits')} {told}\n")
