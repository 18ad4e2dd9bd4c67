"""Live pages: who may connect, and which rooms they may enter. Rooms are named by the server's ids alone.

Each process tells its own pages what it knows: from its engine, or from what the engine elsewhere told. So nothing
travels between the sockets of several processes, and a Redis that dies takes no page with it. Importing this registers
the events.
"""

import re
import socket
from datetime import date
from typing import Any, cast

from flask_login import current_user
from flask_socketio import disconnect, join_room, leave_room

from app.domain.contracts import underlying_named
from app.domain.errors import InvalidInput, NotFound, Unavailable
from app.persistence.tables import Run
from app.web.desk import desk
from app.web.extensions import socketio
from app.web.signed_in import SignedIn, user
from app.web.socket_door import peer_of

MOST_WAITING = 500
"""Messages not yet taken by one page: more than half a minute of everything. So late is who does not read."""

OPEN_ROOMS = frozenset({"desk", "dashboard"})

_CHAIN = re.compile(r"chain:([A-Z0-9]{1,20}):([0-9]{4}-[0-9]{2}-[0-9]{2})(:greeks)?")
_RUN = re.compile(r"run:([0-9]{1,9})")


@socketio.on("connect")
def _connect(_auth: object = None) -> bool:
    """Only with a valid login. The user's own room and the desk's are entered at once."""
    if not current_user.is_authenticated:
        return False
    join_room(f"user:{user().id}")
    join_room("desk")
    return True


@socketio.on("watch")
def _watch(message: object) -> dict[str, object]:
    """Enter the room of a topic. Every event checks the login anew: it may have ended since the connection."""
    if not current_user.is_authenticated:
        disconnect()
        return {"ok": False, "detail": "You are not signed in any more."}
    topic = message.get("topic") if isinstance(message, dict) else None
    if not isinstance(topic, str):
        return {"ok": False, "detail": "topic must be the name of what the page shows."}
    try:
        join_room(_room(topic, user()))
    except (InvalidInput, NotFound, Unavailable) as refused:
        return {"ok": False, "detail": str(refused)}
    return {"ok": True}


@socketio.on("unwatch")
def _unwatch(message: object) -> None:
    """Leave the room of a topic; one that was never entered may be left too."""
    topic = message.get("topic") if isinstance(message, dict) else None
    if isinstance(topic, str):
        leave_room(topic)


def watched_rooms() -> frozenset[str]:
    """Rooms of this process that somebody is in, for whoever decides what is worth sending. Thread-safe."""
    rooms = _server().manager.rooms.get("/", {})
    return frozenset(room for room in list(rooms) if isinstance(room, str) and (":" in room or room in OPEN_ROOMS))


def present_peers() -> frozenset[socket.socket]:
    """The connections of this process that are live pages: greeted, not given up, and reading. Thread-safe."""
    server = _server()
    rooms = server.manager.rooms.get("/", {}).get(None, {})
    greeted = {eio_sid for _, eio_sid in list(rooms.items())}
    return frozenset(
        peer
        for eio_sid, environ in list(server.environ.items())
        if eio_sid in greeted and _takes_what_comes(server, eio_sid) and (peer := peer_of(environ)) is not None
    )


def _takes_what_comes(server: Any, eio_sid: str) -> bool:
    held = server.eio.sockets.get(eio_sid)
    return held is not None and held.queue.qsize() <= MOST_WAITING


def disconnect_user(user_id: int) -> None:
    """End this process's connections of a user who signed out; pages of another session connect again."""
    server = _server()
    for sid, _ in list(server.manager.get_participants("/", f"user:{user_id}")):
        server.disconnect(sid)


def _server() -> Any:
    """The server below Flask-SocketIO, which its type stubs do not know."""
    return cast("Any", socketio).server


def _room(topic: str, viewer: SignedIn) -> str:
    if topic in OPEN_ROOMS:
        return topic
    if found := _CHAIN.fullmatch(topic):
        return _chain_room(found[1], found[2]) + (found[3] or "")
    if found := _RUN.fullmatch(topic):
        return _run_room(int(found[1]), viewer)
    raise InvalidInput("topic", "There is nothing live of that name.")


def _chain_room(name: str, day: str) -> str:
    underlying = underlying_named(name).name
    try:
        expiry = date.fromisoformat(day)
    except ValueError:
        raise InvalidInput("topic", f"{day} is not a date.") from None
    chains = desk().chains
    if expiry not in chains.expiries(underlying):
        raise NotFound(f"{underlying} has no expiry on {expiry:%d %b %Y}.")
    chains.looked_at(underlying, expiry)
    return f"chain:{underlying}:{expiry.isoformat()}"


def _run_room(run_id: int, viewer: SignedIn) -> str:
    with desk().database.reading() as session:
        run = session.get(Run, run_id)
    if run is None or not (viewer.is_admin or run.user_id == viewer.id):
        raise NotFound("There is no such run.")
    return f"run:{run_id}"
