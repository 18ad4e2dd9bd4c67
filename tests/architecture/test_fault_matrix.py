"""docs/fault-matrix.md and the tests that bear a row's number say the same."""

import re
from functools import cache

from tests.architecture.sources import ROOT, functions_of, list_of, place, python_files

PAGE = ROOT / "docs" / "fault-matrix.md"
ROWS = frozenset(range(1, 59))
"""Orders, books, leadership, database, clock, the feed and browsers."""

LINE = re.compile(r"^\| (\d+) \| (.+?) \| (.*) \|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def _lines() -> dict[int, str]:
    """What is said to show each row."""
    return {int(number): shown for number, _, shown in LINE.findall(PAGE.read_text(encoding="utf-8"))}


@cache
def _tests() -> frozenset[tuple[str, str]]:
    return frozenset(
        (place(path), function.name)
        for path in python_files("tests")
        for function in functions_of(path)
        if function.name.startswith("test_")
    )


def test_every_row_is_shown_by_a_test_or_says_why_not() -> None:
    assert _lines().keys() == ROWS
    silent = [str(row) for row, shown in _lines().items() if not shown.strip()]
    assert not silent, f"rows without a test and without a word:{list_of(silent)}"


def test_every_test_that_is_named_there_exists() -> None:
    gone = [f"{row}: {path}::{name}" for row, path, name in _named() if (path, name) not in _tests()]
    assert not gone, f"no such test:{list_of(gone)}"


def test_every_test_of_a_row_is_named_in_its_line() -> None:
    named = set(_named())
    numbered = [(path, name, re.match(r"test_row_(\d\d)_", name)) for path, name in sorted(_tests())]
    missing = [
        f"{path}::{name}" for path, name, number in numbered if number and (int(number[1]), path, name) not in named
    ]
    assert not missing, f"write them into {PAGE.name}:{list_of(missing)}"


def _named() -> list[tuple[int, str, str]]:
    return [(row, path, name) for row, shown in _lines().items() for path, name in NAMED.findall(shown)]
