"""What the page of the kill switch says in a sentence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.domain.wording import ist
from app.services.kill_switch import Kill


class Counted(Protocol):
    @property
    def orders(self) -> int: ...
    @property
    def positions(self) -> int: ...
    @property
    def units(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Totals:
    """Over all accounts; `accounts` are those in which something of ours is open."""

    orders: int
    positions: int
    units: int
    accounts: int


def totals(lines: Iterable[Counted]) -> Totals:
    busy = [line for line in lines if line.orders or line.units]
    return Totals(
        sum(line.orders for line in busy),
        sum(line.positions for line in busy),
        sum(line.units for line in busy),
        len(busy),
    )


def left_words(orders: int, units: int) -> str:
    """`has 65 units and 1 open order left`."""
    parts = [f"{units} units"] if units else []
    parts += [_count(orders, "open order", "open orders")] if orders else []
    return f"has {' and '.join(parts)} left" if parts else "has nothing left"


def pressed_words(kill: Kill, at: datetime | str) -> str:
    """`at` is a time of the market's clock, or how long ago it was."""
    when = at if isinstance(at, str) else f"at {ist(at)}"
    return f"Pressed by {kill.actor} {when}."


def kill_sentence(kill: Kill | None, left: Totals, pressed: str) -> str:
    """Before it is pressed what it would do, afterwards how far it is; `pressed` says by whom and when."""
    if kill is None:
        return _would(left)
    if kill.flat_at is not None:
        took = int((kill.flat_at - kill.asked_at).total_seconds())
        stays = sum(1 for each in kill.along if each.refused is not None)
        more = f" {_count(stays, 'foreign position that was ticked stays', 'foreign positions that were ticked stay')}."
        return f"{pressed} Everything of ours in its scope was flat {took} s later.{more if stays else ''}"
    if kill.parts is None:
        return f"{pressed} Entries are halted; the engine is about to cancel and close."
    where = f"in {_count(left.accounts, 'account', 'accounts')}"
    open_now = (
        f"{_count(left.positions, 'position', 'positions')} and {_count(left.orders, 'open order', 'open orders')}"
    )
    waiting = sum(1 for each in kill.along if each.waits)
    more = f" {_count(waiting, 'foreign position is', 'foreign positions are')} about to go along." if waiting else ""
    return f"{pressed} Entries are halted. Still open: {open_now}, {where}.{more}"


def _would(left: Totals) -> str:
    if not left.accounts:
        return "Nothing of ours is open. Pressed now, it halts new entries until somebody releases it."
    does = [f"cancels {_count(left.orders, 'open order', 'open orders')}"] if left.orders else []
    does += [f"closes {_count(left.positions, 'position', 'positions')} ({left.units} units)"] if left.positions else []
    where = _count(left.accounts, "account", "accounts")
    return f"Halts new entries, {' and '.join(does)} in {where}, then looks until all of it is flat."


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
