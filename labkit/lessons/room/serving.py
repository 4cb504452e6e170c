"""The instructor's page, kept up to date and served to anyone who has its address.

The address ends with a token, because all who work on this machine reach its ports; a hub's proxy
that leads to it asks for a login, too. JupyterLab brings the server, tornado.
"""

import asyncio
import hmac
import secrets
import socket
from collections.abc import Callable

from tornado import web
from tornado.httpserver import HTTPServer

from labkit.base import echo
from labkit.base.errors import LabError, expecting
from labkit.engines import ports

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    # what is in the page stays there, whatever learners have written
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'",
}


class _Page(web.RequestHandler):
    def initialize(self, draw: Callable[[], str], token: str) -> None:
        self._draw, self._token = draw, token

    def set_default_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.set_header(name, value)

    def get(self) -> None:
        given = self.get_query_argument("token", "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise web.HTTPError(403)
        try:
            self.finish(self._draw())
        except LabError as problem:  # the folder is gone; it may come back
            self.set_status(503)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(str(problem))


def serve(draw: Callable[[], str], port: int = 0) -> None:
    """Serve the page that `draw` makes anew for each request, until somebody presses Ctrl+C.

    Says where; port 0 is any that is free. Raises `LabError` for one that is taken.
    """
    asyncio.run(_serve(draw, port))


async def _serve(draw: Callable[[], str], port: int) -> None:
    token = secrets.token_urlsafe(24)
    given = {"draw": draw, "token": token}
    page = web.Application([("/", _Page, given)], log_function=lambda _: None)
    with expecting(f"to serve the room on port {port}.", "leave --port out to take a free one."):
        listening = socket.create_server(("127.0.0.1", port))
    listening.setblocking(False)
    HTTPServer(page).add_socket(listening)
    address = ports.address(listening.getsockname()[1]).rstrip("/")
    echo.say(f"The room, live: {address}/?token={token}")
    echo.say("Ctrl+C ends it.")
    await asyncio.Event().wait()
