"""What a run has cost beside its prices, estimated from its fills by the dated rates of their days."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from app.domain.charges import Charges, Trade, of_days
from app.domain.contracts import Kind, Side
from app.domain.errors import Refused
from app.domain.market_rules import RuleBook
from app.domain.plan import AccountPlan, ResolvedLeg
from app.domain.tariffs import Tariff, tariff_on
from app.persistence.tables import FillRow, Intent, SettlementPrice, StrategyExecution
from app.services.account_tariffs import Tariffs, tariffs_in

_TRADES = (
    select(
        StrategyExecution.run_id, StrategyExecution.account_id, Intent.trading_date,
        StrategyExecution.exchange, StrategyExecution.kind,
        FillRow.side, FillRow.units, FillRow.price, FillRow.order_id,
    )
    .join(FillRow, FillRow.execution_id == StrategyExecution.id)
    .join(Intent, Intent.id == FillRow.intent_id)
)  # fmt: skip
_NET = func.sum(case((FillRow.side == Side.BUY.value, FillRow.units), else_=-FillRow.units))
_OF_SETTLED = (
    StrategyExecution.run_id, StrategyExecution.account_id, StrategyExecution.expiry,
    StrategyExecution.exchange, StrategyExecution.kind, StrategyExecution.id, SettlementPrice.price,
)  # fmt: skip
_SETTLED = (
    select(*_OF_SETTLED, _NET)
    .join(FillRow, FillRow.execution_id == StrategyExecution.id)
    .join(
        SettlementPrice,
        (SettlementPrice.exchange == StrategyExecution.exchange)
        & (SettlementPrice.symbol == StrategyExecution.symbol)
        & (SettlementPrice.expiry == StrategyExecution.expiry),
    )
    .where(StrategyExecution.expired_at.is_not(None))
    .group_by(*_OF_SETTLED)
    .having(_NET != 0)
)

_Traded = tuple[int, int, date | None, Trade]
"""Of which run and account, on which day; None: of an order without a date."""


def _traded(
    session: Session, *, of: Sequence[ColumnElement[bool]], dates: Collection[date] | None = None
) -> Iterator[_Traded]:
    """Trades of the executions that `of` chooses, and what of them their exchange has settled."""
    trades, settled = _TRADES.where(*of), _SETTLED.where(*of)
    if dates is not None:
        trades = trades.where(Intent.trading_date.in_(dates))
        settled = settled.where(StrategyExecution.expiry.in_([day.isoformat() for day in dates]))
    for run_id, account_id, on, exchange, kind, side, units, price, order_id in session.execute(trades):
        yield run_id, account_id, on, Trade(exchange, Kind(kind), Side(side), units, price, order_id)
    for run_id, account_id, expiry, exchange, kind, execution_id, price, net in session.execute(settled):
        closing = Side.SELL if net > 0 else Side.BUY
        of_leg = Trade(exchange, Kind(kind), closing, abs(net), price, ("settled", execution_id), settled=True)
        yield run_id, account_id, date.fromisoformat(expiry), of_leg


@dataclass(frozen=True, slots=True)
class Cost:
    """`charges` None: a rate is missing, and `note` names it. Then what is left net is unknown too."""

    charges: Charges | None
    note: str | None = None

    def net_of(self, gross: Decimal | None) -> Decimal | None:
        """Rupees that are left of `gross`; None where either is unknown."""
        return None if gross is None or self.charges is None else gross - self.charges.total


FREE = Cost(Charges())
"""Of who has traded nothing."""


def of_run(session: Session, run_id: int, book: RuleBook) -> Cost:
    """Of all accounts together. What was adopted was traded elsewhere and is not counted."""
    return of_runs(session, [run_id], book)[run_id]


def of_runs(session: Session, run_ids: Collection[int], book: RuleBook) -> dict[int, Cost]:
    """Of each of them, whatever their number in two statements."""
    runs: dict[int, dict[tuple[int, date | None], list[Trade]]] = {run_id: defaultdict(list) for run_id in run_ids}
    for run_id, account_id, on, trade in _traded(session, of=[StrategyExecution.run_id.in_(run_ids)]):
        runs[run_id][account_id, on].append(trade)
    tariffs = tariffs_in(session, {account_id for days in runs.values() for account_id, _ in days})
    return {run_id: _by_day(days, book, tariffs) for run_id, days in runs.items()}


def of_accounts(
    session: Session, account_ids: Collection[int], run_ids: Collection[int], book: RuleBook, on: date | None = None
) -> dict[int, Cost]:
    """Of each account for these runs together, as its contract notes sum them up; of one trading date where `on` is."""
    these = [StrategyExecution.account_id.in_(account_ids), StrategyExecution.run_id.in_(run_ids)]
    found: dict[int, dict[tuple[int, date | None], list[Trade]]] = {each: defaultdict(list) for each in account_ids}
    for _, account_id, day, trade in _traded(session, of=these, dates=None if on is None else [on]):
        found[account_id][account_id, day].append(trade)
    tariffs = tariffs_in(session, account_ids)
    return {account_id: _by_day(days, book, tariffs) for account_id, days in found.items()}


def of_dates(
    session: Session, account_ids: Collection[int], dates: Collection[date], book: RuleBook
) -> dict[tuple[int, date], Cost]:
    """Of each account and trading date on which it traded."""
    found: dict[tuple[int, date], list[Trade]] = defaultdict(list)
    these = [StrategyExecution.account_id.in_(account_ids)]
    for _, account_id, day, trade in _traded(session, of=these, dates=dates):
        if day is not None:
            found[account_id, day].append(trade)
    tariffs = tariffs_in(session, account_ids)
    return {place: _by_day({place: trades}, book, tariffs) for place, trades in found.items()}


def costs_together(costs: Iterable[Cost]) -> Cost:
    """Their sum; unknown as soon as one of them is, for what the first of those lacks."""
    total = Charges()
    for cost in costs:
        if cost.charges is None:
            return cost
        total = total.plus(cost.charges)
    return Cost(total)


def _by_day(days: Mapping[tuple[int, date | None], Sequence[Trade]], book: RuleBook, tariffs: Tariffs) -> Cost:
    """Of one run, its trades by account and day."""
    if any(on is None for _, on in days):
        return Cost(None, "A fill is of an order without a date, so its rates are not known.")
    return _cost(
        [
            (on, trades, tariff_on(tariffs.get(account_id, ()), on))
            for (account_id, on), trades in days.items()
            if on is not None
        ],
        book,
    )


def of_plans(
    plans: Iterable[AccountPlan], legs: Iterable[ResolvedLeg], on: date, book: RuleBook, tariffs: Mapping[int, Tariff]
) -> Cost:
    """Of getting in at the limits shown, and out again at the same prices on the same day.

    `tariffs` are those of accounts that have one of their own that day.
    """
    by_number = {leg.number: leg for leg in legs}
    return _cost([(on, _in_and_out(plan, by_number), tariffs.get(plan.account_id)) for plan in plans], book)


def _in_and_out(plan: AccountPlan, legs: Mapping[int, ResolvedLeg]) -> list[Trade]:
    return [
        Trade(
            leg.contract.key.exchange, leg.contract.kind, side, order.units, order.limit, (part.leg, order.slice, side)
        )
        for part in plan.legs
        for leg in (legs[part.leg],)
        for order in part.orders
        for side in (leg.side, leg.side.opposite)
    ]


def _cost(days: Sequence[tuple[date, Sequence[Trade], Tariff | None]], book: RuleBook) -> Cost:
    try:
        return Cost(of_days(days, book))
    except Refused as missing:
        return Cost(None, str(missing))
