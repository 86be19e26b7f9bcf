"""Items and custody events as PREMIS 3 XML, for archives that read nothing of ours.

It is made from the package's own documents and decides nothing: where the two differ, those win.
Names are escaped so that a parser gives back exactly what stood there, or stand as percent-encoded
bytes where XML cannot hold them. Format: docs/format/20-package.md section 7; PREMIS 3.0.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote_from_bytes
from xml.sax.saxutils import escape

from amana.wire.event import CustodyEvent
from amana.wire.names import RawName
from worker.package_plan import AcceptedItem, PackagePlan

_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<premis:premis xmlns:premis="http://www.loc.gov/premis/v3" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0">\n'
)
_TAIL: Final = "</premis:premis>\n"
_AUTHORITY: Final = "http://id.loc.gov/vocabulary/preservation/eventType"

# XML 1.0, production 2: what a document may hold at all.
_FOREIGN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def premis(plan: PackagePlan) -> Iterator[bytes]:
    """Yield the document in pieces: every item, every event, every agent, in the plan's order."""
    yield _HEAD.encode()
    for item in plan.items:
        yield _item(item).encode()
    for line in plan.custody():
        yield _event(line.event).encode()
    agents = {line.event.agent: None for line in plan.custody()}
    for agent in agents:
        identifier = _tags("agentIdentifier", Type="signing key", Value=agent.key_id)
        name = _tag("agentName", _text(agent.role)) + _tag("agentType", "software or officer")
        yield _tag("agent", identifier + name).encode() + b"\n"
    yield _TAIL.encode()


def _item(item: AcceptedItem) -> str:
    content, kind = item.manifest.content, "intellectualEntity"
    described = _tags("objectIdentifier", Type="registration number", Value=item.registration)
    described += _tags("objectIdentifier", Type="item", Value=item.manifest.item_id)
    if content is not None:
        kind = "file"
        found = _text(item.detected_type or "application/octet-stream")
        fixity = "".join(
            _tag(
                "fixity",
                _tag("messageDigestAlgorithm", algorithm) + _tag("messageDigest", digest),
            )
            for algorithm, digest in (("SHA-256", content.sha256), ("SHA-512", content.sha512))
        )
        name = _tag("format", _tag("formatDesignation", _tag("formatName", found)))
        described += _tag("objectCharacteristics", fixity + _tag("size", str(content.size)) + name)
    described += _tag("originalName", _name(item.manifest.name))
    return f'<premis:object xsi:type="premis:{kind}">{described}</premis:object>\n'


def _event(event: CustodyEvent) -> str:
    moment = event.on.isoformat() if event.at is None else event.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    detail = "" if event.reason is None else _tag("eventDetail", _text(event.reason))
    outcome = _tag("eventOutcome", _text(event.outcome.lower()))
    things = "".join(
        _tags("linkingObjectIdentifier", Type=thing.kind, Value=thing.id)
        for thing in (event.thing, *event.others)
    )
    agent = _tags("linkingAgentIdentifier", Type="signing key", Value=event.agent.key_id)
    label = event.type.name.lower().replace("_", " ")
    source = f'authorityURI="{_AUTHORITY}" valueURI="{event.type.uri}"'
    parts = (
        _tags("eventIdentifier", Type="custody event", Value=event.event_id),
        f"<premis:eventType {source}>{label}</premis:eventType>",
        _tag("eventDateTime", moment),
        _tag("eventDetailInformation", detail) if detail else "",
        _tag("eventOutcomeInformation", outcome),
        agent,
        things,
    )
    return _tag("event", "".join(parts)) + "\n"


def _name(name: RawName) -> str:
    if name.text is None or _FOREIGN.search(name.text):
        return _text(quote_from_bytes(name.raw))
    return _text(name.text)


def _text(value: str) -> str:
    # A parser turns a bare carriage return into a line feed (XML 1.0 section 2.11).
    return escape(value, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def _tag(name: str, inner: str) -> str:
    return f"<premis:{name}>{inner}</premis:{name}>"


def _tags(name: str, **values: str) -> str:
    inner = "".join(_tag(f"{name}{part}", _text(value)) for part, value in values.items())
    return _tag(name, inner)
