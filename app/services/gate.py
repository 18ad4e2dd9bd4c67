"""The last question before the wire: may this order be sent now? Every no has a stable code and a sentence."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.calendar import Phase
from app.domain.errors import Denied
from app.domain.orders import Purpose
from app.domain.plan import Mode
from app.persistence.tables import Intent, TradingAccount

SIMULATOR = "simulator"

PASSING = frozenset(
    {"MODE_UNKNOWN", "SESSION_UNKNOWN", "CONTRACT_UNKNOWN", "ENGINE_UNWELL", "NO_PRICE_OR_BOOK", "KEY_BUSY"}
)
"""Codes of a no that may be a yes in a moment: an entry waits a little before it is denied."""

FOR_GOOD = frozenset({"OVER_CLOSE"})
"""Codes that settle an exit, because it has to be sized anew. After any other no it goes on being tried."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was known of the world when the gate was asked.

    `mode` None: nobody could say lately; `net` None: unread; `freeze` is the most units in one order. `same_day` is
    False for an entry of a run that was started on another trading date. `well` is False while threads keep crashing.
    """

    mode: Mode | None
    phase: Phase
    lot_size: int | None
    net: int | None
    freeze: int
    same_day: bool = True
    well: bool = True


def waits(purpose: Purpose, code: str) -> bool:
    """Whether an intent that got this no stays READY and is asked again."""
    return code in PASSING if purpose is Purpose.ENTRY else code not in FOR_GOOD


def may_trade(account: TradingAccount, *, live_sending: bool, entry: bool) -> None:
    """Raises Denied when this account may not be sent to at all, whatever the order."""
    live = account.expected_mode == Mode.LIVE
    if live and account.broker != SIMULATOR and not live_sending:
        raise Denied(
            "LIVE_SENDING_OFF",
            f"{account.name} is a live account at {account.broker} and sending to live brokers is switched off. "
            "Use the simulator or switch the gateway to analyzer mode.",
        )
    if account.state == "ARCHIVED":
        raise Denied("ACCOUNT_ARCHIVED", f"{account.name} is archived.")
    if entry and account.state != "ACTIVE":
        raise Denied(
            "ACCOUNT_PAUSED", f"{account.name} is {account.state.lower()}; entries are not sent. Resume it first."
        )


def may_enter(exchange: str, phase: Phase) -> None:
    """Raises Denied when nothing new may be begun on this exchange now."""
    if phase is Phase.UNKNOWN:
        raise Denied("SESSION_UNKNOWN", f"The hours of {exchange} today could not be read; entries wait for them.")
    if phase is Phase.CLOSING:
        raise Denied("SESSION_CLOSING", f"{exchange} closes within minutes; nothing new is begun.")
    if phase is not Phase.LIVE:
        raise Denied("SESSION_CLOSED", f"{exchange} is not open; the order would be refused.")


def check(intent: Intent, account: TradingAccount, seen: Seen, *, live_sending: bool, limit: Decimal | None) -> None:
    """Raises Denied when this intent may not go on the wire now. Exits pass with less than entries need.

    `limit` None asks everything that needs no price.
    """
    entry = intent.purpose == Purpose.ENTRY
    may_trade(account, live_sending=live_sending, entry=entry)
    _mode(account, seen, entry=entry)
    if entry:
        _enters(intent, seen)
    elif seen.phase in {Phase.CLOSED, Phase.PRE_OPEN}:
        raise Denied("SESSION_CLOSED", f"{intent.exchange} is not open; the exit waits until it is.")
    if intent.units > seen.freeze:
        raise Denied("ABOVE_FREEZE", f"{intent.units} units of {intent.symbol} is above its freeze of {seen.freeze}.")
    if limit is not None:
        _price(intent, limit, entry=entry)
    if not entry:
        _closes(intent, seen)


def _enters(intent: Intent, seen: Seen) -> None:
    may_enter(intent.exchange, seen.phase)
    if not seen.same_day:
        raise Denied("ANOTHER_DAY", "The run was started on another day; its plan is not sent any more.")
    if not seen.well:
        raise Denied("ENGINE_UNWELL", "Parts of the engine keep failing, see the health page; entries wait for them.")
    if seen.lot_size is None:
        raise Denied("CONTRACT_UNKNOWN", f"{intent.symbol} is not in today's contract list.")
    if intent.units % seen.lot_size:
        raise Denied(
            "ODD_LOT", f"{intent.units} units of {intent.symbol} is not a multiple of its lot {seen.lot_size}."
        )


def _price(intent: Intent, limit: Decimal, *, entry: bool) -> None:
    if limit <= 0:
        raise Denied("BAD_PRICE", f"The limit {limit} for {intent.symbol} is not a price.")
    if entry and intent.worst_price is not None and _beyond(intent, intent.worst_price, limit):
        raise Denied(
            "PRICE_MOVED",
            f"{intent.symbol} needs {limit:.2f}, beyond the {intent.worst_price:.2f} that the preview allowed.",
        )


def _mode(account: TradingAccount, seen: Seen, *, entry: bool) -> None:
    if seen.mode is not None and seen.mode != account.expected_mode:
        raise Denied(
            "WRONG_MODE", f"{account.name} is in {seen.mode.value} mode and was added in {account.expected_mode} mode."
        )
    if entry and seen.mode is None:
        raise Denied("MODE_UNKNOWN", f"The mode of {account.name} could not be read; entries wait for it.")


def _beyond(intent: Intent, worst: Decimal, limit: Decimal) -> bool:
    return limit > worst if intent.side == "BUY" else limit < worst


def _closes(intent: Intent, seen: Seen) -> None:
    """An exit never sends more than the broker's net position and never flips its sign."""
    if seen.net is None:
        raise Denied("NET_UNREAD", f"The broker's position in {intent.symbol} has not been read; the exit waits.")
    closing = intent.units if intent.side == "SELL" else -intent.units
    if seen.net * closing <= 0 or abs(closing) > abs(seen.net):
        raise Denied(
            "OVER_CLOSE",
            f"The broker's net position in {intent.symbol} is {seen.net:+d}; {intent.units} is too many.",
        )
