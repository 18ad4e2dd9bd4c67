"""Scenarios: a scripted day as data, played on the venue by virtual time since it was loaded."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from simulator.faults import Fault, FaultBoard
from simulator.market import Market

FOLDER = Path(__file__).parent / "scenarios"
WHOLE_MARKET = ("NIFTY", "BANKNIFTY", "SENSEX")
KINDS = ("move", "amplitude", "fault", "clear_faults", "mode", "log_out", "log_in")


class Stage(Protocol):
    """What a scenario acts on; the venue is one."""

    market: Market
    faults: FaultBoard

    def switch_mode(self, number: int, *, analyze: bool) -> None:
        """Switch an account's mode."""

    def switch_login(self, number: int, *, logged_in: bool) -> None:
        """Log an account's gateway in with a new token, or out."""


@dataclass(frozen=True)
class Event:
    """One thing that happens `after_s` virtual seconds from the start."""

    after_s: float
    kind: str
    value: Any


@dataclass(frozen=True)
class Scenario:
    """A name, a sentence for people, and events in order of time."""

    name: str
    sentence: str
    events: tuple[Event, ...]


class ScenarioError(ValueError):
    """A scenario that does not exist or cannot be read; the text says which field and what is allowed."""


def known_scenarios() -> list[str]:
    """Names that can be loaded, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_scenario(name: str) -> Scenario:
    """Read a scenario. Raises ScenarioError."""
    if name not in known_scenarios():
        raise ScenarioError(f"unknown scenario {name!r}; known: {', '.join(known_scenarios())}")
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    events = sorted(_events(name, content.get("event", [])), key=lambda event: event.after_s)
    return Scenario(name, content["sentence"], tuple(events))


def _events(name: str, rows: list[dict[str, Any]]) -> Iterator[Event]:
    for number, row in enumerate(rows, 1):
        after_s = row.get("after_s")
        kinds = [key for key in row if key != "after_s"]
        if not isinstance(after_s, int | float) or after_s < 0:
            raise ScenarioError(f"{name}, event {number}: after_s must be seconds from 0")
        if len(kinds) != 1 or kinds[0] not in KINDS:
            raise ScenarioError(f"{name}, event {number}: give exactly one of {', '.join(KINDS)}")
        yield Event(float(after_s), kinds[0], row[kinds[0]])


class Player:
    """Plays one scenario on a stage."""

    def __init__(self, scenario: Scenario, stage: Stage) -> None:
        """At second 0 of the scenario; nothing has happened yet."""
        self.scenario = scenario
        self._stage = stage
        self._elapsed_s = 0.0
        self._left = list(scenario.events)

    @property
    def finished(self) -> bool:
        """True when every event has happened."""
        return not self._left

    def pass_virtual(self, seconds: float) -> None:
        """Let virtual time pass and do what has come due."""
        self._elapsed_s += seconds
        while self._left and self._left[0].after_s <= self._elapsed_s:
            self._do(self._left.pop(0))

    def _do(self, event: Event) -> None:
        stage, value = self._stage, event.value
        if event.kind == "move":
            self._move(value)
        elif event.kind == "amplitude":
            stage.market.scale_wandering(value)
        elif event.kind == "fault":
            stage.faults.add(Fault(**value))
        elif event.kind == "clear_faults":
            stage.faults.clear()
        elif event.kind == "mode":
            stage.switch_mode(value["account"], analyze=value["analyze"])
        else:
            stage.switch_login(value["account"], logged_in=event.kind == "log_in")

    def _move(self, value: dict[str, Any]) -> None:
        """`name` is an underlying, or `market` for the three indices together."""
        names = WHOLE_MARKET if value["name"] == "market" else (value["name"],)
        for name in names:
            self._stage.market.move_index(name, percent=value["percent"], over_seconds=value.get("over_seconds", 0.0))
