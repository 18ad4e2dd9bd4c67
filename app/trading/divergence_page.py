"""The divergence board of a run: what each account's entries cost it against the median, the dearest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.divergence import Deviation, Entered, divergence, medians
from app.domain.money import ZERO
from app.domain.plan import Mode
from app.services.run_board import CellView
from app.trading.run_rows import FillLine, read_run
from app.web.contract_names import contract_labels
from app.web.desk import Desk
from app.web.modes import mode_called
from app.web.run_words import run_state


@dataclass(frozen=True, slots=True)
class LegHead:
    """`median` is None while no account has filled any of it."""

    number: int
    side: str
    contract: str
    median: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An account. `cells` has one for each leg, None where it has no part. `cost` is None while nothing was filled."""

    id: int
    name: str
    mode: str
    cells: list[Deviation | None]
    cost: Decimal | None
    short_lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What docs/view-models.md calls `board`. `spread` is between the dearest and the cheapest account, None below two
    with a fill.
    """

    id: int
    name: str
    state: str
    legs: list[LegHead]
    lines: list[Line]
    spread: Decimal | None
    short_accounts: int


def divergence_page(desk: Desk, run_id: int) -> dict[str, object]:
    """The caller has made sure that the viewer may look."""
    rows = read_run(desk, run_id)
    view = rows.view
    entries = _entered(view.cells, rows.fills)
    found, middle = divergence(entries), medians(entries)
    labels = contract_labels(cell.contract for cell in view.cells)
    legs = {cell.leg: cell for cell in reversed(view.cells)}
    numbers = sorted(legs)
    lines = [
        _line(account.account_id, account.name, mode_called(rows.brokers[account.account_id], Mode(account.mode)),
              {cell.leg: cell for cell in account.cells}, numbers, found)
        for account in view.accounts
    ]  # fmt: skip
    costs = [line.cost for line in lines if line.cost is not None]
    board = Board(
        id=view.run_id,
        name=view.name,
        state=run_state(view.state),
        legs=[
            LegHead(number, legs[number].side.value, labels[legs[number].contract.key], middle.get(number))
            for number in numbers
        ],
        lines=sorted(lines, key=lambda line: (line.cost is not None, -(line.cost or ZERO), line.name)),
        spread=max(costs) - min(costs) if len(costs) > 1 else None,
        short_accounts=sum(1 for line in lines if line.short_lots),
    )
    return {"board": board}


def _line(
    account_id: int,
    name: str,
    mode: str,
    cells: Mapping[int, CellView],
    numbers: list[int],
    found: Mapping[tuple[int, int], Deviation],
) -> Line:
    parts = [found[account_id, number] if number in cells else None for number in numbers]
    costs = [part.cost for part in parts if part is not None and part.cost is not None]
    short = sum(found[account_id, number].short // cell.contract.lot_size for number, cell in cells.items())
    return Line(
        id=account_id, name=name, mode=mode, cells=parts, cost=sum(costs, ZERO) if costs else None, short_lots=short
    )


def _entered(cells: tuple[CellView, ...], fills: tuple[FillLine, ...]) -> list[Entered]:
    """Fills on a leg's own side are its entry: what leaves is on the other."""
    by_cell: dict[int, list[FillLine]] = {}
    for fill in fills:
        by_cell.setdefault(fill.execution_id, []).append(fill)
    return [_of_cell(cell, by_cell.get(cell.execution_id, ())) for cell in cells]


def _of_cell(cell: CellView, both: Iterable[FillLine]) -> Entered:
    return Entered(
        account_id=cell.account_id,
        leg=cell.leg,
        side=cell.side,
        wanted=cell.units,
        units=cell.entered,
        average=cell.average,
        last_at=max((fill.at for fill in both if fill.side == cell.side), default=None),
    )
