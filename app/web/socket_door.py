"""The door in front of the sockets: who comes is asked before the handshake, and not everybody gets a thread."""

import socket
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from flask_login import current_user
from werkzeug import Response

from app.web.open_pages import OpenPages, TooManyPages
from app.web.signed_in import user

_PATH = "/socket.io/"
_PEERS = ("gunicorn.socket", "werkzeug.socket")
_Start = Callable[..., Any]


class SocketDoor:
    """Asks who comes before the handshake, where the socket itself is still only a request.

    Without it a stranger could hold every thread of the process with connections that never say who they are.
    """

    def __init__(self, app: Flask, inner: Callable[..., Iterable[bytes]], pages: OpenPages) -> None:
        self._app = app
        self._inner = inner
        self._pages = pages

    def __call__(self, environ: dict[str, Any], start_response: _Start) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(_PATH):
            return self._inner(environ, start_response)
        with self._app.request_context(environ):
            user_id = user().id if current_user.is_authenticated else None
        if user_id is None:
            return _refusal(401, "Sign in first.")(environ, start_response)
        try:
            page = self._pages.enter(user_id, peer_of(environ))
        except TooManyPages as full:
            return _refusal(503, str(full))(environ, start_response)
        try:
            return self._inner(environ, start_response)  # for as long as the page is open
        finally:
            self._pages.leave(page)


def peer_of(environ: dict[str, Any]) -> socket.socket | None:
    """The connection below a request; None where the server keeps it to itself."""
    return next((environ[name] for name in _PEERS if name in environ), None)


def _refusal(status: int, words: str) -> Response:
    return Response(f"{words}\n", status, mimetype="text/plain")
