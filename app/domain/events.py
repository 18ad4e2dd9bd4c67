"""Facts that have happened, for whoever shows, records or counts them. Nothing is decided by an event."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.contracts import ContractKey, Side
from app.domain.money import Units
from app.domain.orders import IntentState, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. `event_id` is unique, so a repeated delivery is recognised; `at` is aware UTC."""

    event_id: str
    at: datetime

    def __post_init__(self) -> None:
        offset = self.at.utcoffset()
        if offset is None or offset:
            raise ValueError(f"An event's moment is aware UTC, not {self.at}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A plan was frozen into a run. `account_ids` are those that take part."""

    run_id: int
    strategy_id: int
    strategy_name: str
    account_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStateChanged(Event):
    """`before` and `after` are the run's own state words; `reason` is a sentence."""

    run_id: int
    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentMoved(Event):
    """`order_id` is None until the broker gave one; `message` is the gateway's or ours, empty when there is none."""

    intent_id: int
    run_id: int
    account_id: int
    purpose: Purpose
    before: IntentState
    after: IntentState
    order_id: str | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled(Event):
    """One fill, entirely new: the same trade is never told twice. `units` is positive."""

    intent_id: int
    run_id: int
    account_id: int
    order_id: str
    contract: ContractKey
    side: Side
    units: Units
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTripped(Event):
    """A run's rule said exit. `threshold` and `value` are rupees; `reason` is a sentence with the figures in it."""

    run_id: int
    rule: str
    threshold: Decimal
    value: Decimal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFailedOver(Event):
    """Market data moved. An id is None where there was, or is, no account to take it from."""

    from_account_id: int | None
    to_account_id: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStateChanged(Event):
    """`before` and `after` are the account's own health words; `reason` is a sentence."""

    account_id: int
    before: str
    after: str
    reason: str
