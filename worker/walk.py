"""One item, looked at: every byte to clamd, and every container in it, member by member.

The quarantine leads and keeps the limits; the sandbox only reads (worker/sandbox.py). What is one
content to clamd is one memory here: the item, or a window of it, or a member, or a window of that.
A limit ends the walk with a reason, never in silence. Rules: docs/format/19-scan-report.md.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from amana.wire.words import MediaType
from worker.errors import BudgetError, LateAnswerError, UntrustedAnswerError
from worker.inside.channel import Ending
from worker.memory import Allotment, MemoryBudget, SealedMemory
from worker.sandbox import Sandbox, Session, UntrustedMember
from worker.verdict import Judgement, Reason, Verdict, Window

ITEM: Final = 0
"""The number of the item itself, where members are numbered from 1 in the order of the walk."""

Scan = Callable[[SealedMemory], Judgement]
"""How a content is scanned and judged. RetryError: not now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkLimits:
    """How far one item is walked. Ours, all of them; each has its Reason.

    depth: containers inside each other, the item counting as one. bytes: of all members together.
    findings: how many are listed by name; all count.
    """

    depth: int = 8
    members: int = 200_000
    bytes: int = 64 << 30
    seconds: int = 3_600
    findings: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CutSettings:
    """How what is too large for one memory is cut."""

    window_bytes: int
    overlap_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was not clean: in member `number` of container `parent` (None: the item)."""

    number: int
    parent: int | None
    name: bytes
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """What one item's walk came to; verdict.Evidence says what the parts mean."""

    windows: tuple[Window, ...]
    judgements: frozenset[Judgement]
    refusals: frozenset[Reason]
    media_type: MediaType | None
    is_container: bool
    members: int
    member_bytes: int
    findings: tuple[Finding, ...]
    findings_left_out: int


class Walk:
    """The walk over one item. Make it, call `item` once, then take `result`."""

    def __init__(
        self,
        *,
        sandbox: Sandbox,
        scan: Scan,
        limits: WalkLimits,
        cut: CutSettings,
        inner: MemoryBudget,
        inner_bytes: int,
    ) -> None:
        """inner, inner_bytes: the budget for members, and how much of it a container may take."""
        self._sandbox = sandbox
        self._scan = scan
        self._limits = limits
        self._cut = cut
        self._inner = inner
        self._inner_bytes = inner_bytes
        self._windows: list[Window] = []
        self._judgements: set[Judgement] = set()
        self._refusals: set[Reason] = set()
        self._media_type: MediaType | None = None
        self._is_container = False
        self._members = 0
        self._member_bytes = 0
        self._findings: list[Finding] = []
        self._left_out = 0

    def item(self, pieces: Iterable[bytes], allotment: Allotment) -> None:
        """Scan and walk the item. RetryError, SandboxError: not now; BudgetError: no memory."""
        offset = 0
        for memory, is_last in self._cut_up(allotment, pieces):
            with memory:
                judgement = self._scan(memory)
                window = Window(offset=offset, size_bytes=memory.size_bytes, judgement=judgement)
                self._windows.append(window)
                self._note(ITEM, None, b"", judgement)
                if is_last and not offset:
                    self._walk_item(memory)
                else:
                    self._probe(memory, ITEM, None, b"")
                offset += memory.size_bytes - self._cut.overlap_bytes

    @property
    def result(self) -> Walked:
        """What it came to."""
        return Walked(
            windows=tuple(self._windows),
            judgements=frozenset(self._judgements),
            refusals=frozenset(self._refusals),
            media_type=self._media_type,
            is_container=self._is_container,
            members=self._members,
            member_bytes=self._member_bytes,
            findings=tuple(self._findings),
            findings_left_out=self._left_out,
        )

    def _cut_up(
        self, allotment: Allotment, pieces: Iterable[bytes]
    ) -> Iterator[tuple[SealedMemory, bool]]:
        window, overlap = self._cut.window_bytes, self._cut.overlap_bytes
        return allotment.cut(pieces, window_bytes=window, overlap_bytes=overlap)

    def _walk_item(self, memory: SealedMemory) -> None:
        with self._sandbox.session(self._limits.seconds) as session:
            try:
                kind = session.walk(memory)
                self._media_type, self._is_container = kind.media_type, kind.is_container
                # Most items are no containers: only those that are need memory for members.
                inner_bytes = self._inner_bytes if kind.is_container else 0
                with self._inner.allot(inner_bytes) as inner:
                    self._container(session, inner, 1, ITEM)
            except _Stop as stop:
                self._refuse(ITEM, None, b"", stop.reason)
            except LateAnswerError:
                self._refuse(ITEM, None, b"", Reason.TOO_LONG_TIME)
            except UntrustedAnswerError:
                self._refuse(ITEM, None, b"", Reason.WALK_BROKE)

    def _container(self, session: Session, inner: Allotment, depth: int, parent: int) -> None:
        """Take the members of what was handed in last, until its end."""
        while isinstance(member := session.member(), UntrustedMember):
            self._members += 1
            if self._members > self._limits.members:
                raise _Stop(Reason.TOO_MANY_MEMBERS)
            if member.is_name_cut:
                raise _Stop(Reason.TOO_LONG_NAME)
            self._member(session, inner, depth, parent, member.name)
            session.next()
        if (reason := _ENDINGS[member]) is not None:
            self._refuse(parent, None, b"", reason)

    def _member(
        self, session: Session, inner: Allotment, depth: int, parent: int, name: bytes
    ) -> None:
        number, pieces, is_first = self._members, session.pieces(), True
        try:
            for memory, is_last in self._cut_up(inner, self._counted(pieces)):
                with memory:
                    if not memory.size_bytes:
                        continue
                    self._note(number, parent, name, self._scan(memory))
                    if not (is_first and is_last):
                        self._note(number, parent, name, _IN_WINDOWS)
                        self._probe(memory, number, parent, name)
                    elif session.walk(memory).is_container and depth == self._limits.depth:
                        raise _Stop(Reason.TOO_DEEP)
                    else:
                        self._container(session, inner, depth + 1, number)
                is_first = False
        except BudgetError as failure:
            raise _Stop(Reason.TOO_LARGE_MEMBER) from failure
        if pieces.ending is not None and (reason := _ENDINGS[pieces.ending]) is not None:
            self._refuse(number, parent, name, reason)

    def _probe(self, memory: SealedMemory, number: int, parent: int | None, name: bytes) -> None:
        """Refuse a window that is a container by itself: the whole of it cannot be walked."""
        with self._sandbox.session(self._limits.seconds) as session:
            try:
                kind = session.walk(memory)
                closed = not kind.is_container and session.member()
            except UntrustedAnswerError:
                self._refuse(number, parent, name, Reason.WALK_BROKE)
                return
        if kind.is_container:
            self._refuse(number, parent, name, Reason.CONTAINER_IN_WINDOWS)
        elif isinstance(closed, Ending) and (reason := _ENDINGS[closed]) is not None:
            self._refuse(number, parent, name, reason)
        if number == ITEM and not self._windows[1:]:
            self._media_type, self._is_container = kind.media_type, kind.is_container

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._member_bytes += len(piece)
            if self._member_bytes > self._limits.bytes:
                raise _Stop(Reason.TOO_MANY_BYTES)
            yield piece

    def _refuse(self, number: int, parent: int | None, name: bytes, reason: Reason) -> None:
        self._refusals.add(reason)
        self._list(number, parent, name, Judgement(verdict=Verdict.NOT_SCANNED, reason=reason))

    def _note(self, number: int, parent: int | None, name: bytes, judgement: Judgement) -> None:
        if judgement.verdict is not Verdict.CLEAN:
            self._judgements.add(judgement)
            self._list(number, parent, name, judgement)

    def _list(self, number: int, parent: int | None, name: bytes, judgement: Judgement) -> None:
        finding = Finding(number=number, parent=parent, name=name, judgement=judgement)
        if finding in self._findings[-1:]:
            return  # the next window of the same content
        if len(self._findings) < self._limits.findings:
            self._findings.append(finding)
        else:
            self._left_out += 1


class _Stop(Exception):  # noqa: N818 - not an error: the walk ends here, for a reason
    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


_IN_WINDOWS: Final = Judgement(verdict=Verdict.SCANNED_IN_WINDOWS)

_ENDINGS: Final[dict[Ending, Reason | None]] = {
    Ending.COMPLETE: None,
    Ending.ENCRYPTED: Reason.ENCRYPTED,
    Ending.UNREADABLE: Reason.UNREADABLE,
    Ending.UNSUPPORTED: Reason.UNSUPPORTED_CONTAINER,
    Ending.TRAILING: Reason.TRAILING_DATA,
}
