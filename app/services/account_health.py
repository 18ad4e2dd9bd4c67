"""How each account is doing right now, in memory: state, reason, latency, funds and mode, each as last reported."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.domain.books import Funds
from app.domain.plan import Mode
from app.ports.clock import Clock
from app.ports.gateway import GatewayError, GatewayRefused, LoggedOut, OtherMode, RateLimited, WrongKey


class HealthState(StrEnum):
    """OK: answers, and its books are read. CATCHING_UP: answers, books not read yet. HALTED: nothing may be sent."""

    OK = "ok"
    CATCHING_UP = "catching_up"
    LOGIN_EXPIRED = "login_expired"
    UNREACHABLE = "unreachable"
    WRONG_KEY = "wrong_key"
    HALTED = "halted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """`reason` is a sentence, empty while all is well. `latency_ms` is of the newest answered call.

    `funds` is None while unknown; they are of `funds_at`. `seen_at` is when anything was last reported.
    """

    state: HealthState = HealthState.UNKNOWN
    reason: str = "Nothing has been heard of this account yet."
    latency_ms: int | None = None
    funds: Funds | None = None
    funds_at: datetime | None = None
    mode: Mode | None = None
    seen_at: datetime | None = None


NOTHING_KNOWN = AccountHealth()

_STATE_AFTER: Mapping[type[GatewayError], HealthState] = {
    WrongKey: HealthState.WRONG_KEY,
    LoggedOut: HealthState.LOGIN_EXPIRED,
    GatewayRefused: HealthState.UNKNOWN,
    OtherMode: HealthState.UNKNOWN,
}
"""What a failed read says about the account; any other error means that it cannot be reached."""


class HealthBoard:
    """Thread-safe. A halt stays until `lift_halt`: a good ping must not undo it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._healths: dict[int, AccountHealth] = {}
        self._lock = threading.Lock()

    def of(self, account_id: int) -> AccountHealth:
        """UNKNOWN for an account that nobody reported on."""
        return self._healths.get(account_id, NOTHING_KNOWN)

    def known(self) -> dict[int, AccountHealth]:
        """Of all accounts that anybody reported on."""
        with self._lock:
            return dict(self._healths)

    def is_logged_out(self, account_id: int) -> bool:
        """Whether its newest read was refused for want of a login at its broker."""
        return self.of(account_id).state is HealthState.LOGIN_EXPIRED

    def report(
        self,
        account_id: int,
        *,
        state: HealthState | None = None,
        reason: str | None = None,
        latency_ms: int | None = None,
        funds: Funds | None = None,
        mode: Mode | None = None,
    ) -> None:
        """Replace those parts that are given (None leaves one as it is). A new state without a reason clears it."""
        now = self._clock.now()
        with self._lock:
            known = self.of(account_id)
            said: dict[str, Any] = {"seen_at": now}
            if state is not None and self._may_become(known, state):
                said |= {"state": HealthState(state), "reason": reason or ""}
            if latency_ms is not None:
                said["latency_ms"] = latency_ms
            if funds is not None:
                said |= {"funds": funds, "funds_at": now}
            if mode is not None:
                said["mode"] = mode
            self._healths[account_id] = replace(known, **said)

    def failed(self, account_id: int, error: GatewayError) -> None:
        """A read failed. Being rate limited says nothing about an account; everything else does."""
        if isinstance(error, RateLimited):
            return
        self.report(account_id, state=_STATE_AFTER.get(type(error), HealthState.UNREACHABLE), reason=str(error))

    def lift_halt(self, account_id: int) -> None:
        """The reason of the halt is gone. The account is CATCHING_UP until its books are read."""
        with self._lock:
            health = self.of(account_id)
            if health.state is HealthState.HALTED:
                self._healths[account_id] = replace(health, state=HealthState.CATCHING_UP, reason="")

    def forget(self, account_id: int) -> None:
        """Its address changed, or it was archived: what was known is not true of it any more."""
        with self._lock:
            self._healths.pop(account_id, None)

    @staticmethod
    def _may_become(health: AccountHealth, state: HealthState) -> bool:
        return health.state is not HealthState.HALTED or state is HealthState.HALTED
