"""Every state the services know has an icon, a word and a tone on pages; none is shown as a state nobody knows."""

from pathlib import Path
from typing import Any

import jinja2
import pytest

from app.domain.orders import IntentState
from app.services.account_health import HealthState
from app.services.run_board import LIVING
from app.web.account_words import ACCOUNT_WORDS
from app.web.run_words import RUN_STATES, run_state

TEMPLATES = Path(__file__).parents[3] / "app" / "templates"
CELL_WORDS = ("waiting", "working", "filled", "exiting", "flat", "unknown", "parked", "partly_filled", "skipped")


@pytest.fixture(scope="module")
def words() -> Any:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    environment.globals["asset"] = lambda name: name
    return environment.get_template("components/states.html").module


def test_accounts(words: Any) -> None:
    assert set(ACCOUNT_WORDS) == set(HealthState)
    assert {*ACCOUNT_WORDS.values(), "paused", "archived"} <= set(words.ACCOUNT)


def test_runs(words: Any) -> None:
    assert {"REQUESTED", *LIVING, "CLOSED", "REFUSED"} == set(RUN_STATES)
    assert set(RUN_STATES.values()) <= set(words.RUN)
    assert run_state("SOMETHING_NEW") == "something_new"


def test_cells_of_a_run(words: Any) -> None:
    ended = {state.value.lower() for state in (IntentState.CANCELLED, IntentState.REJECTED, IntentState.DENIED)}
    assert {*CELL_WORDS, *ended, IntentState.NOT_SENT.value.lower()} <= set(words.EXECUTION)


def test_orders(words: Any) -> None:
    assert {state.value for state in IntentState} <= set(words.ORDER)


def test_a_state_nobody_knows_is_shown_as_it_is(words: Any) -> None:
    assert "gone fishing" in words.account_state("gone fishing")
    assert "state-unknown" in words.account_state("gone fishing")
