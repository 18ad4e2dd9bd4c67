"""Leaves positions by the clock: intraday ones before their broker does, all of a run when its trader said."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import IST, Closed, trading_date
from app.domain.contracts import Product
from app.domain.errors import Denied, Unavailable
from app.domain.gate import Code
from app.domain.market_rules import MissingRule, RuleBook
from app.domain.plan import ResolvedLeg
from app.domain.risk import RiskRule
from app.domain.square_off import BEFORE_CLOSE, cut_off, square_off_at
from app.persistence.database import Database
from app.persistence.tables import RiskEvent, TradingAccount
from app.ports.clock import MarketClock
from app.services.fair_turns import FairTurns
from app.services.journal import Journal
from app.services.part_due import prices_used
from app.services.run_board import AccountView, CellView, RunBoard, RunView
from app.services.session_hours import SessionHours

LOOK_S = 1.0

_CUT_OFFS = select(TradingAccount.id, TradingAccount.mis_cut_off)

AskExit = Callable[[int, int, int | None, str, Callable[[Session], None]], None]
"""Run, account, leg or all of them, why, and what is written in the same transaction."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """When a position is left today, and the cut-off it is left before; `cut_off` None: its strategy asks for it."""

    at: datetime
    cut_off: datetime | None

    def words(self) -> str:
        at = f"at {self.at.astimezone(IST):%H:%M}"
        if self.cut_off is None:
            return f"{at}, as its strategy says"
        return f"{at} by the clock, before its account's cut-off at {self.cut_off.astimezone(IST):%H:%M}"


class SquareOffTimes:
    """Thread-safe. Unknown hours give no time: nothing is decided by the clock on them.

    `of_account` is the cut-off that was typed with an account; None: the market rules say it, or refuse by name.
    """

    def __init__(self, hours: SessionHours, book: Callable[[], RuleBook]) -> None:
        self._hours = hours
        self._book = book

    def of(
        self, exchange: str, product: str, expiry: date, *, of_account: time | None, asked: time | None
    ) -> Leaving | None:
        """When such a position is left in today's session; None when not by the clock, or nobody knows the hours.

        Raises MissingRule where it is left before a cut-off that nobody knows.
        """
        session = self._hours.session(exchange)
        if session is None or isinstance(session, Closed):
            return None
        day = trading_date(session.opens)
        by_default = product == Product.MIS or expiry == day
        before = self.cut_off(day, of_account) if by_default else None
        at = square_off_at(session, of_account=before, asked=asked)
        if at is None:
            return None
        is_usual = before is not None and at == square_off_at(session, of_account=before, asked=None)
        return Leaving(at, cut_off(session, before) if is_usual and before is not None else None)

    def cut_off(self, on: date, of_account: time | None) -> time:
        """Raises MissingRule."""
        return of_account if of_account is not None else self._book().cut_off(on)

    def of_entry(
        self, legs: Iterable[ResolvedLeg], *, of_account: time | None, asked: time | None, now: datetime
    ) -> Leaving | None:
        """When the first of these legs will be left again, None when none is today.

        Raises Denied when that is past, or before a cut-off that nobody knows.
        """
        try:
            found = [
                self.of(leg.contract.key.exchange, leg.product, leg.contract.expiry, of_account=of_account, asked=asked)
                for leg in legs
            ]
        except MissingRule as missing:
            raise Denied(Code.NOT_SENDABLE, str(missing)) from missing
        first = min((leaving for leaving in found if leaving is not None), key=lambda each: each.at, default=None)
        if first is not None and first.at <= now:
            raise Denied(Code.SQUARE_OFF_PASSED, f"It would be left at once: {first.words()}.")
        return first

    def is_over(self, exchange: str, now: datetime) -> bool:
        """Whether the exchange trades no more, or not yet: nothing can be left then."""
        session = self._hours.session(exchange)
        return not (session is not None and not isinstance(session, Closed) and session.opens <= now < session.closes)

    def asked(self, exchange: str, asked: time | None) -> Leaving | None:
        """As `of` for a position that is left when its trader says and not before."""
        session = self._hours.session(exchange)
        if session is None or isinstance(session, Closed):
            return None
        at = square_off_at(session, of_account=None, asked=asked)
        return None if at is None else Leaving(at, None)

    def is_past(self, exchange: str, asked: time, now: datetime) -> bool:
        """Whether that time of its trader has come today while the exchange still trades."""
        leaving = self.asked(exchange, asked)
        return leaving is not None and leaving.at <= now and not self.is_over(exchange, now)

    def are_unknown(self, exchange: str) -> bool:
        return self._hours.session(exchange) is None


class SquareOff:
    """`step` belongs to one loop, `when` to anybody.

    A clock in doubt leaves nothing.
    """

    def __init__(
        self,
        database: Database,
        run_board: RunBoard,
        times: SquareOffTimes,
        market_clock: MarketClock,
        journal: Journal,
        *,
        clock_in_doubt: Callable[[], bool],
        ask_exit: AskExit,
    ) -> None:
        self._database = database
        self._run_board = run_board
        self._times = times
        self._market_clock = market_clock
        self._journal = journal
        self._clock_in_doubt = clock_in_doubt
        self._ask_exit = ask_exit
        self._turns = FairTurns()

    def step(self) -> float:
        """Leave what is due. Returns the seconds until the next look."""
        living = self._run_board.living()
        if not living or self._clock_in_doubt():
            return LOOK_S
        try:
            now = self._market_clock.now()
        except Unavailable:
            return LOOK_S
        cut_offs = self._cut_offs()
        for run_id in self._turns.order(living):
            with self._turns.turn(run_id):
                view = self._run_board.view(run_id, behind_s=LOOK_S)
                for account in view.accounts:
                    self._look(view, account, now, cut_offs[account.account_id])
        return LOOK_S

    def when(self, view: RunView) -> tuple[Leaving, ...]:
        """When what is still there of a run will be left today, the earliest first; empty when not by the clock."""
        cut_offs = self._cut_offs()
        staying = [cell for cell in view.cells if cell.exit_wanted is None]
        found = {self._leaving(view, cell, cut_offs[cell.account_id]) for cell in staying}
        return tuple(sorted((each for each in found if each is not None), key=lambda each: each.at))

    def _leaving(self, view: RunView, cell: CellView, of_account: time | None) -> Leaving | None:
        """Where nobody knows the cut-off it goes by what its strategy says alone."""
        place = (cell.contract.key.exchange, cell.product, cell.contract.expiry)
        asked = view.exits.square_off_of(cell.account_id, view.square_off)
        try:
            return self._times.of(*place, of_account=of_account, asked=asked)
        except MissingRule:
            return self._times.asked(place[0], asked)

    def _cut_offs(self) -> dict[int, time | None]:
        with self._database.reading() as session:
            return {row.id: row.mis_cut_off for row in session.execute(_CUT_OFFS)}

    def _look(self, view: RunView, account: AccountView, now: datetime, of_account: time | None) -> None:
        staying = [cell for cell in account.cells if cell.exit_wanted is None]
        if not any(cell.net or cell.open_orders for cell in staying):
            return
        self._warn(view, account, staying, now, of_account)
        due = {cell.leg: leaving for cell in staying if (leaving := self._due(view, cell, now, of_account)) is not None}
        if len(due) == len(staying):
            self._leave(view, account, None, next(iter(due.values())))
            return
        for leg, leaving in due.items():
            self._leave(view, account, leg, leaving)

    def _due(self, view: RunView, cell: CellView, now: datetime, of_account: time | None) -> Leaving | None:
        """None while its time has not come, and where nothing trades."""
        leaving = self._leaving(view, cell, of_account)
        if leaving is None or now < leaving.at or self._times.is_over(cell.contract.key.exchange, now):
            return None
        return leaving

    def _leave(self, view: RunView, account: AccountView, leg: int | None, leaving: Leaving) -> None:
        what = "Everything" if leg is None else f"Leg {leg}"
        why = f"{what} in {account.name} is left {leaving.words()}."
        self._ask_exit(
            view.run_id, account.account_id, leg, why, lambda session: self._write(session, view, account, leg, why)
        )

    def _write(self, session: Session, view: RunView, account: AccountView, leg: int | None, why: str) -> None:
        """One row for each place, with the exit it asks for and the prices of what is left then."""
        place = f"account {account.account_id}" + ("" if leg is None else f" leg {leg}")
        known = select(RiskEvent.id).where(
            RiskEvent.run_id == view.run_id, RiskEvent.rule == RiskRule.SQUARE_OFF, RiskEvent.place == place
        )
        if session.scalars(known).first() is not None:
            return
        keys = {cell.contract.key for cell in account.cells if cell.net and leg in {None, cell.leg}}
        marks = {key: mark for key in keys if (mark := self._run_board.mark(key)) is not None}
        session.add(
            RiskEvent(
                run_id=view.run_id,
                at=self._journal.now(),
                rule=RiskRule.SQUARE_OFF.value,
                place=place,
                account_id=account.account_id,
                prices=prices_used(keys, marks),
                action=why,
            )
        )
        self._journal.note(session, view.run_id, "rule", why, account.account_id)

    def _warn(
        self, view: RunView, account: AccountView, staying: list[CellView], now: datetime, of_account: time | None
    ) -> None:
        """Nobody knows today's hours, and the broker's cut-off is near, or not even that: a person has to look."""
        try:
            cut_off_at = self._times.cut_off(trading_date(now), of_account)
        except MissingRule as missing:
            if any(cell.product == Product.MIS for cell in staying):
                words = f"Nothing in {account.name} is left before its broker's cut-off, which nobody knows: {missing}"
                self._say_once(view, account, words)
            return
        near = now >= datetime.combine(trading_date(now), cut_off_at, IST) - BEFORE_CLOSE
        blind = {c.contract.key.exchange for c in staying if c.product == Product.MIS} if near else set()
        for exchange in sorted(blind):
            if self._times.are_unknown(exchange):
                words = (
                    f"The hours of {exchange} today are not known, so nothing in {account.name} is left by the clock. "
                    "Leave it yourself, or type the hours on the calendar page."
                )
                self._say_once(view, account, words)

    def _say_once(self, view: RunView, account: AccountView, words: str) -> None:
        with self._database.transaction() as session:
            self._journal.note_once(session, view.run_id, "attention", words, account.account_id)
