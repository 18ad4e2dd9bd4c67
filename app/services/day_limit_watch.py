"""Judges the day of each account and group: what reached a limit is locked for that day, and left where it says so."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.account_groups import together
from app.domain.day_limits import DayLimits, DayPnl, DayRule, Reached, reached
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
from app.services.group_facts import IN_MONEY, groups_in
from app.services.journal import Journal
from app.services.proven_prices import ProvenPrices
from app.services.run_board import RunView

LOOK_S = 1.0

BORNE_OUT_S = 2.0
"""A limit has to be reached in every look for so long, by prices that are borne out."""


_LIMITED = select(TradingAccount).where(
    or_(TradingAccount.max_day_loss.is_not(None), TradingAccount.max_day_profit.is_not(None))
)
_IN_FORCE = select(DayLock).where(DayLock.ended_at.is_(None)).order_by(DayLock.id)

AskExit = Callable[[int, int, str], None]
"""Run, account, why."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose limits are judged: an account's, or (`group_id`) a group's."""

    name: str
    limits: DayLimits
    accounts: frozenset[int]
    group_id: int | None = None

    @property
    def key(self) -> int:
        """Below zero for a group."""
        return min(self.accounts) if self.group_id is None else -self.group_id

    @property
    def subject(self) -> str:
        """What the activity log calls it."""
        return f"account:{min(self.accounts)}" if self.group_id is None else f"group:{self.group_id}"

    def pnl(self, days: Mapping[int, AccountDay]) -> DayPnl:
        """An account without a run today has neither won nor lost anything."""
        if self.group_id is None:
            return days[min(self.accounts)].pnl
        return together(days[each].pnl for each in sorted(self.accounts) if each in days)


class DayLimitWatch:
    """`step` belongs to one loop. Whatever the engine before wrote down stands: a lock is a row, not a memory."""

    def __init__(
        self,
        database: Database,
        worth: DayWorth,
        clock: Clock,
        proven: ProvenPrices,
        *,
        activity: Activity,
        journal: Journal,
        ask_exit: AskExit,
    ) -> None:
        """`worth` is reckoned with the `proven` prices."""
        self._database = database
        self._worth = worth
        self._clock = clock
        self._proven = proven
        self._activity = activity
        self._journal = journal
        self._ask_exit = ask_exit
        self._since: dict[tuple[int, DayRule], float] = {}
        self._turns = FairTurns()
        self._leaves = FairTurns()

    def step(self) -> float:
        """Judge all accounts and groups that have limits of money, and see to it that what is to be left is."""
        try:
            today = self._worth.today()
        except Unavailable:
            return LOOK_S
        places, leaving = self._read(today)
        if not places and not leaving:
            return LOOK_S
        views = self._worth.views(today)
        for account_id in self._leaves.order(leaving):
            with self._leaves.turn(account_id):
                self._leave(views, account_id, leaving[account_id])
        judged = {each for place in places for each in place.accounts}
        days = {day.account_id: day for day in self._worth.days(views, today, only=judged)}
        known = {place.key: place for place in places if days.keys() & place.accounts}
        for key in self._turns.order(known):
            with self._turns.turn(key):
                self._judge(known[key], days, views, today)
        return LOOK_S

    def _read(self, today: date) -> tuple[list[_Place], dict[int, str]]:
        """Places with limits, and why locked accounts are left; locks of days that are over have ended."""
        with self._database.reading() as session:
            locks = session.scalars(_IN_FORCE).all()
            places = [_Place(row.name, limits_of(row), frozenset({row.id})) for row in session.scalars(_LIMITED)]
            groups = groups_in(session, IN_MONEY)
        places += [_Place(group.called, group.limits, group.members, group.id) for group in groups if group.members]
        if any(lock.trading_date < today for lock in locks):
            self._end(today)
        standing = [lock for lock in locks if lock.trading_date == today]
        if any(lock.group_id is not None for lock in standing):
            self._lock_newcomers(today)
        leaving: dict[int, str] = {}
        for lock in standing:
            if lock.leaves:
                leaving.setdefault(lock.account_id, lock.sentence)
        return places, leaving

    def _end(self, today: date) -> None:
        with self._database.transaction() as session:
            turn_switch(session)
            for lock in session.scalars(_IN_FORCE.where(DayLock.trading_date < today)):
                lock.ended_at = self._clock.now()
                words = f"The day is over, and its lock: {lock.sentence}"
                self._record(session, f"account:{lock.account_id}", "limit.end", words)

    def _lock_newcomers(self, today: date) -> None:
        """Who came into a group while it is locked is locked as the others are."""
        with self._database.transaction() as session:
            turn_switch(session)
            standing = _IN_FORCE.where(DayLock.trading_date == today, DayLock.group_id.is_not(None))
            of_group: dict[tuple[int | None, str], dict[int, DayLock]] = {}
            for lock in session.scalars(standing):
                of_group.setdefault((lock.group_id, lock.rule), {})[lock.account_id] = lock
            members = {group.id: group.members for group in groups_in(session)}
            for (group_id, _), locks in of_group.items():
                first = min(locks.values(), key=lambda lock: lock.id)
                for account_id in sorted(members.get(group_id or 0, frozenset()) - locks.keys()):
                    session.add(_as(first, account_id, self._clock.now()))
                    words = f"Came into a group that is locked: {first.sentence}"
                    self._record(session, f"account:{account_id}", "limit.reached", words)

    def _judge(self, of: _Place, days: Mapping[int, AccountDay], views: Iterable[RunView], today: date) -> None:
        found = reached(of.limits, of.pnl(days))
        for rule in DayRule:
            if found is None or found.rule is not rule:
                self._since.pop((of.key, rule), None)
        held = frozenset(key for each in of.accounts & days.keys() for key in days[each].held)
        if found is None or self._proven.in_doubt(held):
            return
        now = self._clock.monotonic()
        since = self._since.setdefault((of.key, found.rule), now)
        if now - since >= (MARK_MAX_AGE_S if found.is_bound else BORNE_OUT_S):
            self._lock(of, days, found, views, today)

    def _lock(
        self, of: _Place, days: Mapping[int, AccountDay], found: Reached, views: Iterable[RunView], today: date
    ) -> None:
        """Once for a rule and day: a lock that was lifted is not made again."""
        mine = DayLock.account_id.in_(of.accounts) if of.group_id is None else DayLock.group_id == of.group_id
        known = select(DayLock.id).where(
            mine, DayLock.group_id.is_not_distinct_from(of.group_id), DayLock.trading_date == today,
            DayLock.rule == found.rule.value,
        )  # fmt: skip
        with self._database.transaction() as session:
            turn_switch(session)
            if session.scalars(known).first() is not None:
                return
            priced = [days[each] for each in sorted(of.accounts & days.keys())]
            first = DayLock(
                account_id=min(of.accounts),
                group_id=of.group_id,
                trading_date=today,
                rule=found.rule.value,
                threshold=found.threshold,
                value=found.value.quantize(PAISA),
                leaves=of.limits.leaves,
                prices={symbol: price for day in priced for symbol, price in _words(day)},
                sentence=found.sentence if of.group_id is None else f"{of.name}: {found.sentence}",
                at=self._clock.now(),
            )
            session.add(first)
            others = sorted(of.accounts - {first.account_id})
            session.add_all(_as(first, account_id, first.at) for account_id in others)
            what = "everything of ours is left" if of.limits.leaves else "nothing new is begun"
            words = f"{of.name}: {found.sentence} For the rest of the day {what}."
            self._record(session, of.subject, "limit.reached", words)
            for view in views:
                for account_id in sorted(of.accounts & {cell.account_id for cell in view.cells}):
                    self._journal.note(session, view.run_id, "rule", words, account_id)

    def _leave(self, views: Iterable[RunView], account_id: int, why: str) -> None:
        for view in views:
            staying = [cell for cell in view.cells if cell.account_id == account_id and cell.exit_wanted is None]
            if any(cell.net or cell.open_orders for cell in staying):
                self._ask_exit(view.run_id, account_id, why)

    def _record(self, session: Session, subject: str, action: str, sentence: str) -> None:
        self._activity.record(session, user_id=None, actor="engine", action=action, subject=subject, sentence=sentence)


def _as(lock: DayLock, account_id: int, now: datetime) -> DayLock:
    return DayLock(
        account_id=account_id,
        group_id=lock.group_id,
        trading_date=lock.trading_date,
        rule=lock.rule,
        threshold=lock.threshold,
        value=lock.value,
        leaves=lock.leaves,
        prices=lock.prices,
        sentence=lock.sentence,
        at=now,
    )


def _words(day: AccountDay) -> Iterator[tuple[str, object]]:
    """Last price and age of what is held; None for a contract that never had one."""
    for key in sorted(day.held):
        yield key.symbol, _price(day.marks.get(key))


def _price(mark: Mark | None) -> Mapping[str, object] | None:
    return None if mark is None else {"ltp": str(mark.value), "age_s": round(mark.age_s, 3)}
