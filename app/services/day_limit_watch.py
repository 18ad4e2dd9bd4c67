"""Judges each account's day: what it reached locks the account for that day, and is left where its limits say so."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.day_limits import DayLimits, DayRule, Reached, reached
from app.domain.errors import Unavailable
from app.domain.money import PAISA
from app.domain.pnl import MARK_MAX_AGE_S, Mark
from app.persistence.database import Database
from app.persistence.locking import turn_switch
from app.persistence.tables import DayLock, TradingAccount
from app.ports.clock import Clock
from app.services.account_types import limits_of
from app.services.activity import Activity
from app.services.day_worth import AccountDay, DayWorth
from app.services.fair_turns import FairTurns
from app.services.journal import Journal
from app.services.run_board import RunView

LOOK_S = 1.0

BORNE_OUT_S = 2.0
"""A limit has to be reached in every look for so long: one bad print, or prices of either side of a gap, last less."""


_LIMITED = select(TradingAccount).where(
    or_(TradingAccount.max_day_loss.is_not(None), TradingAccount.max_day_profit.is_not(None))
)
_IN_FORCE = select(DayLock).where(DayLock.ended_at.is_(None))

AskExit = Callable[[int, int, str], None]
"""Run, account, why."""


@dataclass(frozen=True, slots=True)
class _Limited:
    name: str
    limits: DayLimits


class DayLimitWatch:
    """`step` belongs to one loop. Whatever the engine before wrote down stands: a lock is a row, not a memory."""

    def __init__(
        self,
        database: Database,
        worth: DayWorth,
        clock: Clock,
        *,
        activity: Activity,
        journal: Journal,
        ask_exit: AskExit,
    ) -> None:
        self._database = database
        self._worth = worth
        self._clock = clock
        self._activity = activity
        self._journal = journal
        self._ask_exit = ask_exit
        self._since: dict[tuple[int, DayRule], float] = {}
        self._turns = FairTurns()

    def step(self) -> float:
        """Judge all accounts that have limits of money, and see to it that what is to be left is."""
        try:
            today = self._worth.today()
        except Unavailable:
            return LOOK_S
        limited, leaving = self._read(today)
        if not limited and not leaving:
            return LOOK_S
        views = self._worth.views(today)
        for account_id, why in leaving.items():
            self._leave(views, account_id, why)
        days = {day.account_id: day for day in self._worth.days(views, today, only=limited.keys())}
        for account_id in self._turns.order(days):
            with self._turns.turn(account_id):
                self._judge(limited[account_id], days[account_id], views, today)
        return LOOK_S

    def _read(self, today: date) -> tuple[dict[int, _Limited], dict[int, str]]:
        """Accounts with limits, and why locked ones are left; locks of days that are over have ended."""
        with self._database.reading() as session:
            locks = session.scalars(_IN_FORCE).all()
            limited = {row.id: _Limited(row.name, limits_of(row)) for row in session.scalars(_LIMITED)}
        if any(lock.trading_date < today for lock in locks):
            self._end(today)
        return limited, {lock.account_id: lock.sentence for lock in locks if lock.leaves and lock.trading_date == today}

    def _end(self, today: date) -> None:
        with self._database.transaction() as session:
            turn_switch(session)
            for lock in session.scalars(_IN_FORCE.where(DayLock.trading_date < today)):
                lock.ended_at = self._clock.now()
                self._record(session, lock.account_id, "limit.end", f"The day is over, and its lock: {lock.sentence}")

    def _judge(self, of: _Limited, day: AccountDay, views: Iterable[RunView], today: date) -> None:
        found = reached(of.limits, day.pnl)
        for rule in DayRule:
            if found is None or found.rule is not rule:
                self._since.pop((day.account_id, rule), None)
        if found is None:
            return
        now = self._clock.monotonic()
        since = self._since.setdefault((day.account_id, found.rule), now)
        if now - since >= (MARK_MAX_AGE_S if found.is_bound else BORNE_OUT_S):
            self._lock(of, day, found, views, today)

    def _lock(self, of: _Limited, day: AccountDay, found: Reached, views: Iterable[RunView], today: date) -> None:
        """Once for a rule and day: a lock that was lifted is not made again."""
        known = select(DayLock.id).where(
            DayLock.account_id == day.account_id, DayLock.trading_date == today, DayLock.rule == found.rule.value
        )
        with self._database.transaction() as session:
            turn_switch(session)
            if session.scalars(known).first() is not None:
                return
            session.add(
                DayLock(
                    account_id=day.account_id,
                    trading_date=today,
                    rule=found.rule.value,
                    threshold=found.threshold,
                    value=found.value.quantize(PAISA),
                    leaves=of.limits.leaves,
                    prices=_words(day),
                    sentence=found.sentence,
                    at=self._clock.now(),
                )
            )
            what = "everything of ours is left" if of.limits.leaves else "nothing new is begun"
            words = f"{of.name}: {found.sentence} For the rest of the day {what}."
            self._record(session, day.account_id, "limit.reached", words)
            for view in views:
                if any(cell.account_id == day.account_id for cell in view.cells):
                    self._journal.note(session, view.run_id, "rule", words, day.account_id)

    def _leave(self, views: Iterable[RunView], account_id: int, why: str) -> None:
        for view in views:
            staying = [cell for cell in view.cells if cell.account_id == account_id and cell.exit_wanted is None]
            if any(cell.net or cell.open_orders for cell in staying):
                self._ask_exit(view.run_id, account_id, why)

    def _record(self, session: Session, account_id: int, action: str, sentence: str) -> None:
        self._activity.record(
            session, user_id=None, actor="engine", action=action, subject=f"account:{account_id}", sentence=sentence
        )


def _words(day: AccountDay) -> dict[str, object]:
    """Last price and age of what is held; None for a contract that never had one."""
    return {key.symbol: _price(day.marks.get(key)) for key in sorted(day.held)}


def _price(mark: Mark | None) -> Mapping[str, object] | None:
    return None if mark is None else {"ltp": str(mark.value), "age_s": round(mark.age_s, 3)}
