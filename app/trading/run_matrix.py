"""The matrix of a run: what each leg has become in each account."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.plan import Mode
from app.domain.pnl import MARK_MAX_AGE_S
from app.services.accounts import AccountRow
from app.services.run_board import AccountView, CellView, RunView
from app.trading.consequences import Consequence, Standing, can_leave
from app.web.account_words import reason_of, state_word
from app.web.desk import Desk
from app.web.modes import mode_called

_ENDED_EARLY = frozenset({"working", "cancelled", "rejected", "not_sent", "denied"})
"""States of the newest order beside which a part may be filled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """`ltp` is None when it is too old to be called the price. `id` is what an exit of this leg names."""

    id: int
    number: int
    side: str
    contract: str
    ltp: Decimal | None
    age_s: float | None
    can_exit: bool
    exit: Consequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """`filled_lots` and `filled_units` are of the entry, None while an outcome is unknown. `age_s` is on real time."""

    state: str
    filled_lots: int | None
    wanted_lots: int
    filled_units: int | None
    average: Decimal | None
    age_s: float | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`cells` has one for each leg, None where the account has no part in it. `mtm` None: a price is missing, or
    nobody knows what is held.
    """

    id: int
    name: str
    mode: str
    state: str
    reason: str | None
    mtm: Decimal | None
    can_exit: bool
    exit: Consequence
    cells: list[Cell | None]


def legs_of(desk: Desk, view: RunView, standing: Standing, *, may_exit: bool) -> list[Leg]:
    """One for each leg number, in order; its contract is the same in every account."""
    first = {cell.leg: cell for cell in reversed(view.cells)}
    return [_leg(desk, first[number], view, standing, may_exit=may_exit) for number in sorted(first)]


def accounts_of(
    desk: Desk,
    view: RunView,
    standing: Standing,
    known: Mapping[int, AccountRow],
    brokers: Mapping[int, str],
    *,
    may_exit: bool,
) -> list[Account]:
    """`known` are the accounts that still take part and may be seen; an archived one is not among them."""
    return [
        _account(
            desk,
            view,
            account,
            standing,
            row=known.get(account.account_id),
            broker=brokers[account.account_id],
            may_exit=may_exit,
        )
        for account in view.accounts
    ]


def _leg(desk: Desk, cell: CellView, view: RunView, standing: Standing, *, may_exit: bool) -> Leg:
    mark = desk.run_board.mark(cell.contract.key)
    fresh = mark is not None and mark.age_s <= MARK_MAX_AGE_S
    return Leg(
        id=cell.leg,
        number=cell.leg,
        side=cell.side.value,
        contract=standing.labels[cell.contract.key],
        ltp=mark.value if mark is not None and fresh else None,
        age_s=None if mark is None else mark.age_s,
        can_exit=may_exit and any(can_leave(one) for one in view.cells if one.leg == cell.leg),
        exit=standing.consequence(lambda one: one.leg == cell.leg),
    )


def _account(
    desk: Desk,
    view: RunView,
    account: AccountView,
    standing: Standing,
    *,
    row: AccountRow | None,
    broker: str,
    may_exit: bool,
) -> Account:
    health = desk.health.of(account.account_id)
    numbers = sorted({cell.leg for cell in view.cells})
    cells = {cell.leg: _cell(desk, cell) for cell in account.cells}
    return Account(
        id=account.account_id,
        name=account.name,
        mode=mode_called(broker, Mode(account.mode)),
        state="archived" if row is None else state_word(row, health),
        reason=None if row is None else reason_of(row, health, live_sending=desk.settings.live_sending),
        mtm=None if any(cell.unknown for cell in account.cells) else desk.run_board.pnl(view, account.account_id).total,
        can_exit=may_exit and any(can_leave(cell) for cell in account.cells),
        exit=standing.consequence(lambda cell: cell.account_id == account.account_id),
        cells=[cells.get(number) for number in numbers],
    )


def _cell(desk: Desk, cell: CellView) -> Cell:
    entry_unknown = cell.unknown and cell.entered < cell.units  # else it is the exit of which nobody knows
    age_s = None if cell.since is None else max(0.0, (desk.clock.now() - cell.since).total_seconds())
    return Cell(
        state=state_of(cell),
        filled_lots=None if entry_unknown else cell.entered // cell.contract.lot_size,
        wanted_lots=cell.lots,
        filled_units=None if entry_unknown else cell.entered,
        average=cell.average,
        age_s=age_s,
        note=note_of(cell),
    )


def state_of(cell: CellView) -> str:
    """The word for a cell; one that ended early with a part of its units is partly filled."""
    partly = 0 < cell.entered < cell.units
    return "partly_filled" if partly and cell.state in _ENDED_EARLY else cell.state


def note_of(cell: CellView) -> str | None:
    """What the broker or the desk said of its newest order, None when nothing."""
    if cell.unknown:
        said = f" {cell.note}" if cell.note else ""
        return f"Nobody knows yet whether this order stands. The books will tell; nothing is sent again.{said}"
    return cell.note  # why it leaves is told once, among the events
