"""Runs the tests of the pages' scripts, written for node beside this file, as part of the others."""

import os
import subprocess

from tools import node
from tools.steps import ROOT


def test_the_pages_scripts() -> None:
    tests = sorted((ROOT / "tests" / "unit" / "js").glob("*.test.mjs"))
    assert tests
    ended = subprocess.run(
        ["node", "--test", *tests],
        cwd=ROOT,
        env={**os.environ, **node.ensure()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
