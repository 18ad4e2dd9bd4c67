"""The way to browsers: Socket.IO rooms."""

from collections.abc import Mapping

from flask_socketio import SocketIO


class SocketPublisher:
    """The Publisher port over Socket.IO. Thread-safe: it emits to rooms from outside any request."""

    def __init__(self, socketio: SocketIO) -> None:
        self._socketio = socketio

    def publish(self, room: str, event: str, payload: Mapping[str, object]) -> None:
        self._socketio.emit(event, dict(payload), to=room)
