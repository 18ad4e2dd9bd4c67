"""The door in front of the sockets: each holds a thread for as long as it is open, so not everybody gets one."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from flask import Flask
from flask_login import current_user
from werkzeug import Response

from app.web.extensions import socketio
from app.web.signed_in import user

MOST_OF_ALL = 48
"""Of the 64 threads a process is started with: the others go on answering requests, exits before all."""

MOST_OF_ONE = 24
"""Pages that one user may have open at the same time."""

_PATH = "/socket.io/"
_Start = Callable[..., Any]


class SocketDoor:
    """Asks who comes before the handshake, where the socket itself is still only a request.

    Without it a stranger could hold every thread of the process with connections that never say who they are.
    """

    def __init__(self, app: Flask, inner: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._inner = inner

    def __call__(self, environ: dict[str, Any], start_response: _Start) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(_PATH):
            with self._app.request_context(environ):
                refusal = _refusal()
            if refusal is not None:
                return refusal(environ, start_response)
        return self._inner(environ, start_response)


def _refusal() -> Response | None:
    """None for whoever may come in."""
    if not current_user.is_authenticated:
        return Response("Sign in first.\n", 401, mimetype="text/plain")
    server = cast("Any", socketio).server
    of_one = sum(1 for _ in server.manager.get_participants("/", f"user:{user().id}"))
    if of_one >= MOST_OF_ONE or len(server.eio.sockets) >= MOST_OF_ALL:
        return Response("Too many live pages are open here. Close some of them.\n", 503, mimetype="text/plain")
    return None
