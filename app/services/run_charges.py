"""What a run has cost beside its prices, estimated from its fills by the dated rates of their days."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

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


@dataclass(frozen=True, slots=True)
class Cost:
    """`charges` None: a rate is missing, and `note` names it. Then what is left net is unknown too."""

    charges: Charges | None
    note: str | None = None


def of_run(session: Session, run_id: int, book: RuleBook) -> Cost:
    """Of all accounts together. What was adopted was traded elsewhere and is not counted."""
    return of_runs(session, [run_id], book)[run_id]


def of_runs(session: Session, run_ids: Collection[int], book: RuleBook) -> dict[int, Cost]:
    """Of each of them, in one statement."""
    rows = session.execute(
        select(
            StrategyExecution.run_id, StrategyExecution.account_id, StrategyExecution.exchange, StrategyExecution.kind,
            Intent.trading_date, FillRow.side, FillRow.units, FillRow.price, FillRow.order_id,
        )
        .join(FillRow, FillRow.execution_id == StrategyExecution.id)
        .join(Intent, Intent.id == FillRow.intent_id)
        .where(StrategyExecution.run_id.in_(run_ids))
    )  # fmt: skip
    runs: dict[int, dict[tuple[int, date | None], list[Trade]]] = {run_id: defaultdict(list) for run_id in run_ids}
    for run_id, account_id, exchange, kind, on, side, units, price, order_id in rows:
        runs[run_id][account_id, on].append(Trade(exchange, Kind(kind), Side(side), units, price, order_id))
    tariffs = tariffs_in(session, {account_id for days in runs.values() for account_id, _ in days})
    return {run_id: _by_day(days, book, tariffs) for run_id, days in runs.items()}


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
