"""Runs the tests of the modules that compute, and holds their wording to the product's own."""

import json
import os
import subprocess
from pathlib import Path

from app.domain import wording
from tools.node import ensure

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
AGES = [0, 0.04, 0.06, 0.44, 3, 9.94, 9.99, 10, 12.9, 119.5, 120, 7199, 7200, 100_000]


def node(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **ensure()}
    return subprocess.run(
        ["node", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_modules_compute_what_their_tests_say() -> None:
    result = node("--test", *map(str, sorted(HERE.glob("*.test.mjs"))))
    assert result.returncode == 0, result.stdout + result.stderr


def test_an_age_reads_the_same_when_the_page_ages_it() -> None:
    script = 'import { ageText } from "./app/static/src/js/lib/staleness.js";'
    script += f"console.log(JSON.stringify({json.dumps(AGES)}.map(ageText)))"
    result = node("--input-type=module", "--eval", script)
    assert json.loads(result.stdout) == [wording.age(age) for age in AGES], result.stderr
