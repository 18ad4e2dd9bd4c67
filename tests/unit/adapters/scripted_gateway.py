"""A WebSocket server on this machine that says what a test tells it to, byte for byte."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

Script = Callable[[ServerConnection], None]


@contextmanager
def scripted(script: Script) -> Iterator[str]:
    """Its address. Each connection runs the script on a thread of its own, and is closed when that ends."""

    def run(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            script(connection)

    with serve(run, "127.0.0.1", 0, compression=None, ping_interval=None, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)  # noqa: TID251 - a test's server
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join(5)
