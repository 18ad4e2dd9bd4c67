"""`make check`: every law of the house that can be tested in a minute; runs them all and names the ones that failed."""

import os
import subprocess
import sys
import time

from tools.steps import ROOT, VENV

PROGRAMS = VENV / "bin"
PYTEST = ("python", "-m", "pytest")
CHECKS: dict[str, tuple[str, ...]] = {
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "imports": ("lint-imports",),
    "tests": (*PYTEST, "tests/unit", "tests/architecture", "-n", "2", "-m", "not proof"),
}

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT.setdefault("HYPOTHESIS_PROFILE", "check")
"""Modules are compiled once, and properties tried less often than by `make test`."""


def main() -> int:
    failed = [name for name, command in CHECKS.items() if not _passes(name, command)]
    if failed:
        print(f"make check: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


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
    if name == "tests" or not passed:
        print(ended.stdout, end="")
    print(f"{'ok    ' if passed else 'FAILED'} {name} ({time.monotonic() - started:.1f} s)", flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main())
