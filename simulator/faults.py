"""The fault board: every misbehaviour the simulator can be told to show, held as data and matched by name."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from simulator.fault_names import FAULTS, FaultError, checked_parameters

__all__ = ["FAULTS", "Fault", "FaultBoard", "FaultError"]


@dataclass(frozen=True)
class Fault:
    """One rule on the board. None means any account, any endpoint, for ever."""

    name: str
    account: int | None = None
    endpoint: str | None = None
    """Endpoint as in the path without slash prefix: placeorder, orderbook, analyzer/toggle; `ws` for the stream."""
    parameters: dict[str, Any] = field(default_factory=dict)
    remaining: int | None = None
    """How many times it may still strike; None is without limit."""
    probability: float = 1.0
    lasts_s: float | None = None
    """Real seconds it stays on the board; None until removed."""
    id: int = 0
    expires_at_s: float | None = None
    """On the board's real-time counter; set by the board."""

    def concerns(self, account: int | None, endpoint: str | None) -> bool:
        """True when this rule covers the account and endpoint asked about."""
        return self.account in {None, account} and self.endpoint in {None, endpoint}

    def covers(self, symbol: str, action: str) -> bool:
        """True when the rule's `symbol` pattern (shell wildcards) and `action`, where it has them, fit an order."""
        pattern, wanted = self.parameters.get("symbol", ""), self.parameters.get("action", "")
        return (not pattern or fnmatchcase(symbol, pattern)) and wanted.upper() in {"", action}

    def as_json(self) -> dict[str, Any]:
        """Fields for the control port."""
        return {
            "id": self.id,
            "name": self.name,
            "account": self.account,
            "endpoint": self.endpoint,
            "parameters": dict(self.parameters),
            "remaining": self.remaining,
            "probability": self.probability,
            "lasts_s": self.lasts_s,
        }


class FaultBoard:
    """The rules in force. Randomness comes from a stream of its own, so faults never move prices."""

    def __init__(self, seed: int) -> None:
        """An empty board."""
        self._random = random.Random(f"{seed}/faults")
        self._rules: dict[int, Fault] = {}
        self._next_id = 1
        self._real_s = 0.0

    def add(self, fault: Fault) -> Fault:
        """Put a rule on the board; returns it with its id. Raises FaultError naming the wrong field."""
        _check_scope(fault)
        rule = replace(
            fault,
            id=self._next_id,
            parameters=checked_parameters(fault.name, fault.parameters),
            expires_at_s=None if fault.lasts_s is None else self._real_s + fault.lasts_s,
        )
        self._next_id += 1
        self._rules[rule.id] = rule
        return rule

    def remove(self, fault_id: int) -> bool:
        """Take a rule off; False when no such id is on the board."""
        return self._rules.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Take every rule off."""
        self._rules.clear()

    def list(self) -> list[Fault]:
        """The rules in the order they were added."""
        return list(self._rules.values())

    def pass_real(self, seconds: float) -> None:
        """Let real time pass for rules that last a given time."""
        self._real_s += seconds
        for rule in self.list():
            if rule.expires_at_s is not None and rule.expires_at_s <= self._real_s:
                del self._rules[rule.id]

    def standing(self, name: str, account: int | None = None, endpoint: str | None = None) -> Fault | None:
        """The first rule of this name in scope, without spending it or rolling its probability."""
        return next((r for r in self._rules.values() if r.name == name and r.concerns(account, endpoint)), None)

    def match(self, name: str, account: int | None = None, endpoint: str | None = None) -> Fault | None:
        """The first rule of this name that strikes now; spends one of its remaining times. None: nothing strikes."""
        for rule in self.list():
            if rule.name == name and rule.concerns(account, endpoint) and self._strikes(rule):
                return self._spend(rule)
        return None

    def match_order(self, name: str, account: int, symbol: str, action: str) -> Fault | None:
        """`match` for an order: rules that name a symbol pattern or an action strike only orders that fit."""
        for rule in self.list():
            fits = rule.name == name and rule.concerns(account, "placeorder") and rule.covers(symbol, action)
            if fits and self._strikes(rule):
                return self._spend(rule)
        return None

    def has(self, fault_id: int) -> bool:
        """True while the rule is on the board."""
        return fault_id in self._rules

    def match_any(self, names: Iterable[str], account: int | None = None, endpoint: str | None = None) -> Fault | None:
        """`match` over several names, first in the order given."""
        hits = (self.match(name, account, endpoint) for name in names)
        return next((hit for hit in hits if hit is not None), None)

    def _strikes(self, rule: Fault) -> bool:
        return rule.probability >= 1 or self._random.random() < rule.probability

    def _spend(self, rule: Fault) -> Fault:
        if rule.remaining is None:
            return rule
        left = replace(rule, remaining=rule.remaining - 1)
        if left.remaining == 0:
            del self._rules[rule.id]
        else:
            self._rules[rule.id] = left
        return left


def _check_scope(fault: Fault) -> None:
    if fault.account is not None and fault.account < 1:
        raise FaultError("account", "accounts are numbered from 1")
    if fault.remaining is not None and fault.remaining < 1:
        raise FaultError("remaining", "give 1 or more, or leave it out for no limit")
    if not 0 < fault.probability <= 1:
        raise FaultError("probability", "give a number above 0 and at most 1")
    if fault.lasts_s is not None and fault.lasts_s <= 0:
        raise FaultError("lasts_s", "give seconds above 0, or leave it out")
