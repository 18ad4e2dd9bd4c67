"""One broker account behind one gateway: its mode, its session, and the order and book calls the wire makes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from simulator.faults import FaultBoard
from simulator.holdings import FundsView, HoldingView, MarginLeg, MarginView, PositionView
from simulator.orders import (
    Accepted,
    CancelAllReply,
    CloseAllReply,
    Fill,
    ModifyRequest,
    OrderReply,
    OrderRequest,
    OrderView,
)

OrderListener = Callable[[OrderView], None]


class SimAccount:
    """An account. Methods follow the account's present mode: live goes to the broker, analyze to the sandbox."""

    broker = "simulator"

    def __init__(self, number: int, name: str, api_key: str, faults: FaultBoard) -> None:
        """A live account with nothing in it."""
        self.number = number
        self.name = name
        self.user_id = f"trader{number}"
        self.api_key = api_key
        self.analyze_mode = False
        self.session_ok = True
        """False: the gateway is logged out of its broker (403 everywhere a session is needed)."""
        self.token_ok = True
        """False: the broker's token has died though the gateway does not know."""
        self.token_generation = 1
        """Counts logins with a new token; streams opened under an older one are dead."""
        self._faults = faults
        self._listeners: list[OrderListener] = []
        self._count = 0

    def place(self, request: OrderRequest) -> OrderReply:
        """Place an order. See the reply types: an Unanswered reply means cut the connection."""
        self._count += 1
        return Accepted(f"26112319{self._count:07d}")

    def modify(self, request: ModifyRequest) -> OrderReply:
        """Change a working order."""
        return Accepted(request.orderid)

    def cancel(self, orderid: str) -> OrderReply:
        """Cancel a working order."""
        return Accepted(orderid)

    def cancel_all(self) -> CancelAllReply:
        """Cancel every working order the gateway would (analyze leaves trigger-pending ones)."""
        return CancelAllReply((), ())

    def close_positions(self) -> CloseAllReply:
        """Send an opposite market order for every open position; fills are not awaited."""
        return CloseAllReply(0, 0)

    def place_foreign(self, request: OrderRequest) -> OrderReply:
        """An order typed at the broker's own screen: always live, no faults, no gateway."""
        return self.place(request)

    def orders(self) -> list[OrderView]:
        """Today's orders, live oldest first, analyze newest first, faults applied."""
        return []

    def order(self, orderid: str) -> OrderView | None:
        """One order as the order book shows it now, faults applied; None when the book does not show it."""
        return next((row for row in self.orders() if row.orderid == orderid), None)

    def trades(self) -> list[Fill]:
        """Today's fills, live oldest first, analyze newest first, faults applied."""
        return []

    def positions(self) -> list[PositionView]:
        """Net positions, closed ones of today included with units 0, faults applied."""
        return []

    def holdings(self) -> list[HoldingView]:
        """Delivery holdings."""
        return []

    def funds(self) -> FundsView:
        """Cash, margins and gains."""
        zero = Decimal(0)
        return FundsView(
            Decimal(5_000_000), zero, zero, zero, zero, zero, zero, datetime(2026, 11, 23, 3, 45, tzinfo=UTC), 0
        )

    def margin(self, legs: list[MarginLeg]) -> MarginView | None:
        """Margin of the basket; unknown symbols are dropped silently, None when nothing is left. Always the broker's."""
        return MarginView(Decimal(175_551), Decimal(143_042), Decimal(32_509)) if legs else None

    def set_mode(self, *, analyze: bool) -> None:
        """Switch between live and analyze."""
        self.analyze_mode = analyze

    def log_out(self) -> None:
        """Somebody logs the gateway out of its broker."""
        self.session_ok = False

    def log_in(self, *, new_token: bool = True) -> None:
        """A fresh login at the broker; with a new token existing streams fall silent."""
        self.session_ok = self.token_ok = True
        self.token_generation += int(new_token)

    def kill_token(self) -> None:
        """The broker's token dies."""
        self.token_ok = False

    def on_order_update(self, listener: OrderListener) -> Callable[[], None]:
        """Call `listener` with each new state of an order, as it happens; returns what stops it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def truth(self) -> list[OrderView]:
        """Every live order ever accepted for this account, untouched by faults, oldest first."""
        return [replace(row) for row in self.orders()]

    def truth_fills(self) -> list[Fill]:
        """Every live fill ever, untouched by faults, oldest first."""
        return []
