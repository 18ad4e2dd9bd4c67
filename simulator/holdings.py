"""Views of what an account owns and owes: positions, holdings, funds, margins. Money is Decimal rupees."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from simulator.orders import Action, Product


@dataclass(frozen=True, slots=True)
class PositionView:
    """A net position; `units` is positive long, negative short, 0 closed today.

    `average_price` is zero when closed. `unrealised` and `realised_today` are rupees, gains positive.
    `ltp` is None only under the fault missing_ltp_pnl.
    """

    symbol: str
    exchange: str
    product: Product
    units: int
    average_price: Decimal
    ltp: Decimal | None
    unrealised: Decimal
    realised_today: Decimal

    @property
    def pnl(self) -> Decimal:
        """Today's total, rupees."""
        return self.unrealised + self.realised_today


@dataclass(frozen=True, slots=True)
class HoldingView:
    """Delivery shares carried in from earlier days."""

    symbol: str
    exchange: str
    units: int
    average_price: Decimal
    ltp: Decimal

    @property
    def pnl(self) -> Decimal:
        """Rupees against the average price."""
        return (self.ltp - self.average_price) * self.units


@dataclass(frozen=True, slots=True)
class FundsView:
    """Money of an account. Live replies use the first five; analyze replies use all.

    `cash` is what new orders may use; `used` the margin and premium blocked.
    """

    cash: Decimal
    collateral: Decimal
    realised: Decimal
    unrealised: Decimal
    used: Decimal
    total_realised: Decimal
    gross_exposure: Decimal
    last_reset: datetime
    reset_count: int


@dataclass(frozen=True, slots=True)
class MarginLeg:
    """One leg of a margin question."""

    symbol: str
    exchange: str
    action: Action
    units: int
    product: Product
    price: Decimal
    """Zero means at market."""


@dataclass(frozen=True, slots=True)
class MarginView:
    """Answer to a margin question, rupees. total = span + exposure + premium payable."""

    total: Decimal
    span: Decimal
    exposure: Decimal
