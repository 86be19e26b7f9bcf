"""Documents: frozen dataclasses whose fields say how they stand in JSON.

    @record
    class Place:
        object_id: ObjectId = carries(OBJECT_ID, "The sealed object that holds the bytes.")
        offset: int | None = carries(Nullable(Whole(512)), "Where they begin in a pack.")

The annotation and the codec are held together by the type checker, the JSON names are the Python
names, and one rule reads every document: exactly the fields of its class, each by its codec, the
canonical spelling only (RFC 8785). What is written is first read back by that same rule, so
nothing leaves that our own reader would refuse. Format: docs/format/06-ids-and-fields.md.
"""

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import ClassVar, Final, Generic, Self, TypeVar, dataclass_transform

from amana.wire.errors import FieldError, FormatError
from amana.wire.fields import Codec
from amana.wire.ids import Digest
from crypto import canonical
from crypto.canonical import JsonValue
from crypto.errors import CanonicalError

T = TypeVar("T")

FORMAT_FIELD: Final = "format"
"""The field in which every document names its own format and version."""


@dataclass(frozen=True, slots=True)
class Carried(Generic[T]):
    """How one field stands in JSON, and what it says, in one sentence for the tables."""

    codec: Codec[T]
    meaning: str


def carries(codec: Codec[T], meaning: str) -> T:
    """Declare a field of a record: its codec and its meaning. It must be given a value.

    The result stands for the field while the class is made, as with dataclasses.field().
    """
    declaration: T = field(metadata=MappingProxyType({Carried: Carried(codec, meaning)}))
    return declaration


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(carries,))
def record(kind: type[T]) -> type[T]:
    """Make a class of `carries` fields a frozen, slotted, keyword-only dataclass.

    Rules between fields go into __post_init__ and raise FieldError: they then hold for what the
    program makes and for what it reads alike.
    """
    return dataclass(frozen=True, slots=True, kw_only=True)(kind)


def shape_of(kind: type) -> Mapping[str, Carried[object]]:
    """Give the fields of a record by name, in the order of its class."""
    return _shape_of(kind)


@functools.cache
def _shape_of(kind: type) -> Mapping[str, Carried[object]]:
    return MappingProxyType({each.name: each.metadata[Carried] for each in fields(kind)})


@dataclass(frozen=True, slots=True)
class Nested(Generic[T]):
    """A record inside a document, as a codec. A document inside another keeps its own format."""

    kind: type[T]

    def write(self, value: T) -> JsonValue:
        """Give the JSON object of the record."""
        return _write_fields(value, self.kind)

    def read(self, untrusted: JsonValue) -> T:
        """Give the record in untrusted JSON; FieldError names the field that is at fault."""
        if not isinstance(untrusted, dict):
            raise FieldError("is not an object")
        return _read_fields(self.kind, untrusted)

    def describe(self) -> str:
        """Give the record, by its name in code; the chapter has its table."""
        return f"object *{self.kind.__name__}*"


class Document:
    """A record that stands alone, as canonical JSON that names its own format."""

    __slots__ = ()

    FORMAT: ClassVar[str]
    """`amana/<type>/v1`. A reader that does not know it refuses the whole document."""

    LIMIT_BYTES: ClassVar[int]
    """Longest document of this kind, looked at before anything else."""

    def to_bytes(self) -> bytes:
        """Give the document's one spelling. FieldError: a field is not as its table says."""
        return self._canonical_bytes()

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Give the document in untrusted bytes.

        FormatError: not canonical JSON, over LIMIT_BYTES, or another format. FieldError: a field
        is missing, unknown, or not as its table says.
        """
        return cls._from_canonical(untrusted)

    @property
    def digest(self) -> Digest:
        """SHA-256 of the document's bytes, by which others refer to it."""
        return Digest(hashlib.sha256(self.to_bytes()).hexdigest())

    def _canonical_bytes(self) -> bytes:
        form = _write_fields(self, type(self))
        if _read_fields(type(self), form) != self:
            raise FieldError("would not be read back as it was meant")
        written = canonical.encode(form)
        if len(written) > self.LIMIT_BYTES:
            raise FieldError(f"is longer than {self.LIMIT_BYTES} bytes")
        return written

    @classmethod
    def _from_canonical(cls, untrusted: bytes) -> Self:
        try:
            value = canonical.decode(untrusted, limit_bytes=cls.LIMIT_BYTES)
        except CanonicalError as failure:
            raise FormatError("the bytes are not canonical JSON within the limit") from failure
        if not isinstance(value, dict):
            raise FormatError("the document is not an object")
        return _read_fields(cls, value)


class Statement(Document):
    """A document that is signed: two lines, its format and its canonical JSON.

    The lines are the text of a C2SP signed note, so the signatures cover the format as well. Its
    digest is taken over this text and not over the signatures, of which more may be added.
    """

    __slots__ = ()

    def to_bytes(self) -> bytes:
        """Give the text to sign, in UTF-8."""
        return b"%b\n%b\n" % (self.FORMAT.encode("ascii"), self._canonical_bytes())

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Give the statement in the text of a note. It says nothing yet of who signed it.

        FormatError, FieldError: as for Document, and the first line is not its format.
        """
        head = f"{cls.FORMAT}\n".encode("ascii")
        if not (untrusted.startswith(head) and untrusted.endswith(b"\n")):
            raise FormatError(f"the text is not {cls.FORMAT}")
        # RFC 8785 writes a line feed inside JSON as \n, so this is one line or it is refused.
        return cls._from_canonical(untrusted[len(head) : -1])


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is known of a class before any value is: its format, its keys, and its codecs."""

    version: str | None
    keys: frozenset[str]
    codecs: tuple[tuple[str, Codec[object]], ...]


def _plan_of(kind: type) -> _Plan:
    return _made_plan(kind)


@functools.cache
def _made_plan(kind: type) -> _Plan:
    shape = shape_of(kind)
    version = kind.FORMAT if issubclass(kind, Document) else None
    own = frozenset() if version is None else frozenset({FORMAT_FIELD})
    return _Plan(
        version=version,
        keys=own | shape.keys(),
        codecs=tuple((name, carried.codec) for name, carried in shape.items()),
    )


def _write_fields(value: object, kind: type) -> dict[str, JsonValue]:
    plan = _plan_of(kind)
    form: dict[str, JsonValue] = {} if plan.version is None else {FORMAT_FIELD: plan.version}
    for name, codec in plan.codecs:
        form[name] = codec.write(getattr(value, name))
    return form


def _read_fields(kind: type[T], untrusted: dict[str, JsonValue]) -> T:
    plan = _plan_of(kind)
    # The format comes first: fields of another version mean other things.
    if plan.version is not None and untrusted.get(FORMAT_FIELD) != plan.version:
        raise FormatError(f"the document is not {plan.version}")
    if untrusted.keys() != plan.keys:
        raise _wrong_keys(plan, untrusted)
    values: dict[str, object] = {}
    name = ""
    try:
        for name, codec in plan.codecs:
            values[name] = codec.read(untrusted[name])
    except FieldError as fault:
        raise fault.inside(name) from None
    make: Callable[..., T] = kind
    return make(**values)


def _wrong_keys(plan: _Plan, untrusted: dict[str, JsonValue]) -> FieldError:
    for name, _ in plan.codecs:
        if name not in untrusted:
            return FieldError("is missing", name)
    return FieldError("has a field that this version does not know")
