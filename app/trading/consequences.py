"""What an exit would do, worked out before anybody presses it: cancels, closes, and what to know about it first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.domain import wording
from app.domain.contracts import ContractKey
from app.domain.orders import IntentState, Purpose
from app.services.run_board import AccountView, CellView
from app.trading.reach import exit_warning
from app.trading.run_rows import IntentRow

CANCELLABLE = frozenset({IntentState.READY, IntentState.SENDING, IntentState.WORKING})
"""States of an entry that an exit stops. Those of unknown outcome are settled from the books first."""


@dataclass(frozen=True, slots=True)
class Line:
    account: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """`accounts` counts those in which something happens; `units` are unsigned, `lots` whole ones of them.

    `naked` names the shorts that would stay without their hedge.
    """

    cancels: int
    closes: int
    accounts: int
    lots: int
    units: int
    lines: list[Line]
    warnings: list[str]
    naked: list[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """A run as it stands: its accounts, the entries that an exit would stop by execution, names of contracts, and why
    an account takes no orders now by its id.
    """

    accounts: Sequence[AccountView]
    stoppable: Mapping[int, int]
    labels: Mapping[ContractKey, str]
    out_of_reach: Mapping[int, str]

    def consequence(self, is_meant: Callable[[CellView], bool]) -> Consequence:
        """What getting out of these cells means. Those that are on their way out already are not counted again."""
        parts = [(account, [c for c in account.cells if is_meant(c) and can_leave(c)]) for account in self.accounts]
        parts = [(account, cells) for account, cells in parts if cells]
        every = [cell for _, cells in parts for cell in cells]
        held = [cell for cell in every if cell.net]
        return Consequence(
            cancels=sum(self._stops(cell) for cell in every),
            closes=len(held),
            accounts=len(parts),
            lots=sum(abs(cell.net) // cell.contract.lot_size for cell in held),
            units=sum(abs(cell.net) for cell in held),
            lines=[Line(account.name, self._line(cells)) for account, cells in parts],
            warnings=[*self._away(parts), *self._unknown(parts), *self._naked_warnings(parts)],
            naked=list(dict.fromkeys(short for _, short in self._naked(parts))),
        )

    def _stops(self, cell: CellView) -> int:
        return self.stoppable.get(cell.execution_id, 0)

    def _line(self, cells: Sequence[CellView]) -> str:
        """Shorts are closed first, so they are said first."""
        closing = sorted((cell for cell in cells if cell.net), key=lambda cell: cell.net > 0)
        words = [
            f"{'buys' if cell.net < 0 else 'sells'} {wording.lots(abs(cell.net), cell.contract.lot_size)} "
            f"{self.labels[cell.contract.key]}"
            for cell in closing
        ]
        stops = sum(self._stops(cell) for cell in cells)
        if stops:
            words.append(f"cancels {stops} {'order' if stops == 1 else 'orders'}")
        return ", ".join(words) or "waits until its orders are settled"

    def _away(self, parts: Sequence[tuple[AccountView, list[CellView]]]) -> list[str]:
        warning = exit_warning([account for account, _ in parts], self.out_of_reach)
        return [] if warning is None else [warning]

    def _unknown(self, parts: Sequence[tuple[AccountView, list[CellView]]]) -> list[str]:
        return [
            f"{account.name} has an order whose outcome is unknown: it is settled from the broker's books before "
            "that position is closed."
            for account, cells in parts
            if any(cell.unknown for cell in cells)
        ]

    def _naked_warnings(self, parts: Sequence[tuple[AccountView, list[CellView]]]) -> list[str]:
        """One sentence for each pair, however many accounts it is true of."""
        return [
            f"{hedge} is the hedge of {short}: closing it alone leaves {short} naked. Take it along, or exit it first."
            for hedge, short in self._naked(parts)
        ]

    def _naked(self, parts: Sequence[tuple[AccountView, list[CellView]]]) -> list[tuple[str, str]]:
        """Longs that go while a short of their kind stays, by name."""
        found: dict[tuple[str, str], None] = {}
        for account, cells in parts:
            staying = [cell for cell in account.cells if cell not in cells and cell.net < 0 and not cell.exit_wanted]
            for going in (cell for cell in cells if cell.net > 0):
                for short in staying:
                    if _covers(going, short):
                        found[self.labels[going.contract.key], self.labels[short.contract.key]] = None
        return list(found)


def can_leave(cell: CellView) -> bool:
    """Something is held or may come to be, and nobody has asked to get out of it yet."""
    return cell.exit_wanted is None and bool(cell.net or cell.open_orders)


def stoppable(intents: Sequence[IntentRow]) -> dict[int, int]:
    """How many entries of each execution an exit would stop."""
    counts: dict[int, int] = {}
    for intent in intents:
        if intent.purpose == Purpose.ENTRY and intent.state in CANCELLABLE:
            counts[intent.execution_id] = counts.get(intent.execution_id, 0) + 1
    return counts


def _covers(long: CellView, short: CellView) -> bool:
    return (long.contract.underlying, long.contract.kind) == (short.contract.underlying, short.contract.kind)
