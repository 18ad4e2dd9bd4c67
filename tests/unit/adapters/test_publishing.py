"""What is published to a room reaches the browsers in it, and no others."""

from flask import Flask
from flask_socketio import SocketIO, SocketIOTestClient, join_room

from app.adapters.publisher import SocketPublisher


def test_a_room_gets_what_is_published_to_it() -> None:
    app = Flask(__name__)
    socketio = SocketIO(app, async_mode="threading")
    socketio.on_event("join", join_room)

    def browser_in(room: str) -> SocketIOTestClient:
        browser = socketio.test_client(app)
        browser.emit("join", room)
        return browser

    inside, outside = browser_in("run:7"), browser_in("run:8")
    SocketPublisher(socketio).publish("run:7", "pnl", {"total": "-125.00"})
    (heard,) = inside.get_received()
    assert (heard["name"], heard["args"]) == ("pnl", [{"total": "-125.00"}])
    assert outside.get_received() == []
