"""Building the front-end anew takes nothing away from a desk that runs or a page that is open."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools import node
from tools.steps import ROOT

A_DAY_AGO = -24 * 3600 - 60


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for part in ("app/static/src", "app/templates"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (tmp_path / "tools").mkdir()
    for name in ("package.json", "tools/build_assets.mjs"):
        shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    return tmp_path


def _build(project: Path) -> dict[str, str]:
    """The manifest of a new build."""
    environment = {**os.environ, **node.ensure()}
    command = ["node", "tools/build_assets.mjs"]
    ended = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    manifest: dict[str, str] = json.loads((project / "app/static/build/manifest.json").read_text())
    return manifest


def test_what_an_open_page_asks_for_outlives_the_next_build(project: Path) -> None:
    first = _build(project)
    build = project / "app/static/build"
    assert set(first) == {"desk.css", "desk.js", "icons.svg", "mark.svg"}
    assert {*first.values(), "manifest.json", "licences.txt"} <= {path.name for path in build.iterdir()}
    ancient = build / "desk-0000000000.css"
    ancient.touch()
    os.utime(ancient, times=(ancient.stat().st_mtime + A_DAY_AGO,) * 2)
    before = {path.name for path in build.iterdir()} - {ancient.name}

    mark = project / "app/static/src/mark.svg"
    mark.write_text(mark.read_text().replace("</svg>", "<!-- changed --></svg>"))
    second = _build(project)

    assert second["mark.svg"] != first["mark.svg"]
    assert {path.name for path in build.iterdir()} == before | {second["mark.svg"]}


def test_a_build_that_fails_changes_nothing(project: Path) -> None:
    _build(project)
    build = project / "app/static/build"
    before = {path.name: path.read_bytes() for path in build.iterdir()}
    (project / "app/static/src/js/desk.js").write_text("this is not a module (")
    with pytest.raises(AssertionError):
        _build(project)
    assert {path.name: path.read_bytes() for path in build.iterdir()} == before
