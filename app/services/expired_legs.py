"""Ends legs whose contract has expired: after its last day the exchange settles it in cash, without an order."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import IST, trading_date
from app.domain.errors import Unavailable
from app.persistence.database import Database
from app.persistence.tables import Run, StrategyExecution
from app.ports.clock import Clock, MarketClock
from app.services.fair_turns import FairTurns
from app.services.journal import Journal
from app.services.run_board import LIVING
from app.services.run_state import ExecutionState, Rows, drop_unsent, load_accounts

LOOK_S = 10.0

ANSWERS = 2
"""How many have to agree: one may have been under way while a clock was set."""


class ExpiredLegs:
    """`step` belongs to one loop. What it did once it finds done: a restart changes nothing.

    Its settlement price is the exchange's, and no gateway tells it: fills stay what they are, so the profit and loss
    of the run is incomplete until a person types it (`settlement_prices`). It cannot be undone, so a clock that nobody
    has borne out ends nothing: not one that was wrong when the machine started, and not one that was set a moment ago.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        market_clock: MarketClock,
        journal: Journal,
        *,
        agreeing: Callable[[], int],
        on_change: Callable[[int], None],
    ) -> None:
        """`agreeing`: how many of a gateway's newest answers in a row bear this machine's clock out."""
        self._database = database
        self._clock = clock
        self._market_clock = market_clock
        self._journal = journal
        self._agreeing = agreeing
        self._day: tuple[date, int] | None = None
        self._on_change = on_change
        self._turns = FairTurns()

    def step(self) -> float:
        """End what is over. Returns the seconds until the next look."""
        try:
            today = trading_date(self._market_clock.now())
        except Unavailable:
            return LOOK_S
        if not self._is_sure(today):
            return LOOK_S
        for run_id in self._turns.order(self._due(today)):
            with self._turns.turn(run_id):
                self._end(run_id, today)
                self._on_change(run_id)
        return LOOK_S

    def _is_sure(self, today: date) -> bool:
        """Whether answers that came since this day was first seen here say that it is today."""
        agreeing = self._agreeing()
        if self._day is None or self._day[0] != today or agreeing < self._day[1]:
            self._day = (today, agreeing)
        return agreeing - self._day[1] >= ANSWERS

    def _due(self, today: date) -> list[int]:
        query = (
            select(StrategyExecution.run_id)
            .join(Run, Run.id == StrategyExecution.run_id)
            .where(
                Run.state.in_(LIVING),
                StrategyExecution.expired_at.is_(None),
                StrategyExecution.expiry < today.isoformat(),
            )
            .distinct()
            .order_by(StrategyExecution.run_id)
        )
        with self._database.reading() as session:
            return list(session.scalars(query))

    def _end(self, run_id: int, today: date) -> None:
        with self._database.transaction() as session:
            session.get_one(Run, run_id, with_for_update={"key_share": True})
            for account in load_accounts(session, run_id, rows=Rows.WRITABLE):
                for execution in account.executions:
                    if execution.row.expired_at is None and execution.row.expiry < today.isoformat():
                        self._end_one(session, execution)

    def _end_one(self, session: Session, execution: ExecutionState) -> None:
        row, held = execution.row, execution.net
        drop_unsent(execution.intents, self._clock.now(), "Not sent: its contract has expired.")
        row.expired_at = _end_of(date.fromisoformat(row.expiry))
        if held:
            words = (
                f"{row.symbol} expired with {held:+d} units held: the exchange settles them in cash, without an order. "
                "At what price is not known here, so the profit and loss is incomplete until somebody types what the "
                "broker's statement says."
            )
            self._journal.note(session, row.run_id, "expired", words, row.account_id)


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), IST).astimezone(UTC)
