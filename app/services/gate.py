"""The last question before the wire: may this order be sent now? Every no has a stable code and a sentence."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.calendar import Phase
from app.domain.errors import Denied
from app.domain.orders import Purpose
from app.domain.plan import Mode
from app.persistence.tables import Intent, TradingAccount

SIMULATOR = "simulator"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was known of the world when the gate was asked. `mode` None: nobody could say; `net` None: unread."""

    mode: Mode | None
    phase: Phase
    lot_size: int | None
    net: int | None


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


def check(intent: Intent, account: TradingAccount, seen: Seen, *, live_sending: bool, limit: Decimal) -> None:
    """Raises Denied when this intent may not go on the wire now. Exits pass with less than entries need."""
    entry = intent.purpose == Purpose.ENTRY
    may_trade(account, live_sending=live_sending, entry=entry)
    _mode(account, seen, entry=entry)
    if seen.phase in {Phase.CLOSED, Phase.PRE_OPEN}:
        raise Denied("SESSION_CLOSED", f"{intent.exchange} is not open; the order would be refused.")
    if entry and seen.phase is Phase.UNKNOWN:
        raise Denied(
            "SESSION_UNKNOWN", f"The hours of {intent.exchange} today could not be read; entries wait for them."
        )
    if entry and seen.lot_size is None:
        raise Denied("CONTRACT_UNKNOWN", f"{intent.symbol} is not in today's contract list.")
    if entry and seen.lot_size is not None and intent.units % seen.lot_size:
        raise Denied(
            "ODD_LOT", f"{intent.units} units of {intent.symbol} is not a multiple of its lot {seen.lot_size}."
        )
    if limit <= 0:
        raise Denied("BAD_PRICE", f"The limit {limit} for {intent.symbol} is not a price.")
    if entry and intent.worst_price is not None and _beyond(intent, limit):
        raise Denied(
            "PRICE_MOVED",
            f"{intent.symbol} needs {limit:.2f}, beyond the {intent.worst_price:.2f} that the preview allowed.",
        )
    if not entry:
        _closes(intent, seen)


def _mode(account: TradingAccount, seen: Seen, *, entry: bool) -> None:
    if seen.mode is not None and seen.mode != account.expected_mode:
        raise Denied(
            "WRONG_MODE", f"{account.name} is in {seen.mode.value} mode and was added in {account.expected_mode} mode."
        )
    if entry and seen.mode is None:
        raise Denied("MODE_UNKNOWN", f"The mode of {account.name} could not be read; entries wait for it.")


def _beyond(intent: Intent, limit: Decimal) -> bool:
    worst = intent.worst_price
    if worst is None:
        return False
    return limit > worst if intent.side == "BUY" else limit < worst


def _closes(intent: Intent, seen: Seen) -> None:
    """An exit never sends more than the broker's net position and never flips its sign."""
    closing = intent.units if intent.side == "SELL" else -intent.units
    if seen.net is None or seen.net * closing <= 0 or abs(closing) > abs(seen.net):
        net = "unread" if seen.net is None else f"{seen.net:+d}"
        raise Denied(
            "OVER_CLOSE", f"The broker's net position in {intent.symbol} is {net}; {intent.units} is too many."
        )
