"""Entries that rest at the price their trader typed: not chased, no failure while they rest, over when they end."""

from collections.abc import Sequence
from enum import StrEnum

from app.domain.contracts import PriceType, Side
from app.domain.orders import IntentState, Purpose
from app.persistence.tables import Intent
from app.services.run_state import AccountState, ExecutionState


class Wish(StrEnum):
    """What a trader wants of a pending entry: CANCEL gives up its rest, MARKET sends its rest as "market"."""

    CANCEL = "CANCEL"
    MARKET = "MARKET"


class Ending(StrEnum):
    """How a settled generation that did not fill has ended: nothing more is sent, or its rest goes as "market"."""

    OVER = "over"
    TO_MARKET = "to market"


FAILED = frozenset({IntentState.REJECTED.value, IntentState.NOT_SENT.value, IntentState.DENIED.value})


def is_chased(intent: Intent) -> bool:
    """Whether an order that rests too long is cancelled and priced anew: "market" is, a typed price is not."""
    return intent.price_type == PriceType.MARKET


def ending_of(last: Sequence[Intent]) -> Ending | None:
    """What follows from the last generation of an entry, all settled and not filled; None: it is no typed one.

    A refusal is a failure like any other (None), unless it was to be cancelled anyhow. An end that nobody here asked
    for, as at the close of the day or by hand at the broker, gives the rest up. Nor is anything sent after an end that
    is not quite known: it has a reason.
    """
    if not any(intent.wish or not is_chased(intent) for intent in last):
        return None
    if any(intent.state in FAILED and intent.wish != Wish.CANCEL for intent in last):
        return None
    asked = any(intent.wish == Wish.MARKET for intent in last)
    return Ending.TO_MARKET if asked and not any(intent.reason for intent in last) else Ending.OVER


def priced_as(intent: Intent, last: Intent) -> None:
    """Give an entry written anew the price its leg has: typed, unless its trader has asked for the market since."""
    if last.wish != Wish.MARKET and not is_chased(last):
        intent.price_type, intent.limit_price, intent.trigger_price = (
            last.price_type, last.limit_price, last.trigger_price,
        )  # fmt: skip


def waiting_for(account: AccountState, bought: ExecutionState) -> list[Intent]:
    """SELLs that wait for every BUY of the account to be filled, as this one never will be."""
    if bought.side is not Side.BUY:
        return []
    return [
        intent
        for execution in account.executions
        if execution.side is Side.SELL
        for intent in execution.of(Purpose.ENTRY)
        if intent.state == IntentState.READY
    ]
