"""The builder's fields of what takes one account out by itself, as what they mean."""

from collections.abc import Collection
from decimal import Decimal

from app.domain.exit_rules import AccountRule
from app.domain.trailing import ProfitLock, TrailKind
from app.strategies.floor_fields import Reader, kind_of, needed, optional, unused
from app.strategies.time_fields import time_of_day
from app.strategies.typed import Typed

NAMES = ("loss", "profit", "trail", "trailkind", "trailfrom", "reach", "keep", "step", "more", "off")


def account_limits_of(reader: Reader, typed: Typed, accounts: Collection[int]) -> tuple[AccountRule, ...]:
    """Of the accounts that take part; what is typed beside the others is no wish. What is wrong is noted."""
    chosen = sorted(int(text) for text in typed.chosen if text.isdecimal() and int(text) in accounts)
    rules = (_rule(reader, typed, account_id) for account_id in chosen)
    return tuple(rule for rule in rules if not rule.says_nothing)


def _rule(reader: Reader, typed: Typed, account_id: int) -> AccountRule:
    text = {name: typed.limits.get(f"{name}-{account_id}", "") for name in NAMES}
    loss, profit, trail = (_amount(reader, text, name, account_id) for name in ("loss", "profit", "trail"))
    kind, activation = TrailKind.AMOUNT, None
    if trail is not None:
        kind = _kind(reader, text["trailkind"], account_id)
        activation = _amount(reader, text, "trailfrom", account_id)
    elif f"trail-{account_id}" not in reader.errors:
        reader.take(f"trailfrom-{account_id}", lambda: unused(text["trailfrom"]))
    off = reader.take(f"off-{account_id}", lambda: time_of_day(text["off"]))
    return AccountRule(account_id, loss, profit, trail, kind, activation, _lock(reader, text, account_id), off)


def _kind(reader: Reader, text: str, account_id: int) -> TrailKind:
    """Rupees where nothing is said, as in forms of before."""
    found = reader.take(f"trailkind-{account_id}", lambda: kind_of(text)) if text else None
    return found or TrailKind.AMOUNT


def _lock(reader: Reader, text: dict[str, str], account_id: int) -> ProfitLock | None:
    if not any(text[name] for name in ("reach", "keep", "step", "more")):
        return None
    reach = reader.take(f"reach-{account_id}", lambda: needed(text["reach"]))
    keep = reader.take(f"keep-{account_id}", lambda: needed(text["keep"]))
    step, more = (_amount(reader, text, name, account_id) for name in ("step", "more"))
    return None if reach is None or keep is None else ProfitLock(reach, keep, step, more)


def _amount(reader: Reader, text: dict[str, str], name: str, account_id: int) -> Decimal | None:
    return reader.take(f"{name}-{account_id}", lambda: optional(text[name]))
