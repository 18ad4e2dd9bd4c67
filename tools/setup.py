"""`python -m tools.setup run|test`: brings .venv, the packages and the front-end up to date, or does nothing."""

import fcntl
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import browser, node, redis_server
from tools.steps import (
    CACHE,
    ROOT,
    VENV,
    VENV_PYTHON,
    SetupError,
    Stamp,
    content_hash,
    files_under,
    output_of,
    run_pip,
    run_step,
    say,
)

STATIC = ROOT / "app" / "static"
BUILD = STATIC / "build"
REQUIREMENTS = {
    "run": ("requirements-simulator.txt", "requirements.txt"),
    "test": ("requirements-dev.txt", "requirements-simulator.txt", "requirements.txt"),
}
"""For each mode the list that is installed, followed by the lists it includes."""


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in REQUIREMENTS:
        print("usage: python -m tools.setup run|test", file=sys.stderr)
        return 2
    try:
        with only_one_at_a_time():
            prepare(arguments[0])
    except SetupError as problem:
        print(f"make: {problem}", file=sys.stderr)
        return 1
    return 0


def prepare(mode: str) -> None:
    """Everything `mode` ("run" or "test") needs, each step only if its inputs changed. Raises SetupError."""
    python_packages(mode)
    front_end()
    if mode == "test":
        redis_server.ensure()
        browser.ensure()


@contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Two commands started together must not install into the same folder at once: the second waits here."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is running here; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def python_packages(mode: str) -> None:
    stamp = _packages_stamp(mode)
    if stamp.fresh() and _venv_version() == _this_version():
        return
    stamp.forget()
    if not _venv_works():
        _make_venv()
    wanted = REQUIREMENTS[mode][0]
    say(f"installing the Python packages of {wanted} (the first time takes a minute or two)")
    run_pip("Installing the Python packages", "install", "-r", wanted)
    stamp.write()
    if mode == "test":  # the tests' list includes the other
        _packages_stamp("run").write()


def front_end() -> None:
    modules = ROOT / "node_modules"
    lists = [ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc"]
    installed = Stamp("node", content_hash(lists), (modules,))
    sources = files_under(STATIC / "src") + files_under(ROOT / "app" / "templates")
    inputs = [*lists, ROOT / "tools" / "build_assets.mjs", *sources]
    built = Stamp("build", content_hash(inputs), (BUILD / "manifest.json",))
    if installed.fresh() and built.fresh():
        return
    environment = node.ensure()
    if not installed.fresh():
        installed.forget()
        say("installing the front-end packages")
        run_step("Installing the front-end packages", ["npm", "ci", "--no-audit", "--no-fund"], environment)
        installed.write()
    built.forget()
    say("building the front-end")
    run_step("Building the front-end", ["npm", "run", "build"], environment)
    built.write()


def _packages_stamp(mode: str) -> Stamp:
    lists = [ROOT / name for name in REQUIREMENTS[mode]]
    return Stamp(f"python-{mode}", content_hash(lists, _this_version()), (VENV_PYTHON,))


def _this_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _venv_version() -> str | None:
    """Which Python made the virtual environment ("3.12"); None when there is none."""
    settings = VENV / "pyvenv.cfg"
    if not settings.is_file():
        return None
    for line in settings.read_text().splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "version":
            return ".".join(value.strip().split(".")[:2])
    return None


def _venv_works() -> bool:
    """Of the right version, and finished: pip is the last thing put into a virtual environment."""
    return _venv_version() == _this_version() and output_of([VENV_PYTHON, "-m", "pip", "--version"]) is not None


def _make_venv() -> None:
    python = _base_python()
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            f"{python} lacks its venv module; install it (Debian, Ubuntu: apt install python{_this_version()}-venv) "
            "and run the command again."
        )
    say(f"making a virtual environment in .venv with Python {_this_version()}")
    shutil.rmtree(VENV, ignore_errors=True)
    run_step("Making the virtual environment", [python, "-m", "venv", VENV])


def _base_python() -> Path:
    """The Python outside any virtual environment, since .venv may be the very thing that is replaced."""
    return Path(os.path.realpath(sys.executable)) if sys.prefix != sys.base_prefix else Path(sys.executable)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
