"""Passwords are kept as argon2id hashes of the strength that the product promises, and found again."""

import subprocess
import sys

import pytest
from argon2 import PasswordHasher

from app.services.passwords import Passwords
from tools.steps import ROOT

A_FRESH_PRODUCT = "from app.services.passwords import Passwords; print(Passwords().hash('a quiet zebra crosses'))"


def test_the_products_own_hashes_are_of_the_low_memory_profile() -> None:
    """In a process of its own: inside the tests hashes are cheap."""
    command = [sys.executable, "-c", A_FRESH_PRODUCT]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_password_is_found_again_and_another_is_not() -> None:
    kept = Passwords()
    stored = kept.hash("a quiet zebra crosses")
    assert "zebra" not in stored
    assert kept.matches(stored, "a quiet zebra crosses")
    assert not kept.matches(stored, "a quiet zebra crossed")
    assert not kept.matches(None, "nobody has this password"), "nobody is nobody, whatever is typed"
    assert stored != kept.hash("a quiet zebra crosses"), "salted"


def test_a_damaged_hash_is_an_error_and_no_wrong_password() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        Passwords().matches("$argon2id$", "a quiet zebra crosses")


def test_a_hash_of_older_settings_is_outdated() -> None:
    older = PasswordHasher(time_cost=1, memory_cost=16, parallelism=2).hash("a quiet zebra crosses")
    kept = Passwords()
    assert kept.is_outdated(older)
    assert not kept.is_outdated(kept.hash("a quiet zebra crosses"))
