"""The Makefile takes a Python that runs, not a name that happens to be on PATH; having none is one line."""

import os
import subprocess
import sys
from pathlib import Path

from tools.steps import ROOT

SCRIPT = ROOT / "tools" / "find_python.sh"
OLD = "#!/bin/sh\necho 3.8.18\nexit 1\n"
BROKEN_SHIM = "#!/bin/sh\necho 'python3: command not found' >&2\nexit 127\n"


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def _find(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    search = f"{folder / 'bin'}{os.pathsep}/nowhere"
    return subprocess.run(
        ["/bin/sh", SCRIPT],
        cwd=folder,
        env={"PATH": search, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _real(path: Path) -> Path:
    return _program(path, f'#!/bin/sh\nexec {sys.executable} "$@"\n')


def test_an_old_python_and_a_broken_shim_are_passed_over(tmp_path: Path) -> None:
    _program(tmp_path / "bin" / "python3", OLD)
    _program(tmp_path / "bin" / "python3.13", BROKEN_SHIM)
    _real(tmp_path / "bin" / "python3.12")
    assert _find(tmp_path).stdout.strip() == "python3.12"


def test_the_named_python_is_taken_first(tmp_path: Path) -> None:
    _real(tmp_path / "bin" / "python3")
    named = _real(tmp_path / "elsewhere" / "python")
    assert _find(tmp_path, PYTHON=str(named)).stdout.strip() == str(named)


def test_a_named_python_that_does_not_run_is_not_replaced(tmp_path: Path) -> None:
    _real(tmp_path / "bin" / "python3")
    found = _find(tmp_path, PYTHON="/no/such/python")
    assert found.returncode == 1
    assert "PYTHON=/no/such/python does not run" in found.stderr


def test_only_an_old_python_gets_one_line_that_names_it(tmp_path: Path) -> None:
    _program(tmp_path / "bin" / "python3", OLD)
    found = _find(tmp_path)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.count("\n") == 1
    assert "needs Python 3.11, 3.12 or 3.13; found: python3 is 3.8.18;" in found.stderr


def test_no_python_at_all_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    found = _find(tmp_path)
    assert found.returncode == 1
    assert "found: none;" in found.stderr
