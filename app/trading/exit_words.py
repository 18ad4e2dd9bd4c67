"""What an exit would do, counted and put in words before anybody confirms it."""

from collections.abc import Mapping, Sequence

from app.domain.contracts import ContractKey
from app.domain.wording import lots as lots_words
from app.services.run_board import AccountView, CellView
from app.trading.run_views import ExitView, LineView


def consequence(accounts: Sequence[AccountView], labels: Mapping[ContractKey, str], leg: int | None = None) -> ExitView:
    """Of an exit from these accounts, of one leg or of all. What is leaving already counts no second time."""
    cancels = closes = lots = units = touched = 0
    lines: list[LineView] = []
    for account in accounts:
        cells = [cell for cell in account.cells if leg in {None, cell.leg} and cell.exit_wanted is None]
        held = [cell for cell in cells if cell.net]
        waiting = sum(cell.open_orders for cell in cells)
        if not held and not waiting:
            continue
        touched += 1
        cancels += waiting
        closes += len(held)
        lots += sum(abs(cell.net) // cell.contract.lot_size for cell in held)
        units += sum(abs(cell.net) for cell in held)
        lines.append(LineView(account.name, _line(held, waiting, labels)))
    return ExitView(cancels, closes, touched, lots, units, lines, _warnings(accounts, leg))


def _line(held: Sequence[CellView], waiting: int, labels: Mapping[ContractKey, str]) -> str:
    parts = [f"cancel {waiting} open {'order' if waiting == 1 else 'orders'}"] if waiting else []
    for cell in sorted(held, key=lambda one: one.net):  # shorts first, as they are sent
        verb = "buy" if cell.net < 0 else "sell"
        parts.append(f"{verb} {lots_words(abs(cell.net), cell.contract.lot_size)} {labels[cell.contract.key]}")
    return ", ".join(parts)


def _warnings(accounts: Sequence[AccountView], leg: int | None) -> list[str]:
    warnings = []
    cells = [cell for account in accounts for cell in account.cells]
    if any(cell.unknown for cell in cells if leg in {None, cell.leg}):
        warnings.append("An order here is unknown. Its leg is closed once the broker's books say what became of it.")
    if leg is not None and _bares_shorts(accounts, leg):
        warnings.append("This leg is the hedge of a short that stays open. Exit the whole account to close both.")
    return warnings


def _bares_shorts(accounts: Sequence[AccountView], leg: int) -> bool:
    """True when a long goes and a short of the same account, index and type stays."""
    for account in accounts:
        going = [cell for cell in account.cells if cell.leg == leg and cell.net > 0]
        for long in going:
            for cell in account.cells:
                same = cell.contract.underlying == long.contract.underlying and cell.contract.kind is long.contract.kind
                if same and cell.net < 0 and cell.exit_wanted is None:
                    return True
    return False
