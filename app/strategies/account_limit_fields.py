"""The builder's fields of what takes one account out by itself, as what they mean."""

from collections.abc import Collection
from decimal import Decimal

from app.domain.exit_rules import AccountRule
from app.strategies.floor_fields import MOST_RUPEES, PLACES, Reader
from app.strategies.typed import Typed
from app.web.typed_numbers import amount

NAMES = ("loss", "profit", "trail")


def account_limits_of(reader: Reader, typed: Typed, accounts: Collection[int]) -> tuple[AccountRule, ...]:
    """Of the accounts that take part; what is typed beside the others is no wish. What is wrong is noted."""
    chosen = sorted(int(text) for text in typed.chosen if text.isdecimal() and int(text) in accounts)
    rules = (_rule(reader, typed, account_id) for account_id in chosen)
    return tuple(rule for rule in rules if (rule.max_loss, rule.max_profit, rule.trail) != (None, None, None))


def _rule(reader: Reader, typed: Typed, account_id: int) -> AccountRule:
    loss, profit, trail = (_amount(reader, typed, f"{name}-{account_id}") for name in NAMES)
    return AccountRule(account_id, loss, profit, trail)


def _amount(reader: Reader, typed: Typed, field: str) -> Decimal | None:
    text = typed.limits.get(field, "")
    return reader.take(field, lambda: amount(text, MOST_RUPEES, PLACES, "5000")) if text else None
