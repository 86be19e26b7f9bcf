"""The description for programmers says what is served: every address, method, field and word."""

import json
from collections.abc import Iterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from amana.events import EventLog
from amana.wire import upload
from amana.wire.documents import FORMAT_FIELD, Document, shape_of
from amana.wire.feedback import FEEDBACK_PATH
from amana.wire.upload import UploadFault
from amana.wire.vocabulary import Deployment
from portal.app import build_app
from tests.portal.conftest import House

DOCS = Path(__file__).parents[2] / "docs"
DESCRIBED = json.loads((DOCS / "openapi.json").read_text())


def test_every_address_and_method_is_described(house: House) -> None:
    app = build_app(house.settings, house.clock, EventLog(house.log.append, house.clock))
    served = {
        (route.path, method.lower())
        for route in routes(app)
        if route.path.startswith(upload.ROOT) and route.path != FEEDBACK_PATH  # chapter 24
        for method in route.methods or ()
    }
    described = {
        (path, method)
        for path, methods in DESCRIBED["paths"].items()
        for method in methods
        if method != "parameters"
    }
    # A router answers HEAD beside GET; POST stands for others by a header; a slash is the same.
    extra = {pair for pair in served - described if pair[1] == "head" or pair[0].endswith("/")}
    extra |= {("/api/v1/objects/{secret}", "post"), ("/api/v1/objects/{secret}", "options")}
    assert served - extra == described


def test_every_field_of_every_document_is_described() -> None:
    kinds = [
        kind
        for kind in vars(upload).values()
        if isinstance(kind, type)
        and issubclass(kind, Document)
        and kind.__module__ == upload.__name__
    ]
    schemas = DESCRIBED["components"]["schemas"]
    for kind in kinds:
        schema = schemas[kind.__name__]
        assert schema["properties"].keys() == {FORMAT_FIELD, *shape_of(kind)}
        assert set(schema["required"]) == set(schema["properties"])
        assert schema["properties"][FORMAT_FIELD]["const"] == kind.FORMAT
    assert len(kinds) == len(schemas) - 1  # an object id is no document
    deployments = schemas["UploadPortal"]["properties"]["deployment"]["enum"]
    assert set(deployments) == {each.value for each in Deployment}


def test_every_word_has_a_status_and_a_sentence() -> None:
    for fault in UploadFault:
        assert 400 <= fault.status <= 507
        assert fault.sentence.endswith(".")


def routes(app: object) -> Iterator[Route]:
    """The routes of the application inside the middlewares."""
    while not isinstance(app, Starlette):
        app = vars(app)["_app"]
    yield from (each for each in app.routes if isinstance(each, Route))
