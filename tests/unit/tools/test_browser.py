"""A Chromium is taken when it runs; having none fails where the tests guard the project, and is said elsewhere."""

from pathlib import Path

import pytest

from tools import browser
from tools.steps import SetupError

RUNS = "#!/bin/sh\necho Chromium 150.0\n"
ONLY_TALKS = "#!/bin/sh\necho 'get the real one from the store' >&2\nexit 1\n"


@pytest.fixture(autouse=True)
def _a_machine_with_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "REMEMBERED", tmp_path / "remembered")
    monkeypatch.setattr(browser, "MAC", tmp_path / "no-mac")
    monkeypatch.setattr(browser, "_playwrights_own", lambda: None)
    monkeypatch.setattr(browser, "_install", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.delenv("CI", raising=False)


def _program(path: Path, text: str = RUNS) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_first_name_that_runs_is_taken(tmp_path: Path) -> None:
    _program(tmp_path / "bin" / "chromium-browser", ONLY_TALKS)
    chrome = _program(tmp_path / "bin" / "google-chrome")
    assert browser.find() == chrome


def test_the_named_one_comes_before_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path / "bin" / "chromium")
    mine = _program(tmp_path / "mine" / "chrome")
    monkeypatch.setenv("CHROMIUM", str(mine))
    assert browser.find() == mine


def test_a_named_one_that_does_not_run_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path / "bin" / "chromium")
    monkeypatch.setenv("CHROMIUM", "/no/such/chromium")
    with pytest.raises(SetupError, match="CHROMIUM=/no/such/chromium does not run"):
        browser.find()


def test_what_was_found_is_remembered(tmp_path: Path) -> None:
    found = _program(tmp_path / "bin" / "chromium")
    browser.ensure()
    assert browser.REMEMBERED.read_text() == str(found)


def test_a_remembered_one_that_went_away_is_looked_for_again(tmp_path: Path) -> None:
    browser.REMEMBERED.write_text("/gone/chromium")
    found = _program(tmp_path / "bin" / "chromium")
    browser.ensure()
    assert browser.find() == found
    assert browser.REMEMBERED.read_text() == str(found)


def test_having_none_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    browser.ensure()
    said = capsys.readouterr().out
    assert "the browser tests will be skipped: no Chromium on this machine" in said
    assert "CHROMIUM=/path/to/chromium" in said


def test_having_none_fails_where_the_tests_guard_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SetupError, match="the browser tests cannot run"):
        browser.ensure()
