"""Secrets are made once, kept as they are, and never readable by others."""

import base64
from pathlib import Path

import pytest

from tools import env_file
from tools.steps import SetupError


def test_the_first_time_makes_every_secret(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    settings = env_file.ensure(path)
    kid, _, key = settings["ENCRYPTION_KEYS"].partition(":")
    assert kid == "k1"
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert len(settings["SECRET_KEY"]) >= 43  # 256 bits and more
    assert len(settings["SETUP_TOKEN"]) >= 22  # 128 bits and more
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_installations_share_no_secret(tmp_path: Path) -> None:
    first, second = env_file.ensure(tmp_path / "first"), env_file.ensure(tmp_path / "second")
    assert not set(first.values()) & set(second.values())


def test_the_second_time_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    first = env_file.ensure(path)
    text = path.read_text()
    assert env_file.ensure(path) == first
    assert path.read_text() == text


def test_what_has_a_value_stays_and_what_has_none_gets_one(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nSECRET_KEY='as it was'\nexport LIVE_SENDING=1\nSETUP_TOKEN=\n")
    path.chmod(0o600)
    settings = env_file.ensure(path)
    assert settings["SECRET_KEY"] == "as it was"
    assert settings["LIVE_SENDING"] == "1"
    assert settings["SETUP_TOKEN"]
    assert path.read_text().startswith("# mine\nSECRET_KEY='as it was'\n")
    assert path.read_text().count("SETUP_TOKEN") == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o620])
def test_a_file_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY=known\n")
    path.chmod(mode)
    with pytest.raises(SetupError, match=f"mode {mode:o}.*chmod 600"):
        env_file.ensure(path)
    assert path.read_text() == "SECRET_KEY=known\n"
