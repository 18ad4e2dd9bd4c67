"""The builder's fields of trailing stop and locked profit, as what they mean."""

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol, TypeVar

from app.domain.trailing import Floors, ProfitLock, Trail, TrailKind
from app.strategies.typed import Typed
from app.web.typed_numbers import NotThat, amount, quoted

MOST_RUPEES = Decimal(1_000_000_000)
"""A hundred crore: a limit above it is a slip of the finger."""
PLACES = 2

Value = TypeVar("Value")


class Reader(Protocol):
    """Takes a field, and keeps what is wrong with it, by field."""

    errors: dict[str, str]

    def take(self, field: str, read: Callable[[], Value]) -> Value | None: ...


def floors_of(reader: Reader, typed: Typed) -> Floors:
    """What is wrong with a field is noted; then what comes back is not used."""
    return Floors(_trail(reader, typed), _lock(reader, typed))


def _trail(reader: Reader, typed: Typed) -> Trail | None:
    size = reader.take("trail_size", lambda: needed(typed.trail_size) if typed.trail_kind else unused(typed.trail_size))
    activation = reader.take(
        "trail_activation",
        lambda: optional(typed.trail_activation) if typed.trail_kind else unused(typed.trail_activation),
    )
    if not typed.trail_kind:
        return None
    kind = reader.take("trail_kind", lambda: kind_of(typed.trail_kind))
    return None if kind is None or size is None else Trail(kind, size, activation)


def _lock(reader: Reader, typed: Typed) -> ProfitLock | None:
    if not any((typed.lock_reach, typed.lock_keep, typed.lock_step, typed.lock_more)):
        return None
    reach = reader.take("lock_reach", lambda: needed(typed.lock_reach))
    keep = reader.take("lock_keep", lambda: needed(typed.lock_keep))
    step = reader.take("lock_step", lambda: optional(typed.lock_step))
    more = reader.take("lock_more", lambda: optional(typed.lock_more))
    return None if reach is None or keep is None else ProfitLock(reach, keep, step, more)


def kind_of(text: str) -> TrailKind:
    """Raises NotThat."""
    try:
        return TrailKind(text)
    except ValueError:
        raise NotThat(f"{quoted(text)} is no kind of trailing stop. Choose one of the list.") from None


def needed(text: str) -> Decimal:
    """A number of 0 or more. Raises NotThat, for an empty one too."""
    if not text:
        raise NotThat("This is needed too: type a number, or empty the fields beside it.")
    return Decimal(0) if text == "0" else amount(text, MOST_RUPEES, PLACES, "5000")


def optional(text: str) -> Decimal | None:
    """A number above 0, None for none. Raises NotThat."""
    return amount(text, MOST_RUPEES, PLACES, "5000") if text else None


def unused(text: str) -> None:
    """Raises NotThat for anything."""
    if text:
        raise NotThat("Only a trailing stop has this. Choose its kind, or empty the field.")
