"""What keeps every entry back though no trader asked for it: trouble of the desk itself, or of one account."""

import threading

from app.domain.gate import Code, Stop
from app.services.account_health import HealthBoard, HealthState

NOT_READY = frozenset({HealthState.LOGIN_EXPIRED, HealthState.WRONG_KEY})
"""Whatever is sent to such an account its gateway refuses. Exits are tried all the same."""


class EntryLocks:
    """Thread-safe; begins anew with each process, whose watchers look again. Exits never ask here."""

    def __init__(self, health: HealthBoard) -> None:
        self._health = health
        self._held: dict[Code, str] = {}
        self._lock = threading.Lock()

    def hold(self, code: Code, sentence: str) -> bool:
        """No entries from now on. True when that is news; a new sentence replaces the old one silently."""
        with self._lock:
            is_new = code not in self._held
            self._held = {**self._held, code: sentence}
        return is_new

    def lift(self, code: Code) -> bool:
        """True when it was held."""
        with self._lock:
            was_held = code in self._held
            self._held = {held: sentence for held, sentence in self._held.items() if held is not code}
        return was_held

    def holds(self, code: Code) -> bool:
        """Whether entries are held for this."""
        return code in self._held

    def of(self, account_id: int) -> Stop | None:
        """What holds this account's entries, if anything does."""
        for code, sentence in self._held.items():
            return Stop(code, sentence)
        health = self._health.of(account_id)
        if health.state in NOT_READY:
            return Stop(Code.ACCOUNT_NOT_READY, f"The account takes no orders: {health.reason}")
        return None
