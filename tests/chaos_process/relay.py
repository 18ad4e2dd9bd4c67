"""A gateway that can be killed while its broker lives on: a process that passes bytes between two ports.

The simulator is gateway and broker in one, and its books would die with it. `kill -9` of this process cuts every
connection and refuses new ones; what had reached the simulator is carried out there, as at a broker.
"""

import asyncio
import contextlib
import socket
import subprocess
import sys
from pathlib import Path

from tools import children
from tools.steps import ROOT

CHUNK = 65536


class Relay:
    """In front of one port of the simulator, on a port of its own that it keeps when it is started again."""

    def __init__(self, target: int, log: Path) -> None:
        self.port = free_port()
        self._target = target
        self._log = log
        self._program: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.chaos_process.relay", str(self.port), str(self._target)]
        with self._log.open("a", encoding="utf-8") as output:
            self._program = children.start(command, output=output, folder=ROOT)

    def kill(self) -> None:
        if self._program is not None:
            self._program.kill()
            self._program.wait()
            self._program = None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def _serve(port: int, target: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
