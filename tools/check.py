"""`make check`: every law of the house that can be tested in a minute; runs them all and names the ones that failed."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from tools.steps import ROOT, VENV

PROGRAMS = VENV / "bin"
PYTEST = ("python", "-m", "pytest")
Checks = Mapping[str, tuple[str, ...]]

TESTS: Checks = {"tests": (*PYTEST, "tests/unit", "tests/architecture", "-n", "2", "-m", "not proof")}
READERS: Checks = {
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "imports": ("lint-imports",),
}
"""What only reads: one after the other, beside the tests."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT.setdefault("HYPOTHESIS_PROFILE", "check")
"""Modules are compiled once, and properties tried less often than by `make test`."""


def main(*lanes: Checks) -> int:
    """The lanes run side by side, what is in a lane one after the other; nothing is left out because of a failure."""
    with ThreadPoolExecutor() as side_by_side:
        failed = [name for names in side_by_side.map(_failed, lanes or (TESTS, READERS)) for name in names]
    if failed:
        print(f"make check: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _failed(checks: Checks) -> list[str]:
    return [name for name, command in checks.items() if not _passes(name, command)]


def _passes(name: str, command: tuple[str, ...]) -> bool:
    started = time.monotonic()
    program, *arguments = command
    ended = subprocess.run(
        [PROGRAMS / program, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = ended.returncode == 0
    said = ended.stdout if name == "tests" or not passed else ""
    verdict = "ok    " if passed else "FAILED"
    sys.stdout.write(f"{said}{verdict} {name} ({time.monotonic() - started:.1f} s)\n")  # in one piece: lanes take turns
    sys.stdout.flush()
    return passed


if __name__ == "__main__":
    sys.exit(main())
