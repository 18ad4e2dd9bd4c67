"""The same packages are installed everywhere, from whichever registry a machine is set to use."""

import json
import re
from typing import Any

from tests.architecture.sources import ROOT, list_of

PINNED = re.compile(r"^[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[^=;\s]+(\s*;.*)?$")


def test_every_python_package_is_pinned() -> None:
    lines = [
        f"{path.name}: {line}"
        for path in sorted(ROOT.glob("requirements*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("#", "-r ")) and not PINNED.match(line.split(" #")[0].strip())
    ]
    assert not lines, f"write name==version:{list_of(lines)}"


def test_front_end_packages_are_pinned_by_content_and_not_by_address() -> None:
    packages = _locked()
    assert not [name for name, package in packages.items() if "resolved" in package]
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    loose = [f"{name} {version}" for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)]
    assert not loose, f"write the exact version in package.json:{list_of(loose)}"


def test_the_lock_names_the_builds_for_every_platform() -> None:
    """Without them npm ci refuses the lock, on every machine but the kind it was written on."""
    packages = _locked()
    named = {name.rpartition("node_modules/")[2] for name in packages}
    missing = {
        f"{wanted} (wanted by {name})"
        for name, package in packages.items()
        for wanted in package.get("optionalDependencies", {})
        if wanted not in named
    }
    assert not missing, f"add these to package-lock.json:{list_of(sorted(missing))}"


def _locked() -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    return packages


def test_every_package_is_accounted_for() -> None:
    lists = [path.read_text(encoding="utf-8") for path in ROOT.glob("requirements*.txt")]
    python = {re.split(r"[=\[]", line)[0] for text in lists for line in text.splitlines() if "==" in line}
    wanted = python | set(json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"])
    told = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    silent = sorted(name for name in wanted if name not in told and not name.startswith("types-"))
    assert not silent, f"say in docs/dependencies.md what these are for:{list_of(silent)}"
