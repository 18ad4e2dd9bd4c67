"""Recorded traffic of a real OpenAlgo server: HTTP cases and WebSocket transcripts, as typed values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded"
KEY_MARK = "<api key>"


@dataclass(frozen=True)
class RestCase:
    """One recorded request with its answer. `name` is the file's: endpoint, case, and `.analyze` for the sandbox."""

    name: str
    mode: str
    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: Any
    status: int
    response: Any
    burst: int
    burst_statuses: dict[str, int]
    cut: bool

    @property
    def endpoint(self) -> str:
        return self.name.split(".", 1)[0]

    @property
    def analyze(self) -> bool:
        return self.mode == "analyze"


@dataclass(frozen=True)
class Line:
    """One line of a transcript. `kind` is out, in, note or closed; `client` is empty when there is only one."""

    kind: str
    client: str
    frame: Any


@dataclass(frozen=True)
class Transcript:
    name: str
    lines: tuple[Line, ...]


def _rest_case(path: Path) -> RestCase:
    stored = json.loads(path.read_text())
    request = stored["request"]
    return RestCase(
        name=path.name.removesuffix(".json"),
        mode=stored["mode"],
        method=request["method"],
        path=request["path"],
        params=request.get("params") or {},
        headers=request.get("headers") or {"Content-Type": "application/json"},
        body=request.get("body"),
        status=stored["status"],
        response=stored["response"],
        burst=request.get("burst", 0),
        burst_statuses=stored.get("statuses_of_burst", {}),
        cut="cut" in stored,
    )


def rest_cases() -> list[RestCase]:
    return [_rest_case(path) for path in sorted((RECORDED / "rest").glob("*.json"))]


def _line(stored: dict[str, Any]) -> Line:
    client, _, kind = stored["dir"].rpartition(":")
    return Line(kind, client, stored["frame"])


def transcripts() -> list[Transcript]:
    return [
        Transcript(path.stem, tuple(_line(json.loads(line)) for line in path.read_text().splitlines()[1:]))
        for path in sorted((RECORDED / "ws").glob("*.jsonl"))
    ]


def with_key(value: Any, key: str) -> Any:
    """The recorded value with the key's mark replaced everywhere."""
    if isinstance(value, str):
        return value.replace(KEY_MARK, key)
    if isinstance(value, dict):
        return {name: with_key(inner, key) for name, inner in value.items()}
    if isinstance(value, list):
        return [with_key(inner, key) for inner in value]
    return value
