"""Everything stored about one run, read in one go for its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.contracts import PriceType
from app.domain.plan import AccountPlan, Plan
from app.domain.positions import FLAT
from app.domain.price_types import PriceTerms
from app.persistence.tables import FillRow, Intent, Order, Preview, RiskEvent, Run, RunEvent, TradingAccount
from app.services.modify_desk import is_asked
from app.services.previews import plan_of
from app.services.run_board import AccountView, CellView, RunView
from app.web.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRow:
    """An order we decided. `filled` counts its fills; `average` is None before the first.

    `at` is the broker's own text once its book shows the order, else when we decided it. `asked` are prices that were
    asked for and the book does not show yet, `wish` is what its trader wants of the rest; None: nothing. `sent_at` and
    `created_at` are real time; `set_aside`: an exit was sent in its place though its outcome was unknown. `listed`: the
    broker's book has shown it.
    """

    id: int
    execution_id: int
    account_id: int
    purpose: str
    side: str
    units: int
    limit: Decimal | None
    price_type: str
    trigger: Decimal | None
    asked: str | None
    wish: str | None
    created_at: datetime
    sent_at: datetime | None
    set_aside: bool
    listed: bool
    state: str
    order_id: str | None
    reason: str | None
    at: datetime | str
    filled: int
    average: Decimal | None


@dataclass(frozen=True, slots=True)
class Happening:
    """`account` is None for what concerns the whole run."""

    at: datetime
    kind: str
    sentence: str
    account: str | None


@dataclass(frozen=True, slots=True)
class FillLine:
    """One fill at the market's time. `units` are unsigned."""

    at: datetime
    execution_id: int
    side: str
    units: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that fired: its own positive figure, the P&L it was judged on, and the prices by symbol.

    A rule of the clock has no figure: `action` says all, and the prices are those of what was left. `place` names
    the part of the run, empty for the whole.
    """

    at: datetime
    rule: str
    threshold: Decimal | None
    value: Decimal | None
    prices: Mapping[str, object]
    action: str
    place: str


@dataclass(frozen=True, slots=True)
class RunRows:
    """Intents, fills, events and fired rules, each from the oldest to the newest."""

    view: RunView
    intents: tuple[IntentRow, ...]
    fills: tuple[FillLine, ...]
    events: tuple[Happening, ...]
    fired: tuple[Fired, ...]
    brokers: Mapping[int, str]


def run_view(desk: Desk, run_id: int) -> RunView:
    """The run as the board has it; before the engine has written anything, as its preview says."""
    view = desk.run_board.view(run_id)
    if view.accounts:
        return view
    with desk.database.reading() as session:
        return replace(view, accounts=_planned(session, run_id, view))


def read_run(desk: Desk, run_id: int) -> RunRows:
    view = run_view(desk, run_id)
    with desk.database.reading() as session:
        ids = [account.account_id for account in view.accounts]
        accounts = session.scalars(select(TradingAccount).where(TradingAccount.id.in_(ids))).all()
        names = {account.id: account.name for account in accounts}
        fills = _fills(session, run_id)
        return RunRows(
            view=view,
            intents=_intents(session, run_id, fills),
            fills=tuple(FillLine(row.at, row.execution_id, row.side, row.units, row.price) for row in fills),
            events=_events(session, run_id, names),
            fired=_fired(session, run_id),
            brokers={account.id: account.broker for account in accounts},
        )


def _planned(session: Session, run_id: int, view: RunView) -> tuple[AccountView, ...]:
    """Nothing is sent, all of it waits; or was skipped, when the run was refused."""
    run = session.get_one(Run, run_id)
    plan = plan_of(session.get_one(Preview, run.preview_id))
    state = "skipped" if view.state == "REFUSED" else "waiting"
    return tuple(_planned_account(account, plan, state, view.reason) for account in plan.taking_part)


def _planned_account(account: AccountPlan, plan: Plan, state: str, note: str | None) -> AccountView:
    legs = {leg.number: leg for leg in plan.legs}
    cells = tuple(
        CellView(
            execution_id=0,
            account_id=account.account_id,
            leg=part.leg,
            contract=legs[part.leg].contract,
            product=legs[part.leg].product.value,
            side=legs[part.leg].side,
            lots=part.lots,
            units=part.units,
            entered=0,
            net=0,
            average=None,
            state=state,
            since=None,
            note=note,
            exit_wanted=None,
            unknown=False,
            open_orders=0,
            position=FLAT,
        )
        for part in account.legs
    )
    return AccountView(account.account_id, account.account_name, account.mode.value, cells)


def _fills(session: Session, run_id: int) -> Sequence[FillRow]:
    """Those that changed hands: what was adopted did so elsewhere."""
    wanted = select(FillRow).join(Intent, Intent.id == FillRow.intent_id).where(Intent.run_id == run_id)
    return session.scalars(wanted.order_by(FillRow.id)).all()


def _intents(session: Session, run_id: int, filled: Sequence[FillRow]) -> tuple[IntentRow, ...]:
    fills: dict[int | None, list[FillRow]] = {}
    for fill in filled:
        fills.setdefault(fill.intent_id, []).append(fill)
    placed = select(Order.intent_id, Order.placed_at).join(Intent, Intent.id == Order.intent_id)
    at_broker = {row.intent_id: row.placed_at for row in session.execute(placed.where(Intent.run_id == run_id))}
    intents = session.scalars(select(Intent).where(Intent.run_id == run_id).order_by(Intent.id))
    return tuple(_intent(row, fills.get(row.id, []), at_broker.get(row.id)) for row in intents)


def _intent(row: Intent, fills: list[FillRow], placed_at: str | None) -> IntentRow:
    filled = sum(fill.units for fill in fills)
    worth = sum((fill.price * fill.units for fill in fills), Decimal(0))
    return IntentRow(
        id=row.id,
        execution_id=row.execution_id,
        account_id=row.account_id,
        purpose=row.purpose,
        side=row.side,
        units=row.units,
        limit=row.limit_price,
        price_type=row.price_type,
        trigger=row.trigger_price,
        asked=PriceTerms(PriceType(row.price_type), row.asked_limit, row.asked_trigger).words()
        if is_asked(row)
        else None,
        wish=row.wish,
        created_at=row.created_at,
        sent_at=row.sent_at,
        set_aside=row.set_aside_at is not None,
        listed=placed_at is not None,
        state=row.state,
        order_id=row.order_id,
        reason=row.reason,
        at=placed_at or row.created_at,
        filled=filled,
        average=worth / filled if filled else None,
    )


def _events(session: Session, run_id: int, names: Mapping[int, str]) -> tuple[Happening, ...]:
    rows = session.scalars(select(RunEvent).where(RunEvent.run_id == run_id).order_by(RunEvent.id))
    return tuple(
        Happening(row.at, row.kind, row.sentence, None if row.account_id is None else names.get(row.account_id))
        for row in rows
    )


def _fired(session: Session, run_id: int) -> tuple[Fired, ...]:
    rows = session.scalars(select(RiskEvent).where(RiskEvent.run_id == run_id).order_by(RiskEvent.id))
    return tuple(Fired(row.at, row.rule, row.threshold, row.value, row.prices, row.action, row.place) for row in rows)
