"""Exits of a run that may be sent again at one's own risk: a line for each leg in each account, with what is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.domain import wording
from app.domain.contracts import ContractKey
from app.domain.orders import IntentState, Purpose
from app.domain.stuck_exits import MAY_SEND_AGAIN, ExitOrder, Stuck, stuck
from app.services.exit_watch import age_s
from app.services.run_board import CellView
from app.trading.run_rows import IntentRow, RunRows
from app.web.desk import Desk

_KNOWN = {
    Stuck.UNKNOWN: ("Unknown", "Nobody can say whether it stands at the broker. Its books are read until they tell."),
    Stuck.PARKED: (
        "Held for approval",
        (
            "Its gateway sent nothing to the broker. Approve or reject it there, in the action centre, and switch the "
            "gateway back to auto, or the next one is held as well."
        ),
    ),
    Stuck.UNSEEN: (
        "Not in a book",
        "The broker acknowledged it, and none of its books that were read since shows it. Look for it there.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownExit:
    """`lots` and `units` are of the orders that nobody can say anything of; `age_s` since the oldest was sent.

    `word` and `known` say what is known of them, short and as sentences; `risk` what a second order may do.
    """

    account_id: int
    account: str
    leg: int
    side: str
    contract: str
    lots: int
    units: int
    age_s: float
    word: str
    known: str
    risk: str


def unknown_exits_of(desk: Desk, rows: RunRows, labels: Mapping[ContractKey, str]) -> list[UnknownExit]:
    """Those that may be sent again: stuck, and not sent again before. In the order of the matrix."""
    now = desk.clock.now()
    found: dict[int, list[tuple[IntentRow, Stuck]]] = {}
    for intent in rows.intents:
        if intent.purpose == Purpose.EXIT and not intent.set_aside and (how := _stuck(intent, now)) in MAY_SEND_AGAIN:
            found.setdefault(intent.execution_id, []).append((intent, how))
    names = {account.account_id: account.name for account in rows.view.accounts}
    return [
        _line(cell, found[cell.execution_id], names[cell.account_id], labels[cell.contract.key], now)
        for cell in rows.view.cells
        if cell.execution_id in found
    ]


def _stuck(intent: IntentRow, now: datetime) -> Stuck | None:
    since = intent.sent_at or intent.created_at
    return stuck(ExitOrder(IntentState(intent.state), age_s(now, since), intent.listed))


def _line(
    cell: CellView, found: list[tuple[IntentRow, Stuck]], account: str, contract: str, now: datetime
) -> UnknownExit:
    intents = [intent for intent, _ in found]
    units = sum(intent.units for intent in intents)
    side = intents[0].side
    oldest = min(intent.sent_at or intent.created_at for intent in intents)
    size = wording.lots(units, cell.contract.lot_size)
    bought, left = ("bought", "long") if side == "BUY" else ("sold", "short")
    words = [_KNOWN[how] for how in dict.fromkeys(how for _, how in found)]
    return UnknownExit(
        account_id=cell.account_id,
        account=account,
        leg=cell.leg,
        side=side,
        contract=contract,
        lots=units // cell.contract.lot_size,
        units=units,
        age_s=(now - oldest).total_seconds(),
        word=", ".join(word for word, _ in words),
        known=" ".join(known for _, known in words),
        risk=f"If the first order fills after all, {size} {contract} are {bought} twice: {account} is "
        f"then {left}, takes no more entries, and you close that by hand.",
    )
