"""Before the market opens: does every account's gateway answer, and is it logged in to its broker?"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, wait
from datetime import date, time

from app.domain.calendar import IST
from app.domain.errors import Misconfigured, NotFound, Unavailable
from app.persistence.database import Database
from app.persistence.tables import TradingAccount
from app.ports.clock import MarketClock
from app.ports.gateway import GatewayError
from app.services.account_health import HealthBoard, HealthState
from app.services.activity import Activity
from app.services.gateways import Gateways

LOOK_S = 5.0
TIMES = (time(8, 45), time(9, 0), time(9, 10))
"""In India. Brokers end every session in the night; somebody has to log in to each gateway before 09:15."""

OPENS = time(9, 15)
SATURDAY = 5
ANSWERS_WITHIN_S = 20.0


class MorningCheck:
    """`step` belongs to one loop. An engine that starts late does the newest check that it missed."""

    def __init__(
        self,
        database: Database,
        market_clock: MarketClock,
        gateways: Gateways,
        health: HealthBoard,
        activity: Activity,
        *,
        readers: Executor,
        active: Callable[[], Sequence[int]],
    ) -> None:
        """`active` gives the accounts that are not archived; `readers` asks them side by side."""
        self._database = database
        self._market_clock = market_clock
        self._gateways = gateways
        self._health = health
        self._activity = activity
        self._readers = readers
        self._active = active
        self._done: tuple[date, time] | None = None

    def step(self) -> float:
        due = self._due()
        if due is not None and due != self._done and self._active():
            self._done = due
            self._check(due[1])
        return LOOK_S

    def _due(self) -> tuple[date, time] | None:
        """The newest check of today that is due; None outside the hour before the opening."""
        try:
            now = self._market_clock.now().astimezone(IST)
        except Unavailable:
            return None
        past = [each for each in TIMES if each <= now.time() < OPENS]
        return (now.date(), past[-1]) if past and now.weekday() < SATURDAY else None

    def _check(self, at: time) -> None:
        ids = list(self._active())
        asked = {account_id: self._readers.submit(self._trouble, account_id) for account_id in ids}
        wait(asked.values(), timeout=ANSWERS_WITHIN_S)
        troubles = {
            account_id: future.result() if future.done() else f"It did not answer within {ANSWERS_WITHIN_S:g} s."
            for account_id, future in asked.items()
        }
        with self._database.transaction() as session:
            for account_id, trouble in troubles.items():
                account = session.get(TradingAccount, account_id)
                if account is None or trouble is None:
                    continue
                self._activity.record(
                    session,
                    user_id=None,
                    actor="engine",
                    action="account.not_ready",
                    subject=f"account:{account_id}",
                    sentence=f"{account.name} is not ready for today ({at:%H:%M}): {trouble}",
                )

    def _trouble(self, account_id: int) -> str | None:
        """Why this account cannot trade today, as it is now; None when it can."""
        try:
            gateway = self._gateways.of(account_id)
            gateway.broker()
            self._health.report(account_id, funds=gateway.funds())
        except GatewayError as error:
            self._health.failed(account_id, error)
            return str(error)
        except (NotFound, Misconfigured) as error:
            self._health.report(account_id, state=HealthState.UNKNOWN, reason=str(error))
            return str(error)
        return None
