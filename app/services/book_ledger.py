"""Our own side of the books: today's intents and fills, so that a row of a broker's book can be known as ours."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.contracts import ContractKey, Side
from app.domain.money import Units
from app.domain.orders import OPEN
from app.domain.positions import FLAT, Fill, PositionState, fold
from app.persistence.tables import Adoption, FillRow, Intent, Order, Run, StrategyExecution

Place = tuple[int, ContractKey, str]
"""Account, contract, product: what a broker nets into one position."""


@dataclass(frozen=True, slots=True)
class OurPosition:
    """What our own fills left at one place. `moving` says that an order of ours may still change it."""

    run_id: int
    state: PositionState
    lot_size: int
    moving: bool


@dataclass(frozen=True, slots=True)
class OurOrders:
    """Intents of some accounts: of today, and older ones that are still open. `filled` is units by intent.

    `adopted` are runs by account and id of foreign orders whose units they took over.
    """

    intents: tuple[Intent, ...]
    filled: dict[int, tuple[int, Decimal]] = field(default_factory=dict)
    lot_sizes: dict[int, int] = field(default_factory=dict)
    adopted: dict[tuple[int, str], int] = field(default_factory=dict)

    def by_order(self) -> dict[tuple[int, str], Intent]:
        """Those that have a broker's id, by account and id."""
        return {(one.account_id, one.order_id): one for one in self.intents if one.order_id}


def our_orders(session: Session, account_ids: Sequence[int], today: date | None, midnight: datetime) -> OurOrders:
    """Intents sent today (the market's date, None while unknown), made since `midnight`, or still open."""
    open_states = [state.value for state in OPEN]
    intents = session.scalars(
        select(Intent)
        .where(
            Intent.account_id.in_(account_ids),
            or_(Intent.trading_date == today, Intent.created_at >= midnight, Intent.state.in_(open_states)),
        )
        .order_by(Intent.id.desc())
    ).all()
    ids = [intent.id for intent in intents]
    filled: dict[int, tuple[int, Decimal]] = {}
    for fill in session.scalars(select(FillRow).where(FillRow.intent_id.in_(ids))):
        if fill.intent_id is not None:
            units, worth = filled.get(fill.intent_id, (0, Decimal(0)))
            filled[fill.intent_id] = (units + fill.units, worth + fill.units * fill.price)
    executions = {intent.execution_id for intent in intents}
    sizes = session.execute(
        select(StrategyExecution.id, StrategyExecution.lot_size).where(StrategyExecution.id.in_(executions))
    )
    return OurOrders(tuple(intents), filled, dict(sizes.tuples().all()), _adopted(session, account_ids, today))


def _adopted(session: Session, account_ids: Sequence[int], today: date | None) -> dict[tuple[int, str], int]:
    rows = session.execute(
        select(Order.account_id, Order.order_id, Adoption.run_id)
        .join(Adoption, Adoption.id == Order.adoption_id)
        .where(Order.account_id.in_(account_ids), Order.trading_date == today)
    )
    return {(account_id, order_id): run_id for account_id, order_id, run_id in rows}


def our_positions(session: Session, account_ids: Sequence[int], midnight: datetime) -> dict[Place, OurPosition]:
    """Positions from our own fills in runs that live or were closed since `midnight`."""
    executions = session.execute(
        select(StrategyExecution, Run.state)
        .join(Run, Run.id == StrategyExecution.run_id)
        .where(
            StrategyExecution.account_id.in_(account_ids),
            StrategyExecution.expired_at.is_(None),
            or_(Run.state.not_in(("CLOSED", "REFUSED")), Run.closed_at >= midnight),
        )
        .order_by(StrategyExecution.id)
    ).all()
    by_id = {execution.id: execution for execution, _ in executions}
    fills: dict[Place, list[Fill]] = {}
    for row in session.scalars(select(FillRow).where(FillRow.execution_id.in_(by_id)).order_by(FillRow.at, FillRow.id)):
        fill = Fill(row.order_id, Side(row.side), Units(row.units), row.price, row.at)
        fills.setdefault(_place(by_id[row.execution_id]), []).append(fill)
    moving = set(
        session.scalars(
            select(Intent.execution_id).where(
                Intent.execution_id.in_(by_id), Intent.state.in_([state.value for state in OPEN])
            )
        )
    )
    places: dict[Place, OurPosition] = {}
    for execution, _ in executions:
        place = _place(execution)
        before = places.get(place)
        state = fold(fills.get(place, [])) if place in fills else FLAT
        still = execution.id in moving or (before is not None and before.moving)
        places[place] = OurPosition(execution.run_id, state, execution.lot_size, still)
    return places


def _place(execution: StrategyExecution) -> Place:
    return (execution.account_id, ContractKey(execution.exchange, execution.symbol), execution.product)
