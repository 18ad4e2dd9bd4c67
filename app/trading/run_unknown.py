"""Exits of a run whose outcome nobody can say, one line for each leg in each account, with what sending again risks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.domain import wording
from app.domain.alarms import UNKNOWN_ALARM_S
from app.domain.contracts import ContractKey
from app.domain.orders import IntentState, Purpose
from app.services.run_board import CellView
from app.trading.run_rows import IntentRow, RunRows
from app.web.desk import Desk

_UNKNOWN = frozenset({IntentState.UNKNOWN.value, IntentState.SENDING.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownExit:
    """`lots` and `units` are of the orders that nobody can say anything of; `age_s` since the oldest was sent.

    `risk` is what a second order may do, as a sentence.
    """

    account_id: int
    account: str
    leg: int
    side: str
    contract: str
    lots: int
    units: int
    age_s: float
    risk: str


def unknown_exits_of(desk: Desk, rows: RunRows, labels: Mapping[ContractKey, str]) -> list[UnknownExit]:
    """Those that may be sent again: unknown long enough, and not sent again before. In the order of the matrix."""
    now = desk.clock.now()
    found: dict[int, list[IntentRow]] = {}
    for intent in rows.intents:
        waits = intent.purpose == Purpose.EXIT and intent.state in _UNKNOWN and not intent.set_aside
        if waits and intent.sent_at is not None and now - intent.sent_at >= timedelta(seconds=UNKNOWN_ALARM_S):
            found.setdefault(intent.execution_id, []).append(intent)
    names = {account.account_id: account.name for account in rows.view.accounts}
    return [
        _line(cell, found[cell.execution_id], names[cell.account_id], labels[cell.contract.key], desk)
        for cell in rows.view.cells
        if cell.execution_id in found
    ]


def _line(cell: CellView, intents: list[IntentRow], account: str, contract: str, desk: Desk) -> UnknownExit:
    units = sum(intent.units for intent in intents)
    side = intents[0].side
    oldest = min(intent.sent_at for intent in intents if intent.sent_at is not None)
    size = wording.lots(units, cell.contract.lot_size)
    bought, left = ("bought", "long") if side == "BUY" else ("sold", "short")
    return UnknownExit(
        account_id=cell.account_id,
        account=account,
        leg=cell.leg,
        side=side,
        contract=contract,
        lots=units // cell.contract.lot_size,
        units=units,
        age_s=(desk.clock.now() - oldest).total_seconds(),
        risk=f"If the first order stands at the broker after all, {size} {contract} are {bought} twice: {account} is "
        f"then {left}, takes no more entries, and you close that by hand.",
    )
