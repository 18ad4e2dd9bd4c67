"""Finished work is not repeated, unfinished work is, and a failure is one line with its reason."""

import sys
from pathlib import Path

import pytest

from tools import steps
from tools.steps import SetupError, Stamp, content_hash, output_of, run_step


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    monkeypatch.setattr(steps, "CACHE", tmp_path / ".cache")
    monkeypatch.setattr(steps, "LOG", tmp_path / ".cache" / "setup.log")


def test_a_stamp_holds_until_inputs_change_or_the_result_is_gone(tmp_path: Path) -> None:
    result = tmp_path / "result"
    stamp = Stamp("packages", "first", (result,))
    assert not stamp.fresh()
    result.mkdir()
    assert not stamp.fresh()  # made, but interrupted before the end
    stamp.write()
    assert stamp.fresh()
    assert not Stamp("packages", "second", (result,)).fresh()
    result.rmdir()
    assert not stamp.fresh()


def test_the_hash_follows_names_and_contents(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("same")
    before = content_hash([first, second], "3.11")
    assert content_hash([second, first], "3.11") == before
    assert content_hash([first, second], "3.12") != before
    second.write_text("same")
    assert content_hash([first, second], "3.11") != before
    assert content_hash([first]) != content_hash([second])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "npm error code E404\nnpm error 404 Not Found - leftpad\nnpm error A complete log of this run",
            "404 Not Found",
        ),
        ("WARNING: NewConnectionError: no route\nERROR: No matching distribution", "the network cannot be reached"),
        ("first\nlast words", "last words"),
        ("", "it said nothing"),
    ],
)
def test_a_failure_is_one_line_with_its_reason(said: str, expected: str) -> None:
    with pytest.raises(SetupError) as failed:
        run_step("Installing", [sys.executable, "-c", f"import sys; print({said!r}); sys.exit(3)"])
    assert str(failed.value).startswith("Installing failed: ")
    assert expected in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_program_that_is_not_there_is_one_line() -> None:
    with pytest.raises(SetupError, match="Installing could not start"):
        run_step("Installing", ["/no/such/program"])


def test_asking_a_program() -> None:
    assert output_of([sys.executable, "-c", "print('here')"]) == "here"
    assert output_of([sys.executable, "-c", "raise SystemExit(1)"]) is None
    assert output_of(["/no/such/program"]) is None
