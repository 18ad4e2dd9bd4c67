"""Finds a Chromium that runs for the browser tests, or installs one. `python -m tools.browser` prints which it is."""

import os
import shutil
import sys
from pathlib import Path

from tools.steps import CACHE, VENV_PYTHON, SetupError, output_of, run_step, say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
REMEMBERED = CACHE / "browser"
NOT_FOUND = (
    "no Chromium on this machine and none could be installed; install Chromium or Google Chrome, "
    "or name one: CHROMIUM=/path/to/chromium make test"
)

_ASK_PLAYWRIGHT = (
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as playwright: print(playwright.chromium.executable_path)"
)


def find() -> Path | None:
    """A Chromium that starts: $CHROMIUM, the one set-up remembered, then PATH. None when there is none.

    Raises SetupError when $CHROMIUM names something that does not run: a wish is obeyed or refused, never replaced.
    """
    wished = os.environ.get("CHROMIUM")
    if wished:
        if not _runs(Path(wished)):
            raise SetupError(f"CHROMIUM={wished} does not run; correct it or unset it.")
        return Path(wished)
    remembered = Path(REMEMBERED.read_text()) if REMEMBERED.is_file() else None
    on_path = (Path(found) for found in map(shutil.which, NAMES) if found)
    candidates = [remembered] if remembered else []
    return next((path for path in (*candidates, *on_path, MAC) if _runs(path)), None)


def ensure() -> None:
    """Finds or installs a Chromium and remembers it. Where none can be had: an error with CI=true, else a notice."""
    if REMEMBERED.is_file() and Path(REMEMBERED.read_text()).is_file() and not os.environ.get("CHROMIUM"):
        return
    found = find() or _playwrights_own()
    if found is None:
        say("no Chromium on this machine: installing one for the browser tests")
        found = _install()
    if found is not None:
        REMEMBERED.write_text(str(found))
    elif os.environ.get("CI") == "true":
        raise SetupError(f"the browser tests cannot run: {NOT_FOUND}.")
    else:
        say(f"the browser tests will be skipped: {NOT_FOUND}")


def _install() -> Path | None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt = {"DEBIAN_FRONTEND": "noninteractive"}
        if _tried("apt-get update", ["apt-get", "update"], apt) and _tried(
            "apt-get install chromium", ["apt-get", "install", "-y", "--no-install-recommends", "chromium"], apt
        ):
            return find()
    if _tried("playwright install chromium", [VENV_PYTHON, "-m", "playwright", "install", "chromium"], {}):
        return _playwrights_own()
    return None


def _tried(what: str, command: list[str | Path], environment: dict[str, str]) -> bool:
    try:
        run_step(what, command, environment)
    except SetupError as problem:
        say(str(problem))
        return False
    return True


def _playwrights_own() -> Path | None:
    said = output_of([VENV_PYTHON, "-c", _ASK_PLAYWRIGHT])
    return Path(said) if said and _runs(Path(said)) else None


def _runs(program: Path) -> bool:
    """Asked, not assumed: some distributions put a script there that only says where to get the real one."""
    return program.is_file() and bool(output_of([program, "--version"]))


def main() -> int:
    try:
        found = find()
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(found or NOT_FOUND, file=sys.stdout if found else sys.stderr)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
