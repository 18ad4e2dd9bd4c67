"""Set-up does each step once, repeats what was interrupted, and says in one line what is missing."""

import importlib.util
from pathlib import Path

import pytest

from tools import browser, node, redis_server, setup, steps
from tools.steps import SetupError


class Machine:
    """Stands in for pip, npm and venv: writes down what was asked, and can break at a step."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.did: list[str] = []
        self.breaks_at = ""

    def step(self, what: str, *_rest: object) -> None:
        if what == self.breaks_at:
            raise SetupError(f"{what} failed")
        self.did.append(what)
        if what == "Making the virtual environment":
            python = self.root / ".venv" / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.write_text("")
            (self.root / ".venv" / "pyvenv.cfg").write_text(f"version = {setup._this_version()}.7\n")
        if what == "Installing the front-end packages":
            (self.root / "node_modules").mkdir(exist_ok=True)
        if what == "Building the front-end":
            (self.root / "app" / "static" / "build").mkdir(parents=True, exist_ok=True)
            (self.root / "app" / "static" / "build" / "manifest.json").touch()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    for module in (setup, steps):
        monkeypatch.setattr(module, "ROOT", tmp_path)
        monkeypatch.setattr(module, "CACHE", tmp_path / ".cache")
        monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
        monkeypatch.setattr(module, "VENV_PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(setup, "STATIC", tmp_path / "app" / "static")
    monkeypatch.setattr(setup, "BUILD", tmp_path / "app" / "static" / "build")
    monkeypatch.setattr(setup, "run_step", made.step)
    monkeypatch.setattr(setup, "run_pip", made.step)
    monkeypatch.setattr(setup, "output_of", lambda _command: "pip 26" if (tmp_path / ".venv").exists() else None)
    monkeypatch.setattr(node, "ensure", dict)
    monkeypatch.setattr(browser, "ensure", lambda: made.did.append("browser"))
    monkeypatch.setattr(redis_server, "ensure", lambda: made.did.append("redis"))
    for name in ("requirements.txt", "requirements-simulator.txt", "requirements-dev.txt", "package-lock.json"):
        (tmp_path / name).write_text(name)
    return made


ALL = [
    "Making the virtual environment",
    "Installing the Python packages",
    "Installing the front-end packages",
    "Building the front-end",
]


def test_the_second_time_does_nothing(machine: Machine) -> None:
    assert setup.main(["run"]) == 0
    assert machine.did == ALL
    machine.did.clear()
    assert setup.main(["run"]) == 0
    assert machine.did == []


@pytest.mark.parametrize("step", ALL)
def test_what_was_interrupted_is_done_again(machine: Machine, step: str, capsys: pytest.CaptureFixture[str]) -> None:
    machine.breaks_at = step
    assert setup.main(["run"]) == 1
    assert capsys.readouterr().err == f"make: {step} failed\n"
    machine.did.clear()
    machine.breaks_at = ""
    assert setup.main(["run"]) == 0
    assert machine.did == ALL[ALL.index(step) :]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("requirements.txt", ["Installing the Python packages"]),
        ("package-lock.json", ["Installing the front-end packages", "Building the front-end"]),
        ("app/static/src/desk.css", ["Building the front-end"]),
        ("app/templates/page.html", ["Building the front-end"]),
    ],
)
def test_only_what_changed_is_done_again(machine: Machine, changed: str, expected: list[str]) -> None:
    setup.main(["run"])
    machine.did.clear()
    path = machine.root / changed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed")
    assert setup.main(["run"]) == 0
    assert machine.did == expected


def test_testing_needs_more_than_running_and_running_nothing_more_than_testing(machine: Machine) -> None:
    setup.main(["run"])
    machine.did.clear()
    setup.main(["test"])
    assert machine.did == ["Installing the Python packages", "redis", "browser"]
    machine.did.clear()
    setup.main(["run"])
    assert machine.did == []


def test_an_environment_of_another_python_is_made_anew(machine: Machine) -> None:
    setup.main(["run"])
    (machine.root / ".venv" / "pyvenv.cfg").write_text("version = 3.9.1\n")
    machine.did.clear()
    setup.main(["run"])
    assert machine.did == ALL[:2]


def test_a_python_without_venv_is_one_line(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert setup.main(["run"]) == 1
    said = capsys.readouterr().err
    assert "lacks its venv module; install it (Debian, Ubuntu: apt install python3." in said
    assert said.count("\n") == 1
    assert machine.did == []


def test_only_two_modes(capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.main(["everything"]) == 2
    assert "run|test" in capsys.readouterr().err
