"""Reads the bodies of control requests and says which field is wrong."""

from __future__ import annotations

import math
from typing import Any

REQUIRED = object()


class ControlError(Exception):
    """The request changes nothing; the answer is 400 and names the field."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field}: {text}")
        self.field = field
        self.text = text


class Body:
    """The JSON object of one request; every read checks the type."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def only(self, *names: str) -> None:
        """Raises ControlError for a field that is not one of these."""
        for name in self._fields:
            if name not in names:
                raise ControlError(name, f"unknown field; known: {', '.join(names) or 'none'}")

    def has(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def number(self, name: str, default: Any = REQUIRED, *, least: float = -math.inf) -> float:
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ControlError(name, "give a number")
        if value < least:
            raise ControlError(name, f"give {least:g} or more")
        return float(value)

    def integer(self, name: str, default: Any = REQUIRED, *, least: int = 1) -> int:
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ControlError(name, "give a whole number")
        if value < least:
            raise ControlError(name, f"give {least} or more")
        return value

    def optional_integer(self, name: str) -> int | None:
        return self.integer(name) if self.has(name) else None

    def optional_number(self, name: str) -> float | None:
        return self.number(name) if self.has(name) else None

    def text(self, name: str, default: Any = REQUIRED) -> str:
        value = self._take(name, default)
        if not isinstance(value, str) or not value:
            raise ControlError(name, "give a text")
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if self.has(name) else None

    def flag(self, name: str, default: Any = REQUIRED) -> bool:
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise ControlError(name, "give true or false")
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: Any = REQUIRED) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise ControlError(name, f"give one of: {', '.join(choices)}")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        value = self._take(name, {})
        if not isinstance(value, dict):
            raise ControlError(name, "give an object")
        return value

    def _take(self, name: str, default: Any) -> Any:
        value = self._fields.get(name)
        if value is not None:
            return value
        if default is REQUIRED:
            raise ControlError(name, "is required")
        return default
