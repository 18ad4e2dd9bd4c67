"""Pages that look at a chain: `python -m bench.chain_viewers PORT ROOM NUMBER`, a process of its own.

Says when all of them watch; to each line it answers with the sizes of the messages that came since the last.
"""

import asyncio
import json
import sys

from websockets.asyncio.client import ClientConnection, connect


class Viewers:
    """Speaks just enough of Socket.IO: in, watch, and an answer to each ping."""

    def __init__(self, port: int, room: str) -> None:
        self._address = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        self._room = room
        self.sizes: list[int] = []

    async def look(self, watching: asyncio.Semaphore) -> None:
        async with connect(self._address, compression=None, max_size=None, ping_interval=None) as socket:
            await socket.send("40")
            await self._until(socket, "40")
            await socket.send("42" + json.dumps(["watch", {"topic": self._room}]))
            watching.release()
            async for message in socket:
                await self._take(socket, str(message))

    async def _take(self, socket: ClientConnection, message: str) -> None:
        if message == "2":
            await socket.send("3")
        elif message.startswith("42") and self._room in message:
            self.sizes.append(len(message.encode()))

    async def _until(self, socket: ClientConnection, beginning: str) -> None:
        while not str(await socket.recv()).startswith(beginning):
            pass


async def main(port: int, room: str, number: int) -> None:
    viewers, watching = Viewers(port, room), asyncio.Semaphore(0)
    tasks = [asyncio.create_task(viewers.look(watching)) for _ in range(number)]
    for _ in tasks:
        await watching.acquire()
    print(json.dumps({"watching": number}), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        sizes, viewers.sizes = viewers.sizes, []
        print(json.dumps({"sizes": sizes}), flush=True)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
