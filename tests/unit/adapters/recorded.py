"""Recorded requests and answers of a real gateway, for tests to read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parents[2] / "contract" / "recorded"


@dataclass(frozen=True)
class Case:
    """One recorded call. `answer` is the decoded body, without the mark of a list that was cut short."""

    name: str
    endpoint: str
    status: int
    answer: Any

    @property
    def body(self) -> bytes:
        return json.dumps(self.answer).encode()


def rest_cases(*endpoints: str) -> list[Case]:
    """All recorded calls of these endpoints."""
    found = [_case(path) for path in sorted((RECORDED / "rest").glob("*.json"))]
    return [case for case in found if case.endpoint in endpoints]


def rest_case(name: str) -> Case:
    return _case(RECORDED / "rest" / f"{name}.json")


def transcripts() -> list[Path]:
    return sorted((RECORDED / "ws").glob("*.jsonl"))


def frames_in(path: Path) -> Iterator[dict[str, Any]]:
    """What the gateway sent in a transcript, whichever of its clients it went to."""
    for line in path.read_text().splitlines():
        entry = json.loads(line) if line.strip() else {}
        if str(entry.get("dir", "")).split(":")[-1] == "in" and isinstance(entry["frame"], dict):
            yield entry["frame"]


def _case(path: Path) -> Case:
    recording = json.loads(path.read_text())
    return Case(path.stem, recording["endpoint"], recording["status"], _uncut(recording["response"]))


def _uncut(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _uncut(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_uncut(each) for each in value if not (isinstance(each, str) and each.startswith("... "))]
    return value
