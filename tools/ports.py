"""Says which program listens on a port that is needed."""

import shutil
import socket
from pathlib import Path

from tools.steps import SetupError, output_of

_LISTENING = "0A"  # the state column of /proc/net/tcp


def must_be_free(port: int, what: str, way_out: str) -> None:
    """Raises SetupError, one line, when something listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise SetupError(f"port {port} ({what}) may not be used by this user; {way_out}") from error
        except OSError as error:
            raise SetupError(f"port {port} ({what}) is in use by {who_listens(port)}; {way_out}") from error


def who_listens(port: int) -> str:
    """`nginx (pid 812)`, or `another program` where the system does not tell."""
    if Path("/proc/net/tcp").exists():
        return _from_proc(port) or "another program"
    if shutil.which("lsof"):
        said = output_of(["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"]) or ""
        parts = {line[:1]: line[1:] for line in said.splitlines()}
        if {"p", "c"} <= parts.keys():
            return f"{parts['c']} (pid {parts['p']})"
    return "another program"


def _from_proc(port: int) -> str | None:
    sockets = _listening_sockets(port)
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and sockets & _open_sockets(process):
            return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return None


def _listening_sockets(port: int) -> set[str]:
    """The inode numbers of the sockets that listen on the port; a line is: slot, local address, remote, state, ..."""
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        lines = table.read_text().splitlines()[1:] if table.exists() else []
        columns = (line.split() for line in lines)
        found |= {row[9] for row in columns if row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port}
    return found


def _open_sockets(process: Path) -> set[str]:
    try:
        targets = [str(link.readlink()) for link in (process / "fd").iterdir()]
    except (PermissionError, FileNotFoundError):  # another user's, or it ended just now
        return set()
    return {target[len("socket:[") : -1] for target in targets if target.startswith("socket:[")}
