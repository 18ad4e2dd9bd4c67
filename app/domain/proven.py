"""Which price of a contract counts: one far from the last, or with none before it, only once it is borne out."""

import math
from dataclasses import dataclass
from decimal import Decimal

JUMP_RUPEES = Decimal(20)
JUMP = Decimal("0.40")
JUMP_OF_FUTURE = Decimal("0.02")
"""A price further from the one before than exchanges let an order be is a jump: one bad print would look the same."""


@dataclass(frozen=True, slots=True)
class Print:
    """One price of a contract as it came, in rupees; `serial` tells it from those before it.

    `received` is monotonic: when it came or was last confirmed. `bid` and `ask` are the last ones, None when there
    never was one; `touched` says that they came with this price or after it. `quoted`: a gateway's answer to a
    question that was asked after all prices before it had come.
    """

    serial: int
    value: Decimal
    received: float
    bid: Decimal | None = None
    ask: Decimal | None = None
    touched: bool = False
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Belief:
    """`proven` is the newest price that counts, None before the first; `doubted` a newer one that does not yet."""

    proven: Print | None = None
    doubted: Print | None = None


NOTHING = Belief()


def weighed(
    before: Belief,
    seen: Print,
    *,
    is_future: bool = False,
    entered_at: Decimal | None = None,
    gap_from: float = -math.inf,
) -> Belief:
    """What is believed when `seen` is the newest price.

    `entered_at` is what the contract was just bought or sold at: it stands for the price before the first. After
    `gap_from` (monotonic, when the feed was lost) nothing is the price before: a quote or two ticks begin anew.

    >>> calm = Belief(Print(1, Decimal(100), 0.0))
    >>> weighed(calm, Print(2, Decimal(130), 1.0)).doubted is None
    True
    >>> weighed(calm, Print(2, Decimal(900), 1.0)).proven == calm.proven
    True
    >>> weighed(weighed(calm, Print(2, Decimal(30), 1.0)), Print(3, Decimal(29), 1.2)).proven.value
    Decimal('29')
    """
    last, doubted = before.proven, before.doubted
    if last is not None and seen.serial == last.serial:
        return Belief(seen)
    is_after_gap = last is not None and last.received <= gap_from
    near = entered_at if last is None else last.value
    if not is_after_gap and near is not None and not is_jump(near, seen.value, is_future=is_future):
        return Belief(seen)
    if doubted is not None and doubted.received <= gap_from:
        doubted = None
    if _is_borne_out(seen, doubted, is_future=is_future, by_touch=not is_after_gap):
        return Belief(seen)
    return Belief(last, seen)


def is_jump(before: Decimal, now: Decimal, *, is_future: bool = False) -> bool:
    """Whether one price is further from the other than a market goes between two of them."""
    width = before * JUMP_OF_FUTURE if is_future else max(before * JUMP, JUMP_RUPEES)
    return abs(now - before) > width


def _is_borne_out(seen: Print, doubted: Print | None, *, is_future: bool, by_touch: bool) -> bool:
    """By who bids and offers now, by a quote, or by a price near it that came before and is another one.

    While bids and offers of the same moment are both far on one side, neither a quote nor a second print helps: a
    last price that was a mistake is repeated by everybody until the next trade.
    """
    if seen.touched and seen.bid is not None and seen.ask is not None:
        far_bid, far_ask = (is_jump(seen.value, each, is_future=is_future) for each in (seen.bid, seen.ask))
        if by_touch and not far_bid and not far_ask:
            return True
        if (far_bid and seen.bid > seen.value) or (far_ask and seen.ask < seen.value):
            return False
    if seen.quoted:
        return True
    is_second = doubted is not None and doubted.serial != seen.serial
    return is_second and doubted is not None and not is_jump(doubted.value, seen.value, is_future=is_future)
