"""The page of a run: money, matrix, rules, orders, events, and what an exit would do."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from app.domain.contracts import ContractKey
from app.domain.orders import IntentState
from app.domain.pnl import RunPnl
from app.services.run_board import CellView
from app.trading.consequences import Consequence, Standing, can_leave, stoppable
from app.trading.reach import out_of_reach, reach_note, unknown_note
from app.trading.run_account_limits import account_limits_of
from app.trading.run_events import EventView, events_of
from app.trading.run_leg_rules import leg_rules_of
from app.trading.run_matrix import Account, Leg, accounts_of, legs_of
from app.trading.run_notes import Note, notes_of
from app.trading.run_pending import Pending, pending_of
from app.trading.run_rows import IntentRow, RunRows, read_run
from app.trading.run_ruled import Ruled, ruled_of
from app.trading.run_rules import Rule, rules_of
from app.trading.run_trend import trend_of
from app.trading.run_unknown import UnknownExit, unknown_exits_of
from app.web.contract_names import contract_labels
from app.web.desk import Desk
from app.web.market_time import market_now, on_page
from app.web.modes import joint_mode
from app.web.owners import owners_of
from app.web.run_cost import RunCost, cost_of
from app.web.run_curve import Curve, curve_of
from app.web.run_events import with_names
from app.web.run_words import run_state
from app.web.signed_in import SignedIn

OVER = frozenset({"CLOSED", "REFUSED"})
TOLD = frozenset({"REFUSED", "ATTENTION", "EXITING"})
"""States whose reason is still true: it says why nothing was sent, or what keeps the run from going on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One slice. `filled_units` is None while its outcome is unknown and no fill has been seen."""

    at: datetime | str
    account: str
    side: str
    contract: str
    purpose: str
    lots: int
    units: int
    filled_units: int | None
    price: Decimal | None
    price_type: str
    average: Decimal | None
    state: str
    broker_id: str | None
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """What docs/view-models.md calls `run`. Rupees are gross; None where a price is missing, never 0.

    `owner` is None for the viewer's own run; `lots` are those of the plan, `held_lots` those that our fills leave now.
    """

    id: int
    strategy_id: int | None
    strategy_name: str
    owner: str | None
    state: str
    reason: str | None
    reach_note: tuple[str, str] | None
    unknown_note: str
    mode: str | None
    underlying: str
    expiry: date | None
    started_at: datetime | None
    ended_at: datetime | None
    as_of: datetime | None
    mtm: Decimal | None
    realised: Decimal
    unrealised: Decimal | None
    cost: RunCost
    marks: str
    marks_note: str | None
    lots: int
    units: int
    held_lots: int
    held_units: int
    accounts_total: int
    accounts_ok: int
    unknown_count: int
    can_exit: bool
    exit: Consequence
    legs: list[Leg]
    accounts: list[Account]
    notes: list[Note]
    pending: list[Pending]
    unknown_exits: list[UnknownExit]
    rules: list[Rule]
    ruled: Ruled | None
    orders: list[OrderLine]
    events: list[EventView]
    curve: Curve | None


def run_page(desk: Desk, viewer: SignedIn, run_id: int) -> dict[str, object]:
    """The context of the page and of its fragment. The caller has made sure that the viewer may look."""
    rows = read_run(desk, run_id)
    view = rows.view
    labels = contract_labels(cell.contract for cell in view.cells)
    names = {key.symbol: label for key, label in labels.items()}
    away = out_of_reach(desk, view.accounts)
    standing = Standing(view.accounts, stoppable(rows.intents), labels, away)
    may_exit = view.state not in OVER  # whoever may look may get out: the owner, and an admin
    known = {account.id: account for account in desk.accounts.shown_to(viewer)}
    accounts = accounts_of(desk, view, standing, known, rows.brokers, may_exit=may_exit)
    pnl = desk.run_board.pnl(view)
    page = RunPage(
        id=view.run_id,
        strategy_id=view.strategy_id,
        strategy_name=view.name,
        state=run_state(view.state),
        owner=None if view.user_id == viewer.id else owners_of(desk, {view.user_id})[view.user_id],
        reason=None if view.reason is None or view.state not in TOLD else with_names(view.reason, names),
        reach_note=reach_note(view.accounts, away) if may_exit else None,
        unknown_note=unknown_note(view.accounts, away),
        mode=joint_mode(account.mode for account in accounts),
        underlying=" + ".join(dict.fromkeys(cell.contract.underlying for cell in view.cells)),
        expiry=min((cell.contract.expiry for cell in view.cells), default=None),
        started_at=view.started_at,
        ended_at=view.closed_at,
        as_of=market_now(desk),
        mtm=pnl.total,
        realised=pnl.realised,
        unrealised=pnl.unrealised,
        cost=cost_of(desk, run_id, pnl.total),
        marks="fresh" if pnl.is_complete else "incomplete",
        marks_note=_marks_note(desk, pnl, labels),
        lots=sum(cell.lots for cell in view.cells),
        units=sum(cell.units for cell in view.cells),
        held_lots=sum(abs(cell.net) // cell.contract.lot_size for cell in view.cells),
        held_units=sum(abs(cell.net) for cell in view.cells),
        accounts_total=len(accounts),
        accounts_ok=sum(1 for account in accounts if account.state == "in_sync"),
        unknown_count=sum(1 for intent in rows.intents if intent.state == IntentState.UNKNOWN),
        can_exit=may_exit and (view.state == "REQUESTED" or any(can_leave(cell) for cell in view.cells)),
        exit=standing.consequence(lambda _: True),
        legs=legs_of(desk, view, standing, may_exit=may_exit),
        accounts=accounts,
        notes=notes_of(view, labels),
        pending=pending_of(desk, rows, labels) if may_exit else [],
        unknown_exits=unknown_exits_of(desk, rows, labels) if may_exit else [],
        rules=_rules(desk, rows, pnl),
        ruled=ruled_of(desk, view),
        orders=_orders(desk, rows, labels),
        events=events_of(rows, labels),
        curve=curve_of(desk, run_id),
    )
    return {"run": page}


def _rules(desk: Desk, rows: RunRows, pnl: RunPnl) -> list[Rule]:
    view = rows.view
    leaving = desk.square_off.when(view) if view.state not in OVER else ()
    return [
        *rules_of(view, pnl, rows.fired, leaving, desk.peaks.floors(view)),
        *account_limits_of(desk.run_board, desk.peaks, view, rows.fired),
        *leg_rules_of(desk.run_board, view, rows.fired),
        *trend_of(desk.supertrend, desk.candles, view, rows.fired),
    ]


def _marks_note(desk: Desk, pnl: RunPnl, labels: dict[ContractKey, str]) -> str | None:
    if pnl.is_complete:
        return None
    missing = ", ".join(_missing(desk, key, labels) for key in pnl.missing)
    return f"{missing}. Targets wait; max loss judges the worst case."


def _missing(desk: Desk, key: ContractKey, labels: dict[ContractKey, str]) -> str:
    mark = desk.run_board.mark(key)
    if mark is None:
        return f"{labels[key]} has had no price yet"
    return f"{labels[key]} has had no confirmed price for {int(mark.age_s)} s"


def _orders(desk: Desk, rows: RunRows, labels: dict[ContractKey, str]) -> list[OrderLine]:
    """Newest first, above them those that nobody can say anything of."""
    cells = {cell.execution_id: cell for cell in rows.view.cells}
    names = {account.account_id: account.name for account in rows.view.accounts}
    in_order = sorted(rows.intents, key=lambda intent: (intent.state != IntentState.UNKNOWN, -intent.id))
    return [
        _order(intent, cells[intent.execution_id], names[intent.account_id], labels, on_page(desk, intent.at))
        for intent in in_order
        if intent.execution_id in cells  # written after the view was read: on the next look
    ]


def _order(
    intent: IntentRow, cell: CellView, account: str, labels: dict[ContractKey, str], at: datetime | str
) -> OrderLine:
    unknown = intent.state == IntentState.UNKNOWN and intent.filled == 0
    return OrderLine(
        at=at,
        account=account,
        side=intent.side,
        contract=labels[cell.contract.key],
        purpose=intent.purpose,
        lots=intent.units // cell.contract.lot_size,
        units=intent.units,
        filled_units=None if unknown else intent.filled,
        price=intent.limit,
        price_type=intent.price_type,
        average=intent.average,
        state=intent.state,
        broker_id=intent.order_id,
        message=None if intent.reason is None else with_names(intent.reason, {}),
    )
