"""Books as the faults on the board show them; the truth underneath is untouched."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from simulator.faults import FaultBoard
from simulator.holdings import PositionView
from simulator.orders import ZERO, Fill, OrderView

Row = TypeVar("Row")


class BookFaults:
    """Asks the board on behalf of one account; `endpoint` is the book's own."""

    def __init__(self, number: int, board: FaultBoard, randomness: random.Random) -> None:
        """`randomness` shuffles books and nothing else."""
        self._number = number
        self._board = board
        self._random = randomness

    def age_s(self, endpoint: str) -> float:
        """How many real seconds old this book is."""
        stale = self._board.match("stale_books", self._number, endpoint)
        return 0.0 if stale is None else float(stale.parameters["seconds"])

    def orders(self, rows: Sequence[OrderView]) -> list[OrderView]:
        """The order book, oldest first."""
        shown = list(rows)
        if self._hit("status_bleed", "orderbook"):
            shown = _bled(shown)
        word = self._board.match("unmapped_status", self._number, "orderbook")
        if word is not None:
            shown = [replace(row, status=word.parameters["word"]) if _working(row) else row for row in shown]
        if self._hit("symbol_null", "orderbook"):
            shown = [replace(row, symbol=None) for row in shown]
        return self._listed(shown, "orderbook")

    def trades(self, rows: Sequence[Fill]) -> list[Fill]:
        """The trade book, oldest first."""
        shown = list(rows)
        if self._hit("avg_zero", "tradebook"):
            shown = [replace(row, price=ZERO) for row in shown]
        return self._listed(shown, "tradebook")

    def positions(self, rows: Sequence[PositionView]) -> list[PositionView]:
        """The position book."""
        shown = list(rows)
        changes: tuple[tuple[str, Callable[[PositionView], PositionView]], ...] = (
            ("avg_zero", lambda row: replace(row, average_price=ZERO)),
            ("missing_ltp_pnl", lambda row: replace(row, ltp=None)),
        )
        for name, change in changes:
            if self._hit(name, "positionbook"):
                shown = [change(row) for row in shown]
        return self._listed(shown, "positionbook")

    def _listed(self, rows: list[Row], endpoint: str) -> list[Row]:
        """Which rows are there and in what order."""
        if self._hit("book_empty", endpoint):
            return []
        if rows and self._hit("book_omits_row", endpoint):
            rows = rows[:-1]
        if self._hit("reordered_books", endpoint):
            rows = self._random.sample(rows, len(rows))
        return rows

    def _hit(self, name: str, endpoint: str) -> bool:
        return self._board.match(name, self._number, endpoint) is not None


def _bled(rows: list[OrderView]) -> list[OrderView]:
    """Working orders as a mapper shows them that knows no word for their state and keeps the one of the row above."""
    shown: list[OrderView] = []
    for row in rows:
        shown.append(replace(row, status=shown[-1].status) if shown and _working(row) else row)
    return shown


def _working(row: OrderView) -> bool:
    return row.status in {"open", "trigger pending"}
