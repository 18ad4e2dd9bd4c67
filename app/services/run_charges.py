"""What a run has cost beside its prices, estimated from its fills by the dated rates of their days."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.charges import Charges, Trade, of_days
from app.domain.contracts import Kind, Side
from app.domain.errors import Refused
from app.domain.market_rules import RuleBook
from app.domain.plan import AccountPlan, ResolvedLeg
from app.domain.tariffs import Tariff, tariff_on
from app.persistence.tables import FillRow, Intent, StrategyExecution
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
    """Of each of them, in one statement."""
    rows = session.execute(_TRADES.where(StrategyExecution.run_id.in_(run_ids)))
    runs: dict[int, dict[tuple[int, date | None], list[Trade]]] = {run_id: defaultdict(list) for run_id in run_ids}
    for run_id, account_id, on, *trade in rows:
        runs[run_id][account_id, on].append(_trade(*trade))
    tariffs = tariffs_in(session, {account_id for days in runs.values() for account_id, _ in days})
    return {run_id: _by_day(days, book, tariffs) for run_id, days in runs.items()}


def of_accounts(
    session: Session, account_ids: Collection[int], run_ids: Collection[int], book: RuleBook, on: date | None = None
) -> dict[int, Cost]:
    """Of each account for these runs together, as its contract notes sum them up; of one trading date where `on` is."""
    query = _TRADES.where(StrategyExecution.account_id.in_(account_ids), StrategyExecution.run_id.in_(run_ids))
    rows = session.execute(query if on is None else query.where(Intent.trading_date == on))
    found: dict[int, dict[tuple[int, date | None], list[Trade]]] = {each: defaultdict(list) for each in account_ids}
    for _, account_id, day, *trade in rows:
        found[account_id][account_id, day].append(_trade(*trade))
    tariffs = tariffs_in(session, account_ids)
    return {account_id: _by_day(days, book, tariffs) for account_id, days in found.items()}


def of_dates(
    session: Session, account_ids: Collection[int], dates: Collection[date], book: RuleBook
) -> dict[tuple[int, date], Cost]:
    """Of each account and trading date on which it traded."""
    query = _TRADES.where(StrategyExecution.account_id.in_(account_ids), Intent.trading_date.in_(dates))
    found: dict[tuple[int, date], list[Trade]] = defaultdict(list)
    for _, account_id, day, *trade in session.execute(query):
        found[account_id, day].append(_trade(*trade))
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


def _trade(exchange: str, kind: str, side: str, units: int, price: Decimal, order_id: str) -> Trade:
    return Trade(exchange, Kind(kind), Side(side), units, price, order_id)


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
