"""`make check` runs all there is, names what failed, and lets lanes go side by side."""

from pathlib import Path

import pytest

from tools import check

FAILS = ("python", "-c", "print('the reason'); raise SystemExit(3)")
PASSES = ("python", "-c", "print('not worth reading')")


def waits_for(mark: Path, leaves: Path) -> tuple[str, ...]:
    """Leaves its own mark, and passes when the other lane's comes."""
    program = (
        "import pathlib, sys, threading; pathlib.Path(sys.argv[2]).touch(); "
        "sys.exit(not any(pathlib.Path(sys.argv[1]).exists() or threading.Event().wait(0.02) for _ in range(1000)))"
    )
    return ("python", "-c", program, str(mark), str(leaves))


def test_everything_passes(capfd: pytest.CaptureFixture[str]) -> None:
    assert check.main({"one": PASSES, "two": PASSES}) == 0
    said = capfd.readouterr()
    assert [line.split(" (")[0] for line in said.out.splitlines()] == ["ok     one", "ok     two"]
    assert not said.err


def test_each_failure_is_shown_and_named_and_the_rest_runs(capfd: pytest.CaptureFixture[str]) -> None:
    assert check.main({"one": FAILS, "two": PASSES}, {"three": FAILS}) == 1
    said = capfd.readouterr()
    assert said.out.count("the reason\nFAILED ") == 2
    assert "ok     two" in said.out
    assert said.err == "make check: failed: one, three\n"


def test_lanes_run_side_by_side(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    assert check.main({"one": waits_for(other, one)}, {"other": waits_for(one, other)}) == 0
