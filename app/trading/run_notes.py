"""What stands in words below the matrix of a run: one line for each thing that went wrong, not for each cell."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.contracts import ContractKey
from app.services.run_board import RunView
from app.trading.run_matrix import note_of, state_of
from app.web.run_events import with_names

QUIET = frozenset({"filled", "flat", "waiting", "sending", "working", "pending", "skipped"})
"""States in which a cell speaks for itself, whatever was said of it before."""


@dataclass(frozen=True, slots=True)
class Note:
    """`about` names the account and its legs."""

    state: str
    about: str
    text: str


def notes_of(view: RunView, labels: Mapping[ContractKey, str]) -> list[Note]:
    """Of the cells in trouble; cells of an account of which the same is said share a line."""
    legs: dict[tuple[str, str, str], list[str]] = {}
    for account in view.accounts:
        for cell in account.cells:
            text, state = note_of(cell), state_of(cell)
            if text and state not in QUIET:
                legs.setdefault((account.name, state, with_names(text, {})), []).append(labels[cell.contract.key])
    return [Note(state, f"{name}, {' and '.join(names)}", text) for (name, state, text), names in legs.items()]
