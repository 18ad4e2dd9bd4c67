"""Foreign positions: how many units no fill of ours explains, when they may become a run, and when they are ignored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.contracts import Product, Side
from app.domain.errors import Denied

SETTLED_S = 15.0
"""How long after an order of ours has ended its broker's books may still lag behind it."""


class AdoptCode(StrEnum):
    """Why units are not adopted. Stable, as the codes of the gate are; see docs/reason-codes.md."""

    UNREAD = "ADOPT_UNREAD"
    ACCOUNT = "ADOPT_ACCOUNT"
    CONTRACT = "ADOPT_CONTRACT"
    PRODUCT = "ADOPT_PRODUCT"
    UNSETTLED = "ADOPT_UNSETTLED"
    NOT_FOREIGN = "ADOPT_NOT_FOREIGN"
    OPPOSITE = "ADOPT_OPPOSITE"
    ODD_LOT = "ADOPT_ODD_LOT"
    CHANGED = "ADOPT_CHANGED"
    NO_AVERAGE = "ADOPT_NO_AVERAGE"
    NO_PRICE = "ADOPT_NO_PRICE"
    SHORT_STAYS = "ADOPT_SHORT_STAYS"


class AverageFrom(StrEnum):
    """Who says at which average adopted units were opened.

    PRICE: nobody does. They count from the price at which the kill switch took them along.
    """

    BROKER = "broker"
    TYPED = "typed"
    PRICE = "price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands at one account, contract and product. Units are signed, + long.

    `average` is the broker's, of its whole net; None when it gives none. `ours` are the nets of our executions there by
    their own fills. `unsettled`: an order of ours there may still change it, or its trades are not all read.
    `settled_for_s` is how long ago the newest order of ours there ended; None when none did today. `traded`: units of
    ours changed hands there today, so that the broker's average is not of the foreign ones alone. `lot_size` is None
    for a contract that is not traded today or not by this desk.
    """

    contract: str
    product: str
    broker: int
    average: Decimal | None
    ours: Sequence[int]
    unsettled: bool
    settled_for_s: float | None
    traded: bool
    lot_size: int | None

    @property
    def foreign(self) -> int:
        """Signed units that the broker holds and no fill of ours explains; 0 where the broker holds less than we.

        Ours 65 long: a broker's 130 leaves 65 that are foreign, its 65 none, its 40 or -65 none either: what is missing
        or across zero is not somebody's position, it is trouble.
        """
        return foreign_units(sum(self.ours), self.broker)

    @property
    def known_average(self) -> Decimal | None:
        """The broker's average where it is that of the foreign units; None: nobody but their trader knows it."""
        if self.average is None or self.average <= 0 or self.traded or any(self.ours):
            return None
        return self.average


@dataclass(frozen=True, slots=True)
class Adoptable:
    """Signed units to adopt, and at which average."""

    units: int
    average: Decimal
    average_from: AverageFrom

    @property
    def side(self) -> Side:
        return Side.BUY if self.units > 0 else Side.SELL


def foreign_units(ours: int, broker: int) -> int:
    """Signed units of the broker's net that ours, of the same sign or flat, do not explain."""
    beyond = broker - ours
    same_sign = broker * beyond > 0 and broker * ours >= 0
    return beyond if same_sign else 0


def why_not(at: Standing) -> Denied | None:
    """Why nothing there can be adopted as things stand; None when its foreign units can."""
    product_known = at.product in set(Product)
    if not at.foreign:
        return _no(AdoptCode.NOT_FOREIGN, f"No unit of {at.contract} is foreign: our fills explain what is there.")
    if at.lot_size is None:
        words = f"{at.contract} is not in today's list of contracts that this desk trades, so it could not be closed."
        return _no(AdoptCode.CONTRACT, words)
    if not product_known:
        words = f"{at.product} is not a product this desk trades; it trades MIS and NRML."
        return _no(AdoptCode.PRODUCT, words)
    if at.unsettled or (at.settled_for_s is not None and at.settled_for_s < SETTLED_S):
        words = f"An order of this desk in {at.contract} is under way, or ended moments ago: the units may be its own."
        return _no(AdoptCode.UNSETTLED, words)
    if any(net * at.foreign < 0 for net in at.ours):
        words = f"A run of this desk holds {at.contract} the other way in this account; neither could be closed then."
        return _no(AdoptCode.OPPOSITE, words)
    if at.foreign % at.lot_size:
        words = f"{at.foreign:+d} units of {at.contract} are no whole lots of {at.lot_size}. Close the odd units there."
        return _no(AdoptCode.ODD_LOT, words)
    return None


def adopt(at: Standing, *, units: int, average: Decimal | None, price: Decimal | None = None) -> Adoptable:
    """What becomes ours. `units` and `average` are what was shown, or typed where the broker gives no average.

    `price` is what the contract trades at now: units that are left at once need no other average. All foreign units or
    none. Raises Denied: what was shown has to be what is there.
    """
    no = why_not(at)
    if no is not None:
        raise no
    if units != at.foreign:
        words = f"Shown were {units:+d} foreign units of {at.contract}; there are {at.foreign:+d} now. Look again."
        raise _no(AdoptCode.CHANGED, words)
    known = at.known_average
    if known is not None:
        if average is not None and average != known:
            words = f"The broker's average of {at.contract} is {known} now, not {average}. Look again."
            raise _no(AdoptCode.CHANGED, words)
        return Adoptable(units, known, AverageFrom.BROKER)
    if average is None and price is not None and price > 0:
        return Adoptable(units, price, AverageFrom.PRICE)
    if average is None or average <= 0:
        words = (
            f"The broker gives no average of the foreign units of {at.contract}: type the price they were opened at."
        )
        raise _no(AdoptCode.NO_AVERAGE, words)
    return Adoptable(units, average, AverageFrom.TYPED)


MAY_PASS = frozenset({AdoptCode.UNREAD, AdoptCode.UNSETTLED, AdoptCode.OPPOSITE, AdoptCode.NO_PRICE})
"""What stands in the way for a while: our own exits are under way, or books or a price were not read yet."""


def is_ignored(foreign: int, ignored: int | None) -> bool:
    """Whether somebody chose to live with exactly these units of this sign; any other number speaks up again."""
    return foreign != 0 and foreign == ignored


@dataclass(frozen=True, slots=True)
class ForeignOrder:
    """An order at the broker that is not ours. `units` are signed and filled."""

    order_id: str
    units: int


def brought_about(orders: Iterable[ForeignOrder]) -> tuple[str, ...]:
    """Ids of the orders since these orders last left nothing, in the order given, which is that of their time.

    Those before have closed each other. Where a position was carried in from before any of them, it is of no order.
    """
    net, ids = 0, list[str]()
    for order in orders:
        if not order.units:
            continue
        net += order.units
        ids = [*ids, order.order_id] if net else []
    return tuple(ids)


def _no(code: AdoptCode, sentence: str) -> Denied:
    return Denied(code.value, sentence)
