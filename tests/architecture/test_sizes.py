"""No file and no function gets away: the limits hold from the first day."""

from pathlib import Path

from tests.architecture.sources import STATIC_SOURCES, functions_of, list_of, place, python_files

FILE_LINES = 400
FUNCTION_LINES = 60


def test_files_are_short() -> None:
    scripts = [path for ending in ("*.js", "*.mjs") for path in STATIC_SOURCES.rglob(ending)]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in [*_all_python(), *scripts]}
    long = [f"{place(path)}: {lines} lines" for path, lines in lengths.items() if lines > FILE_LINES]
    assert not long, f"files over {FILE_LINES} lines are two files:{list_of(long)}"


def test_functions_are_short() -> None:
    long = [
        f"{place(path, function)}: {function.name} has {lines} lines"
        for path in _all_python()
        for function in functions_of(path)
        if (lines := (function.end_lineno or function.lineno) - function.lineno + 1) > FUNCTION_LINES
    ]
    assert not long, f"functions over {FUNCTION_LINES} lines do more than one thing:{list_of(long)}"


def _all_python() -> list[Path]:
    return [*python_files(), *python_files("tests")]
