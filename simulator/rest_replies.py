"""What goes back to a client of the REST side, and the refusals OpenAlgo words in its own several ways."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

INVALID_KEY = "Invalid openalgo apikey"
BAD_JSON = "The browser (or proxy) sent a request that this server could not understand."


@dataclass(frozen=True)
class Reply:
    """One answer. `body` is JSON data, or ready text when `content_type` is not JSON."""

    body: Any
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def text(self, *, sort_keys: bool = True) -> str:
        """The body as sent; OpenAlgo sorts keys everywhere but in the option reads."""
        if self.content_type == "application/json":
            return json.dumps(self.body, sort_keys=sort_keys)
        return str(self.body)


class RefusedError(Exception):
    """The request ends here with `reply`; raised from any depth of an endpoint."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status} {reply.body}")
        self.reply = reply


def success(**fields: Any) -> Reply:
    return Reply({"status": "success", **fields})


def failure(message: Any, status: int = 400, **fields: Any) -> Reply:
    return Reply({"status": "error", "message": message, **fields}, status)


class ErrorShape(Enum):
    """How an endpoint tells what is wrong with a body (protocol: validation)."""

    REPR = "order endpoints: the text of a Python dict"
    REPR_WITH_MODE = "the same, and `mode` when the account is in analyze mode"
    OBJECT = "data endpoints: a JSON object"
    ERRORS = "option endpoints: `errors`, message 'Validation error'"
    ERRORS_FAILED = "option greeks: `errors`, message 'Validation failed'"


def invalid(shape: ErrorShape, messages: Any, *, analyze: bool) -> Reply:
    """The 400 answer to a body that the schema refused; `messages` as marshmallow gives them."""
    if shape is ErrorShape.OBJECT:
        return failure(messages)
    if shape is ErrorShape.ERRORS or shape is ErrorShape.ERRORS_FAILED:
        words = "Validation error" if shape is ErrorShape.ERRORS else "Validation failed"
        return failure(words, errors=messages)
    if analyze and shape is ErrorShape.REPR_WITH_MODE:
        return failure(str(messages), mode="analyze")
    return failure(str(messages))


def not_found(path: str) -> Reply:
    """An unknown path and a wrong verb look the same; no 405."""
    return failure("Not found", 404, path=path)
