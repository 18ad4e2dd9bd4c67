"""The last question before the wire: may this order be sent now? One function; every no has a stable code.

G1 to G14 stand beside the codes; G12, the rate, only delays and is kept by the lanes. Exits are asked for less.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from app.domain.calendar import Phase
from app.domain.contracts import Side
from app.domain.errors import Denied
from app.domain.orders import Purpose
from app.domain.plan import Mode
from app.domain.prices import PriceBand
from app.domain.trading_states import TradingState

SIMULATOR = "simulator"


class Code(StrEnum):
    """Why an order is not sent. Shared by pages, API and exits; a code never changes its meaning."""

    NOT_LEADING = "NOT_LEADING"  # G1
    TRADING_HALTED = "TRADING_HALTED"  # G2
    REDUCE_ONLY = "REDUCE_ONLY"
    DAY_LOCK = "DAY_LOCK"
    EXIT_WANTED = "EXIT_WANTED"
    LIVE_SENDING_OFF = "LIVE_SENDING_OFF"  # G3
    ACCOUNT_ARCHIVED = "ACCOUNT_ARCHIVED"
    ACCOUNT_PAUSED = "ACCOUNT_PAUSED"
    WRONG_MODE = "WRONG_MODE"
    MODE_UNKNOWN = "MODE_UNKNOWN"
    SESSION_UNKNOWN = "SESSION_UNKNOWN"  # G4
    SESSION_CLOSING = "SESSION_CLOSING"
    SESSION_CLOSED = "SESSION_CLOSED"
    ANOTHER_DAY = "ANOTHER_DAY"
    SQUARE_OFF_PASSED = "SQUARE_OFF_PASSED"
    ENTRY_TIME = "ENTRY_TIME"
    ENGINE_UNWELL = "ENGINE_UNWELL"
    ENGINE_DIES = "ENGINE_DIES"
    DISK_FULL = "DISK_FULL"
    CLOCK_SKEWED = "CLOCK_SKEWED"
    DATABASE_BEHIND = "DATABASE_BEHIND"
    ACCOUNT_NOT_READY = "ACCOUNT_NOT_READY"
    CONTRACT_UNKNOWN = "CONTRACT_UNKNOWN"  # G5
    CONTRACT_EXPIRED = "CONTRACT_EXPIRED"
    ODD_LOT = "ODD_LOT"
    OFF_TICK = "OFF_TICK"
    ABOVE_FREEZE = "ABOVE_FREEZE"  # G6
    NO_PRICE_OR_BOOK = "NO_PRICE_OR_BOOK"  # G7
    BAD_PRICE = "BAD_PRICE"
    OUTSIDE_BAND = "OUTSIDE_BAND"
    PRICE_MOVED = "PRICE_MOVED"
    TRIGGER_REACHED = "TRIGGER_REACHED"
    NOT_SENDABLE = "NOT_SENDABLE"
    OVER_ENTRY = "OVER_ENTRY"  # G8
    OPPOSITE_EXPOSURE = "OPPOSITE_EXPOSURE"
    NET_UNREAD = "NET_UNREAD"  # G9
    OVER_CLOSE = "OVER_CLOSE"
    EXITS_UNDER_WAY = "EXITS_UNDER_WAY"
    FUNDS_UNKNOWN = "FUNDS_UNKNOWN"  # G10
    NO_MARGIN = "NO_MARGIN"
    DAY_PNL_UNKNOWN = "DAY_PNL_UNKNOWN"  # G11
    DAY_LOSS = "DAY_LOSS"
    OPEN_LOTS = "OPEN_LOTS"
    DAY_ORDERS = "DAY_ORDERS"
    KEY_BUSY = "KEY_BUSY"  # G13
    NOT_TAKEN_OVER = "NOT_TAKEN_OVER"
    SENT_LATELY = "SENT_LATELY"  # G14


PASSING = frozenset(
    {
        Code.NOT_LEADING,
        Code.MODE_UNKNOWN,
        Code.SESSION_UNKNOWN,
        Code.CONTRACT_UNKNOWN,
        Code.ENGINE_UNWELL,
        Code.ACCOUNT_NOT_READY,
        Code.NO_PRICE_OR_BOOK,
        Code.FUNDS_UNKNOWN,
        Code.DAY_PNL_UNKNOWN,
        Code.KEY_BUSY,
        Code.NOT_TAKEN_OVER,
        Code.SENT_LATELY,
    }
)
"""A no that may be a yes in a moment: an entry waits a little before it is denied."""

PATIENCE_S = 10.0
"""How long an entry waits for what is missing only for a moment: a price, a book, the mode, the hours."""

TAKEOVER_S = 300.0
"""How long it waits after a start: to prove that an order from before never arrived takes two minutes and a half."""

FOR_GOOD = frozenset({Code.OVER_CLOSE})
"""Settles an exit, because it has to be sized anew. After any other no it goes on being tried."""

STOPPED_BY = {TradingState.HALTED: Code.TRADING_HALTED, TradingState.REDUCE_ONLY: Code.REDUCE_ONLY}
"""What a trading state says to an entry. Neither passes by itself, so the entry does not wait."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The order that wants to go. `limit` is what it is priced at, `worst` how far an entry may be re-priced.

    `band` is what the exchange takes just now. `limit` and `band` are None for an order whose price nobody knows.
    """

    purpose: Purpose
    exchange: str
    symbol: str
    side: Side
    units: int
    tick: Decimal
    expiry: date
    limit: Decimal | None
    worst: Decimal | None
    band: PriceBand | None

    @property
    def is_entry(self) -> bool:
        return self.purpose is Purpose.ENTRY


@dataclass(frozen=True, slots=True)
class Who:
    """The account it is for. `max_day_loss` is rupees, above zero; None: no limit is set."""

    name: str
    broker: str
    state: str
    expected: Mode
    live_sending: bool
    max_day_loss: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A trading state that stops entries, and what it says to the trader."""

    code: Code
    sentence: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known without the ledger. None is always "nobody can say": the mode, the lot of today's list, the money.

    `freeze` is the most units in one order; `same_day` is False for a run that was started on another trading date;
    `well` is False while threads of the engine keep crashing, `books_read` until this engine has read the account's
    books once. `free` and `day_pnl` are rupees.
    `locked` is other trouble of the desk that holds entries.
    """

    today: date
    mode: Mode | None
    phase: Phase
    lot_size: int | None
    freeze: int
    same_day: bool = True
    well: bool = True
    books_read: bool = True
    locked: Stop | None = None
    free: Decimal | None = None
    day_pnl: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """What our own rows say, read in the transaction of the claim.

    `wanted`, `entered` and `entering` are units of its execution: planned, filled, and under way beside this one.
    `net` is the broker's signed net in the contract, None while unread; `exiting` are units that exits of any run may
    still take from it. `left_unknown` names an order of the account that an engine before this one left unknown, None
    when there is none. `margin` is what the account's part of the plan needs before anything of it is begun, else None.
    `over` is a limit that the entry would pass.
    """

    leads: bool
    stop: Stop | None
    exit_wanted: str | None
    wanted: int
    entered: int
    entering: int
    net: int | None
    exiting: int
    opposite_under_way: bool
    unsettled_elsewhere: bool
    sent_lately: bool
    margin: Decimal | None
    left_unknown: str | None = None
    over: Stop | None = None


def check(asked: Asked, who: Who, around: Surroundings, ledger: Ledger) -> None:
    """Raises Denied when this order may not go on the wire now; what speaks against it most stably comes first."""
    if not ledger.leads:
        raise Denied(Code.NOT_LEADING, "This process does not lead any more; the one that leads sends the order.")
    if asked.is_entry:
        _stopped(ledger)
    may_trade(who, entry=asked.is_entry)
    if asked.is_entry:
        _taken_over(who, around, ledger)
    _mode(who, around.mode, entry=asked.is_entry)
    _hours(asked, around)
    _contract(asked, around)
    _price(asked)
    if asked.is_entry:
        _enters(asked, ledger)
        _affords(asked, who, around, ledger)
        _alone(asked, ledger)
    else:
        _closes(asked, ledger)


def waits(purpose: Purpose, code: str) -> bool:
    """Whether an intent that got this no stays READY and is asked again."""
    return code in PASSING if purpose is Purpose.ENTRY else code not in FOR_GOOD


def patience_s(code: str) -> float:
    """Seconds for which an entry is asked again after this no."""
    return TAKEOVER_S if code == Code.NOT_TAKEN_OVER else PATIENCE_S


def may_trade(who: Who, *, entry: bool) -> None:
    """Raises Denied when this account may not be sent to at all, whatever the order."""
    if who.expected is Mode.LIVE and who.broker != SIMULATOR and not who.live_sending:
        raise Denied(
            Code.LIVE_SENDING_OFF,
            f"{who.name} is a live account at {who.broker} and sending to live brokers is switched off. "
            "Use the simulator or switch the gateway to analyzer mode.",
        )
    if who.state == "ARCHIVED":
        raise Denied(Code.ACCOUNT_ARCHIVED, f"{who.name} is archived.")
    if entry and who.state != "ACTIVE":
        raise Denied(Code.ACCOUNT_PAUSED, f"{who.name} is {who.state.lower()}; entries are not sent. Resume it first.")


def may_enter(exchange: str, phase: Phase) -> None:
    """Raises Denied when nothing new may be begun on this exchange now."""
    if phase is Phase.UNKNOWN:
        raise Denied(Code.SESSION_UNKNOWN, f"The hours of {exchange} today could not be read; entries wait for them.")
    if phase is Phase.CLOSING:
        raise Denied(Code.SESSION_CLOSING, f"{exchange} closes within minutes; nothing new is begun.")
    if phase is not Phase.LIVE:
        raise Denied(Code.SESSION_CLOSED, f"{exchange} is not open; the order would be refused.")


def _stopped(ledger: Ledger) -> None:
    if (stop := ledger.stop or ledger.over) is not None:
        raise Denied(stop.code, stop.sentence)
    if ledger.exit_wanted:
        raise Denied(Code.EXIT_WANTED, f"The exit came first: {ledger.exit_wanted}")


def _mode(who: Who, mode: Mode | None, *, entry: bool) -> None:
    if mode is not None and mode is not who.expected:
        raise Denied(Code.WRONG_MODE, f"{who.name} is in {mode.value} mode and was added in {who.expected.value} mode.")
    if entry and mode is None:
        raise Denied(Code.MODE_UNKNOWN, f"The mode of {who.name} could not be read; entries wait for it.")


def _hours(asked: Asked, around: Surroundings) -> None:
    if not asked.is_entry:
        if around.phase in {Phase.CLOSED, Phase.PRE_OPEN}:
            raise Denied(Code.SESSION_CLOSED, f"{asked.exchange} is not open; the exit waits until it is.")
        return
    may_enter(asked.exchange, around.phase)
    if not around.same_day:
        raise Denied(Code.ANOTHER_DAY, "The run was started on another day; its plan is not sent any more.")
    if not around.well:
        raise Denied(
            Code.ENGINE_UNWELL, "Parts of the engine keep failing, see the health page; entries wait for them."
        )
    if around.locked is not None:
        raise Denied(around.locked.code, around.locked.sentence)


def _contract(asked: Asked, around: Surroundings) -> None:
    if asked.expiry < around.today:
        raise Denied(Code.CONTRACT_EXPIRED, f"{asked.symbol} expired on {asked.expiry:%d %b}; it is not traded.")
    if asked.is_entry and around.lot_size is None:
        raise Denied(Code.CONTRACT_UNKNOWN, f"{asked.symbol} is not in today's contract list.")
    if asked.is_entry and around.lot_size is not None and asked.units % around.lot_size:
        raise Denied(
            Code.ODD_LOT,
            f"{asked.units} units of {asked.symbol} is not a multiple of its lot {around.lot_size}.",
        )
    if asked.units > around.freeze:
        raise Denied(
            Code.ABOVE_FREEZE, f"{asked.units} units of {asked.symbol} is above its freeze of {around.freeze}."
        )


def _price(asked: Asked) -> None:
    limit, band = asked.limit, asked.band
    if limit is None or band is None:
        raise Denied(Code.NO_PRICE_OR_BOOK, f"{asked.symbol} has no fresh price to judge the order by.")
    if limit <= 0:
        raise Denied(Code.BAD_PRICE, f"The limit {limit} for {asked.symbol} is not a price.")
    if limit % asked.tick:
        raise Denied(Code.OFF_TICK, f"The limit {limit} for {asked.symbol} is not a multiple of {asked.tick}.")
    if not band.low <= limit <= band.high:
        raise Denied(
            Code.OUTSIDE_BAND,
            f"The limit {limit:.2f} for {asked.symbol} is outside {band.low:.2f} to {band.high:.2f}, what the "
            "exchange takes now.",
        )
    if asked.is_entry and asked.worst is not None and (limit - asked.worst) * asked.side.sign > 0:
        raise Denied(
            Code.PRICE_MOVED,
            f"{asked.symbol} needs {limit:.2f}, beyond the {asked.worst:.2f} that the preview allowed.",
        )


def _taken_over(who: Who, around: Surroundings, ledger: Ledger) -> None:
    """A new engine enters nothing in an account before it knows what the one before left there."""
    if not around.books_read:
        raise Denied(
            Code.NOT_TAKEN_OVER,
            f"The engine has started and has not read the books of {who.name} yet; entries wait for that.",
        )
    if ledger.left_unknown is not None:
        raise Denied(
            Code.NOT_TAKEN_OVER,
            f"{who.name} has an order from before the engine started of which nobody knows yet whether it stands: "
            f"{ledger.left_unknown}. Entries wait until its books have settled it.",
        )


def _enters(asked: Asked, ledger: Ledger) -> None:
    """Never more than planned, and never against what is there: from one net neither side could be closed."""
    if ledger.entered + ledger.entering + asked.units > ledger.wanted:
        raise Denied(
            Code.OVER_ENTRY,
            f"{ledger.entered} of {ledger.wanted} units of {asked.symbol} are in; {asked.units} more is too many.",
        )
    if (ledger.net or 0) * asked.side.sign < 0:
        raise Denied(
            Code.OPPOSITE_EXPOSURE,
            f"The account holds {ledger.net:+d} units of {asked.symbol}; close those first.",
        )
    if ledger.opposite_under_way:
        raise Denied(Code.OPPOSITE_EXPOSURE, f"Another run is trading {asked.symbol} the other way in this account.")


def _affords(asked: Asked, who: Who, around: Surroundings, ledger: Ledger) -> None:
    if ledger.margin is not None:
        if around.free is None:
            raise Denied(Code.FUNDS_UNKNOWN, f"The funds of {who.name} could not be read; entries wait for them.")
        if around.free < ledger.margin:
            raise Denied(
                Code.NO_MARGIN,
                f"{who.name} has ₹{around.free:.2f} free and its part of the plan needs ₹{ledger.margin:.2f}.",
            )
    if who.max_day_loss is None:
        return
    if around.day_pnl is None:
        raise Denied(
            Code.DAY_PNL_UNKNOWN,
            f"{who.name} has a day-loss limit and its gateway does not tell the day's profit; entries wait for it.",
        )
    if around.day_pnl <= -who.max_day_loss:
        raise Denied(
            Code.DAY_LOSS,
            f"{who.name} has lost ₹{-around.day_pnl:.2f} today, its limit is ₹{who.max_day_loss:.2f}. "
            f"Nothing new is begun in it today; {asked.symbol} is not sent.",
        )


def _alone(asked: Asked, ledger: Ledger) -> None:
    """Two runs' orders that nobody could tell apart are never unresolved together, and a double is not sent."""
    if ledger.unsettled_elsewhere:
        raise Denied(Code.KEY_BUSY, f"Another run's order in {asked.symbol} is not settled yet; this one waits for it.")
    if ledger.sent_lately:
        raise Denied(
            Code.SENT_LATELY,
            f"Another run sent the same order, {asked.units} units of {asked.symbol}, in the last moments; "
            "this one waits.",
        )


def _closes(asked: Asked, ledger: Ledger) -> None:
    """An exit never sends more than the broker's net position and never flips its sign, whoever else is closing."""
    net = ledger.net
    if net is None:
        raise Denied(Code.NET_UNREAD, f"The broker's position in {asked.symbol} has not been read; the exit waits.")
    if net * asked.side.sign >= 0 or asked.units > abs(net):
        raise Denied(
            Code.OVER_CLOSE, f"The broker's net position in {asked.symbol} is {net:+d}; {asked.units} is too many."
        )
    if asked.units + ledger.exiting > abs(net):
        raise Denied(
            Code.EXITS_UNDER_WAY,
            f"{ledger.exiting} of {abs(net)} units of {asked.symbol} are on their way out; the exit waits for them.",
        )
