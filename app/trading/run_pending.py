"""What of a run rests at a typed price, one line for each leg in each account, with what may be asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.domain.contracts import ContractKey, PriceType
from app.domain.orders import OPEN, IntentState, Purpose
from app.domain.pnl import MARK_MAX_AGE_S
from app.services.run_board import CellView
from app.trading.run_rows import IntentRow, RunRows
from app.web.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """`units` are those that have not filled. `limit` and `trigger` are None where the price type has none.

    `asked` are the prices that the broker's book does not show yet, `wish` what was asked of the rest, CANCEL or
    MARKET; None for nothing. `ltp` None: too old to be called the price.
    """

    account_id: int
    account: str
    leg: int
    side: str
    contract: str
    price_type: str
    limit: Decimal | None
    trigger: Decimal | None
    lots: int
    units: int
    ltp: Decimal | None
    asked: str | None
    wish: str | None
    at_broker: bool


def pending_of(desk: Desk, rows: RunRows, labels: Mapping[ContractKey, str]) -> list[Pending]:
    """In the order of the matrix."""
    resting: dict[int, list[IntentRow]] = {}
    for intent in rows.intents:
        if _rests(intent):
            resting.setdefault(intent.execution_id, []).append(intent)
    names = {account.account_id: account.name for account in rows.view.accounts}
    return [
        _line(desk, cell, resting[cell.execution_id], names[cell.account_id], labels)
        for cell in rows.view.cells
        if cell.execution_id in resting and cell.exit_wanted is None
    ]


def _rests(intent: IntentRow) -> bool:
    is_typed = intent.price_type != PriceType.MARKET
    return intent.purpose == Purpose.ENTRY and is_typed and IntentState(intent.state) in OPEN


def _line(
    desk: Desk, cell: CellView, intents: list[IntentRow], account: str, labels: Mapping[ContractKey, str]
) -> Pending:
    first = intents[0]
    mark = desk.run_board.mark(cell.contract.key)
    units = sum(intent.units - intent.filled for intent in intents)
    return Pending(
        account_id=cell.account_id,
        account=account,
        leg=cell.leg,
        side=cell.side.value,
        contract=labels[cell.contract.key],
        price_type=first.price_type,
        limit=None if first.price_type == PriceType.SLM else first.limit,
        trigger=first.trigger,
        lots=units // cell.contract.lot_size,
        units=units,
        ltp=mark.value if mark is not None and mark.age_s <= MARK_MAX_AGE_S else None,
        asked=next((intent.asked for intent in intents if intent.asked), None),
        wish=next((intent.wish for intent in intents if intent.wish), None),
        at_broker=any(intent.state == IntentState.WORKING for intent in intents),
    )
