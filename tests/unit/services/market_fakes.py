"""A clock, gateways and feeds that behave, for tests of the market services."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from app.domain.books import Quote
from app.domain.calendar_hours import Holiday
from app.domain.contracts import Contract, ContractKey, Kind
from app.domain.errors import NotFound, Unavailable
from app.domain.money import Units
from app.ports.feed import FeedClosed, FeedMode, Tick
from app.ports.gateway import GatewayAddress, GatewayError, LotOf, MinuteHistory, TradingHours, Unreachable, no_lot

MONDAY_1030 = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
"""Monday 23 November 2026, 10:30 in India."""

NIFTY = ContractKey("NSE_INDEX", "NIFTY")
EXPIRY = date(2026, 12, 1)


class FakeClock:
    """Real and market time in one; stands still until told otherwise."""

    def __init__(self, at: datetime = MONDAY_1030) -> None:
        self.at = at
        self.ticked = 1000.0
        self.unknown = False

    def now(self) -> datetime:
        if self.unknown:
            raise Unavailable("The market's time is not known yet.")
        return self.at

    def monotonic(self) -> float:
        return self.ticked

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.ticked += seconds


class MarketTime:
    """The time of a market whose date is its own, as a simulator's may be."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now


class FakeGateway:
    """Answers what it was given; raises `broken` from every read while that is set."""

    def __init__(self) -> None:
        self.broken: GatewayError | None = None
        self.listed: dict[str, list[Contract]] = {}
        self.freezes: dict[str, Units | None] = {}
        self.hours: list[TradingHours] = []
        self.interest: dict[ContractKey, dict[date, int]] = {}
        self.priced: dict[ContractKey, Quote] = {}
        self.margin: Decimal | GatewayError = Decimal(100_000)
        self.margin_asked: list[object] = []
        self.calls: list[str] = []
        self.asked: set[ContractKey] = set()
        self.listed_holidays: dict[int, list[Holiday]] = {}
        self.minutes: dict[ContractKey, MinuteHistory] = {}
        self.closed = False

    def _answer(self, call: str) -> None:
        self.calls.append(call)
        if self.broken is not None:
            raise self.broken

    def contracts(self, exchange: str, underlyings: Sequence[str], lot_of: LotOf = no_lot) -> list[Contract]:
        """A listed lot of 0 stands for none."""
        self._answer(f"contracts {exchange}")
        wanted = [each for each in self.listed.get(exchange, []) if each.underlying in underlyings]
        lots = {each: each.lot_size or lot_of(each.underlying, each.expiry) for each in wanted}
        return [replace(each, lot_size=lot) for each, lot in lots.items() if lot]

    def freeze_limits(self, exchange: str, underlying: str) -> Units | None:
        self._answer(f"freeze {exchange} {underlying}")
        return self.freezes.get(underlying)

    def trading_hours(self, day: date) -> list[TradingHours]:
        self._answer(f"hours {day}")
        return self.hours

    def holidays(self, year: int) -> list[Holiday]:
        self._answer(f"holidays {year}")
        return self.listed_holidays.get(year, [])

    def minute_history(self, key: ContractKey, first: date, last: date) -> MinuteHistory:
        self._answer(f"history {key.symbol} {first} {last}")
        return self.minutes.get(key, MinuteHistory((), 0))

    def day_interest(self, key: ContractKey, first: date, last: date) -> dict[date, int]:
        self._answer(f"interest {key.symbol}")
        return {day: units for day, units in self.interest.get(key, {}).items() if first <= day <= last}

    def quotes(self, keys: Sequence[ContractKey]) -> dict[ContractKey, Quote]:
        self._answer(f"quotes {len(keys)}")
        self.asked = set(keys)
        return {key: self.priced[key] for key in keys if key in self.priced}

    def basket_margin(self, legs: Sequence[object]) -> Decimal:
        self._answer("margin")
        self.margin_asked = list(legs)
        if isinstance(self.margin, GatewayError):
            raise self.margin
        return self.margin

    def close(self) -> None:
        self.closed = True


class FakeGateways:
    """Accounts 1, 2, 3 ... as asked for."""

    def __init__(self, *account_ids: int) -> None:
        self.gateways = {account_id: FakeGateway() for account_id in account_ids}

    def of(self, account_id: int) -> FakeGateway:
        if account_id not in self.gateways:
            raise NotFound(f"There is no account number {account_id}.")
        return self.gateways[account_id]

    def address(self, account_id: int) -> GatewayAddress:
        self.of(account_id)
        return GatewayAddress(
            f"http://gateway-{account_id}:5000", f"ws://gateway-{account_id}:8765", f"key-{account_id}"
        )

    def name(self, account_id: int) -> str:
        return f"Account {account_id}"

    def order(self) -> list[int]:
        return list(self.gateways)


def quote(ltp: str, bid: str | None = None, ask: str | None = None, **figures: object) -> Quote:
    """A REST quote with everything that is not named left unknown."""
    blank: dict[str, object] = dict.fromkeys(
        ("open", "high", "low", "previous_close", "volume", "open_interest"),
    )
    return Quote(
        ltp=Decimal(ltp),
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
        **(blank | figures),  # type: ignore[arg-type]
    )


def option(strike: int, kind: Kind = Kind.CE, expiry: date = EXPIRY, underlying: str = "NIFTY") -> Contract:
    exchange = "BFO" if underlying == "SENSEX" else "NFO"
    symbol = f"{underlying}{expiry:%d%b%y}".upper() + f"{strike}{kind.value}"
    key = ContractKey(exchange, symbol)
    return Contract(key, underlying, kind, expiry, Decimal(strike), 65, Decimal("0.05"))


def future(expiry: date = EXPIRY, underlying: str = "NIFTY") -> Contract:
    symbol = f"{underlying}{expiry:%d%b%y}".upper() + "FUT"
    return Contract(ContractKey("NFO", symbol), underlying, Kind.FUT, expiry, None, 65, Decimal("0.05"))


def chain(low: int, high: int, step: int, expiry: date = EXPIRY, underlying: str = "NIFTY") -> list[Contract]:
    """All calls and puts from `low` to `high`, both included."""
    return [
        option(strike, kind, expiry, underlying) for strike in range(low, high + 1, step) for kind in (Kind.CE, Kind.PE)
    ]


class FakeFeed:
    """One socket: confirms what is asked for, delivers what is put into `inbox`, and breaks when told to."""

    def __init__(self, address: GatewayAddress, listener: object, clock: FakeClock) -> None:
        self.address = address
        self.listener = listener
        self.clock = clock
        self.inbox: list[Tick] = []
        self.subscribed: dict[ContractKey, FeedMode] = {}
        self.frames: list[tuple[str, FeedMode, tuple[ContractKey, ...]]] = []
        self.refusals: dict[ContractKey, str] = {}
        self.deaf: set[ContractKey] = set()
        self.answers_pings = True
        self.frames_waiting = 0
        self.pongs: float | None = None
        self.orders_asked = False
        self.broken: str | None = None
        self.gone: FeedClosed | None = None
        self.pings = 0
        self.closed = False

    gateway_ms: int | None = None
    broker_gone = False

    @property
    def last_pong(self) -> float | None:
        return self.pongs

    @property
    def writes(self) -> bool:
        """Its prices count: it is not in reserve."""
        return bool(getattr(self.listener, "writes", True))

    def subscribe(self, keys: Sequence[ContractKey], mode: FeedMode) -> None:
        self._check()
        self.frames.append(("subscribe", mode, tuple(keys)))
        for key in keys:
            if key not in self.refusals and key not in self.deaf:
                self.subscribed[key] = mode

    def unsubscribe(self, keys: Sequence[ContractKey], mode: FeedMode) -> None:
        self._check()
        self.frames.append(("unsubscribe", mode, tuple(keys)))
        for key in keys:
            self.subscribed.pop(key, None)

    def subscribe_orders(self) -> None:
        self._check()
        self.orders_asked = True

    def ping(self) -> None:
        self._check()
        self.pings += 1
        if self.answers_pings:
            self.pongs = self.clock.monotonic()
            self.frames_waiting += 1

    def ask_broker(self) -> None:
        self._check()

    def read(self, timeout_s: float) -> bool:
        self._check()
        arrived, self.inbox = self.inbox, []
        self.listener.ticks(arrived)  # type: ignore[attr-defined]
        came = bool(arrived) or self.frames_waiting > 0
        self.frames_waiting = 0
        if not came:
            self.clock.advance(timeout_s)
        return came

    def confirmed(self) -> frozenset[ContractKey]:
        return frozenset(self.subscribed)

    def refused(self) -> dict[ContractKey, str]:
        return dict(self.refusals)

    def close(self) -> None:
        self.closed = True

    def _check(self) -> None:
        if self.closed:
            raise FeedClosed("we closed it")
        if self.gone is not None:
            raise self.gone
        if self.broken is not None:
            raise FeedClosed(self.broken)


class FakeFeeds:
    """Opens feeds, and remembers all it opened. `down` accounts refuse the connection."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.opened: list[FakeFeed] = []
        self.attempts: list[str] = []
        self.down: dict[str, GatewayError] = {}

    def __call__(self, address: GatewayAddress, listener: object) -> FakeFeed:
        self.attempts.append(address.host_url)
        if address.host_url in self.down:
            raise self.down[address.host_url]
        feed = FakeFeed(address, listener, self.clock)
        self.opened.append(feed)
        return feed

    def break_account(self, account_id: int, error: GatewayError | None = None) -> None:
        host = f"http://gateway-{account_id}:5000"
        self.down[host] = error or Unreachable("The gateway cannot be reached.")
        for feed in self.opened:
            if feed.address.host_url == host:
                feed.broken = "the connection was cut"

    def mend_account(self, account_id: int) -> None:
        self.down.pop(f"http://gateway-{account_id}:5000", None)

    @property
    def live(self) -> FakeFeed:
        """The newest feed that is still open."""
        return next(feed for feed in reversed(self.opened) if not feed.closed)
