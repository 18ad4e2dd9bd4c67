"""What every test may use: real databases and Redis, and how hard the property tests try."""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2.profiles import CHEAPEST
from hypothesis import HealthCheck, settings

from app.services import passwords
from tests.compiled_once import compile_once

pytest_plugins = ["tests.databases", "tests.simulator_process"]

# A shared machine can be slow: time limits belong to pytest, not to single examples.
settings.register_profile("usual", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("check", settings.get_profile("usual"), max_examples=24)
settings.register_profile("proof", settings.get_profile("usual"), max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))

compile_once()

gc.disable()  # while thousands of tests are collected, nothing of it is garbage

# Desks and simulators start dozens of times here: without it each of them compiles every module of ours anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

LONG_FIRST = ("chaos_process", "faults", "browser", "load", "integration", "contract")
"""Folders whose files take longest: begun last, one of them would keep a single worker busy at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _turn(item.path))


def pytest_collection_finish() -> None:
    """What was imported stays until the end: the garbage collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def _turn(path: Path) -> int:
    folder = path.relative_to(Path(__file__).parent).parts[0]
    return LONG_FIRST.index(folder) if folder in LONG_FIRST else len(LONG_FIRST)


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Applications made inside the tests do not spend most of their time on hashes; desks of their own process do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "RFC_9106_LOW_MEMORY", CHEAPEST)
        yield
