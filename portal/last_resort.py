"""The edge of a server process: no error passes it, for the server would write it into a log."""

from starlette.types import ASGIApp, Receive, Scope, Send

from amana.events import Code, EventLog


class LastResort:
    """Ends an error of an application here, and writes down only that there was one."""

    def __init__(self, app: ASGIApp, log: EventLog, code: Code) -> None:
        self._app = app
        self._log = log
        self._code = code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        try:
            await self._app(scope, receive, send)
        except Exception:  # the edge of the program: a traceback holds what was sent
            if scope["type"] != "http":
                raise
            self._log.record(self._code)
