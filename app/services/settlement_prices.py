"""What expired contracts were settled at: listed where it matters, typed by an admin, with who and when."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.domain.calendar import trading_date
from app.domain.contracts import Contract, Side
from app.domain.errors import InvalidInput
from app.domain.money import PAISA
from app.domain.settlement_prices import Settled, check_settlement
from app.persistence.database import Database
from app.persistence.locking import lock_table
from app.persistence.tables import FillRow, Run, RunDay, SettlementPrice, StrategyExecution
from app.ports.clock import Clock
from app.services.account_types import Actor
from app.services.activity import Activity
from app.services.run_state import AccountState, contract_of, load_accounts

_NET = func.sum(case((FillRow.side == Side.BUY.value, FillRow.units), else_=-FillRow.units))
_HELD = (
    select(StrategyExecution, _NET)
    .join(FillRow, FillRow.execution_id == StrategyExecution.id)
    .where(StrategyExecution.expired_at.is_not(None))
    .group_by(StrategyExecution.id)
    .having(_NET != 0)
    .order_by(StrategyExecution.expiry.desc(), StrategyExecution.symbol)
)


@dataclass(frozen=True, slots=True)
class SettledContract:
    """A contract that expired while runs held it: `long` and `short` units over all of them, both positive.

    `price` is rupees of one unit, None while nobody has typed it; `by` and `at` (real time) go with it.
    """

    contract: Contract
    runs: tuple[int, ...]
    long: int
    short: int
    price: Decimal | None
    by: str | None
    at: datetime | None


class SettlementPrices:
    """Thread-safe. No gateway tells a settlement price, so none is ever made up: until one is typed, the profit and
    loss of the runs that held the contract is incomplete. A typed one may be corrected.
    """

    def __init__(self, database: Database, clock: Clock, activity: Activity, on_change: Callable[[int], None]) -> None:
        """`on_change` is told of each run whose profit and loss is another from now on."""
        self._database = database
        self._clock = clock
        self._activity = activity
        self._on_change = on_change

    def listed(self, viewer: Actor) -> list[SettledContract]:
        """Of runs of this user, an admin sees all; the newest expiry first."""
        query = _HELD
        if not viewer.is_admin:
            query = query.join(Run, Run.id == StrategyExecution.run_id).where(Run.user_id == viewer.id)
        with self._database.reading() as session:
            held = [(row, net) for row, net in session.execute(query)]
            prices = {(row.exchange, row.symbol, row.expiry): row for row in session.scalars(select(SettlementPrice))}
            groups: dict[tuple[str, str, str], list[tuple[StrategyExecution, int]]] = {}
            for row, net in held:
                groups.setdefault((row.exchange, row.symbol, row.expiry), []).append((row, net))
            return [_contract(rows, prices.get(place)) for place, rows in groups.items()]

    def type(self, by: Actor, exchange: str, symbol: str, price: Decimal) -> Settled:
        """Raises InvalidInput naming `contract` where no run held it when it expired, and `price` for one that cannot
        be true beside those already known of that index and day.
        """
        with self._database.transaction() as session:
            lock_table(session, SettlementPrice)
            rows = session.scalars(
                select(StrategyExecution)
                .where(
                    StrategyExecution.exchange == exchange,
                    StrategyExecution.symbol == symbol,
                    StrategyExecution.expired_at.is_not(None),
                )
                .order_by(StrategyExecution.id)
            ).all()
            if not rows:
                raise InvalidInput("contract", "No run held such a contract when it expired. Choose one of the list.")
            typed = Settled(contract_of(rows[0]), price)
            check_settlement(typed, _others(session, rows[0]))
            was = self._write(session, by, rows[0], price)
            runs = sorted({row.run_id for row in rows})
            for run_id in runs:
                _complete(session, run_id)
            self._record(session, by, typed, was, len(runs))
        for run_id in runs:
            self._on_change(run_id)
        return typed

    def _write(self, session: Session, by: Actor, leg: StrategyExecution, price: Decimal) -> Decimal | None:
        """The price that was there before."""
        row = session.scalars(
            select(SettlementPrice).where(
                SettlementPrice.exchange == leg.exchange,
                SettlementPrice.symbol == leg.symbol,
                SettlementPrice.expiry == leg.expiry,
            )
        ).one_or_none()
        was = None if row is None else row.price
        if row is None:
            row = SettlementPrice(
                exchange=leg.exchange, symbol=leg.symbol, underlying=leg.underlying, expiry=leg.expiry
            )
            session.add(row)
        row.price, row.user_id, row.actor, row.at = price, by.id, by.username, self._clock.now()
        session.flush()
        return was

    def _record(self, session: Session, by: Actor, typed: Settled, was: Decimal | None, runs: int) -> None:
        symbol = typed.contract.key.symbol
        before = "" if was is None else f", instead of {was:.2f}"
        self._activity.record(
            session,
            user_id=by.id,
            actor=by.username,
            action="settlement.price",
            subject=f"contract:{symbol}",
            sentence=f"{symbol} was settled at {typed.price:.2f}{before}: typed, for {runs} "
            f"{'run' if runs == 1 else 'runs'}.",
            detail={"was": None if was is None else str(was), "now": str(typed.price)},
        )


def _contract(rows: Sequence[tuple[StrategyExecution, int]], price: SettlementPrice | None) -> SettledContract:
    return SettledContract(
        contract=contract_of(rows[0][0]),
        runs=tuple(sorted({row.run_id for row, _ in rows})),
        long=sum(net for _, net in rows if net > 0),
        short=-sum(net for _, net in rows if net < 0),
        price=None if price is None else price.price,
        by=None if price is None else price.actor,
        at=None if price is None else price.at,
    )


def _others(session: Session, leg: StrategyExecution) -> list[Settled]:
    """Known ones of the same index and day."""
    prices = session.scalars(
        select(SettlementPrice).where(
            SettlementPrice.exchange == leg.exchange,
            SettlementPrice.underlying == leg.underlying,
            SettlementPrice.expiry == leg.expiry,
            SettlementPrice.symbol != leg.symbol,
        )
    ).all()
    legs = session.scalars(
        select(StrategyExecution).where(StrategyExecution.symbol.in_([row.symbol for row in prices]))
    )
    contracts = {(row.exchange, row.symbol): contract_of(row) for row in legs}
    return [Settled(contracts[row.exchange, row.symbol], row.price) for row in prices]


def _complete(session: Session, run_id: int) -> None:
    """What a run that is over brought on its last day is known now, where all of an account's part is."""
    run = session.get_one(Run, run_id)
    if run.closed_at is None:
        return
    day = trading_date(run.closed_at)
    rows = session.scalars(select(RunDay).where(RunDay.run_id == run_id, RunDay.trading_date == day))
    there = {row.account_id: row for row in rows}
    for account in load_accounts(session, run_id):
        if any(execution.position.units for execution in account.executions):
            continue
        row = there.get(account.account_id)
        if row is None:
            row = RunDay(trading_date=day, run_id=run_id, account_id=account.account_id)
            session.add(row)
        row.total = row.realised = _realised(account)
        row.at = run.closed_at


def _realised(account: AccountState) -> Decimal:
    return sum((execution.position.realised for execution in account.executions), Decimal(0)).quantize(PAISA)
