"""The virtual market: prices, depth and history of every contract at the clock's present moment."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import numpy as np

from simulator import activity
from simulator.calendar import CASH_OPEN, TradingCalendar, ist
from simulator.clock import STEP_S, VirtualClock
from simulator.contracts import Contract, ContractKey
from simulator.history import INTERVALS, day_bar, longer_bars, minute_bars
from simulator.noise import FloatArray
from simulator.path_library import PathLibrary
from simulator.paths import DAY_STEPS, Push
from simulator.pricing import moved_value, sweep, years_left
from simulator.quotes import Bar, Depth, Greeks, Quote
from simulator.tapes import Offset, Tape, make_tape, years_to_expiry
from simulator.tracks import Track, catch_up, trade_steps
from simulator.underlyings import BY_NAME, VIX
from simulator.volatility import forward, greeks, smile

LONGEST_HISTORY = timedelta(days=800)
BEFORE_OPEN = -1


class Market:
    """Prices on demand. Everything is a function of seed, step and pushes, so asking changes nothing."""

    def __init__(self, seed: int, clock: VirtualClock, calendar: TradingCalendar) -> None:
        """Make the paths of the clock's day."""
        self._seed = seed
        self._clock = clock
        self._calendar = calendar
        self._paths = PathLibrary(seed, calendar, clock.trading_date)
        self._tracks: dict[ContractKey, Track] = {}
        self._scenarios: dict[tuple[ContractKey, bytes], FloatArray] = {}
        self._scenarios_at = BEFORE_OPEN - 1
        self.begin_day()

    def __getstate__(self) -> dict[str, object]:
        """Without what is worked out again when somebody asks; prices that were set from outside are not."""
        moved = {key: track for key, track in self._tracks.items() if track.tape.offsets}
        return {**vars(self), "_tracks": moved, "_scenarios": {}, "_scenarios_at": BEFORE_OPEN - 1}

    def begin_day(self) -> None:
        """Start the clock's trading day; the venue calls it once at each roll."""
        self._paths.begin_day(self._clock.trading_date)
        self._tracks.clear()
        self._scenarios.clear()

    @property
    def step(self) -> int:
        """The present grid step of the day, -1 before the opening."""
        elapsed = (self._clock.now - self._clock.opens).total_seconds()
        return BEFORE_OPEN if elapsed < 0 else min(int(elapsed / STEP_S), DAY_STEPS)

    def quote(self, contract: Contract) -> Quote:
        """The contract's quote now. Before the opening ltp is yesterday's last price and the rest is 0."""
        track = self._track(contract)
        if track.done < self.step:
            catch_up([track], self.step)
        return self._quote(track)

    def quotes(self, contracts: Iterable[Contract]) -> dict[ContractKey, Quote]:
        """Many quotes at once, which is much cheaper than one by one."""
        return {track.tape.contract.key: self._quote(track) for track in self.look_at(contracts)}

    def look_at(self, contracts: Iterable[Contract]) -> list[Track]:
        """Brings them up to now together, so that asking for each is cheap afterwards."""
        tracks = [self._track(contract) for contract in contracts]
        groups: defaultdict[tuple[str, str, date | None, bool], list[Track]] = defaultdict(list)
        for track in tracks:
            c = track.tape.contract
            groups[c.underlying, c.exchange, c.expiry, c.is_option].append(track)
        for group in groups.values():
            catch_up(group, self.step)
        return tracks

    def depth(self, contract: Contract, quote: Quote | None = None) -> Depth:
        """Five levels a side now; empty when nothing can trade. `quote`: its quote of now, where it is at hand."""
        track = self._track(contract)
        quote = quote or self.quote(contract)
        return activity.depth(track.tape, self.step, quote) if quote.ask > 0 else activity.NO_DEPTH

    def history(self, contract: Contract, interval: str, start: date, end: date) -> list[Bar]:
        """Bars of IST dates start..end inclusive, ascending, none after now. interval: 1m 3m 5m 10m 15m 30m 1h D.

        Raises ValueError for an interval the broker does not serve. Goes back at most LONGEST_HISTORY.
        """
        if interval != "D" and interval not in INTERVALS:
            raise ValueError(f"Unsupported timeframe: {interval}")
        today = self._clock.trading_date
        day = max(start, today - LONGEST_HISTORY)
        bars: list[Bar] = []
        while day <= min(end, today):
            if self._calendar.is_trading_day(day):
                bars += self._bars_of(contract, interval, day)
            day += timedelta(days=1)
        return bars

    def spot(self, underlying: str) -> float:
        """The index's or equity's exact price now, rupees. Raises KeyError for an unknown name."""
        step = max(self.step, 0)
        path = self._paths.path(underlying, self._clock.trading_date)
        return float(path.price(np.array([step]))[0])

    def forward(self, underlying: str, expiry: date) -> float:
        """The forward at an expiry now, rupees."""
        years = years_to_expiry(expiry, self._clock.trading_date)
        left = max(years - max(self.step, 0) * STEP_S / (365 * 86400), 0.0)
        return float(forward(np.array([self.spot(underlying)]), np.array([left]))[0])

    def greeks(self, contract: Contract) -> Greeks:
        """Greeks of an option by the model that prices it. Raises ValueError for anything else."""
        if not contract.is_option or contract.expiry is None:
            raise ValueError(f"{contract.symbol} is not an option")
        tape = self._track(contract).tape
        steps = np.array([max(self.step, 0)])
        years = years_left(tape, steps)
        future = forward(tape.path.price(steps), years)
        at_the_money = tape.path.implied_volatility(steps)
        volatility = smile(at_the_money, future, np.array([contract.strike]), years)
        sign = 1 if contract.kind == "CE" else -1
        return greeks(float(future[0]), contract.strike, float(volatility[0]), float(years[0]), sign)

    def values_after(self, contract: Contract, moves: FloatArray) -> FloatArray:
        """Model values of a future or option if its underlying moved by these fractions now, volatility unchanged."""
        if self._scenarios_at != self.step:
            self._scenarios.clear()
            self._scenarios_at = self.step
        key = (contract.key, moves.tobytes())
        if key not in self._scenarios:
            self._scenarios[key] = moved_value(self._track(contract).tape, max(self.step, 0), moves)
        return self._scenarios[key]

    def spot_value(self, contract: Contract) -> float:
        """The model value of a future or option now."""
        return float(self.values_after(contract, np.zeros(1))[0])

    def traded_between(self, contract: Contract, first: int, last: int) -> bool:
        """Whether a trade printed at a step in first..last, found without pricing anything."""
        return len(trade_steps(self._track(contract).tape, max(first, 0), last)) > 0

    def trade_units(self, contract: Contract, first: int, last: int) -> int:
        """Units that changed hands at steps first..last."""
        tape = self._track(contract).tape
        return sum(activity.last_units(tape, int(step)) for step in trade_steps(tape, max(first, 0), last))

    def move_index(
        self, name: str, *, percent: float | None = None, points: float | None = None, over_seconds: float = 0.0
    ) -> None:
        """Push an index by a percentage or by points, spread evenly over virtual seconds, on top of its own path.

        Raises ValueError for an unknown name, or unless exactly one of percent and points is given, or when the
        price would fall below a tenth of itself.
        """
        if name not in BY_NAME:
            raise ValueError(f"unknown index {name!r}; known: {', '.join(BY_NAME)}")
        if (percent is None) == (points is None):
            raise ValueError("give either percent or points")
        share = percent / 100 if percent is not None else (points or 0.0) / self.spot(name)
        if not -0.9 <= share <= 9:
            raise ValueError("the move must leave the price between a tenth and ten times of itself")
        start = max(self.step, 0)
        push = Push(start + 1, max(0, round(over_seconds / STEP_S)), float(np.log1p(share)))
        self._paths.push(name, self._clock.trading_date, push)

    def scale_wandering(self, factor: float) -> None:
        """Make all paths wander `factor` times as far for the rest of the day; outside moves are not scaled.

        Raises ValueError outside 0..10.
        """
        if not 0 <= factor <= 10:
            raise ValueError(f"amplitude is {factor}; give 0 to 10")
        self._paths.scale(self._clock.trading_date, max(self.step, 0), factor)

    def set_price(self, contract: Contract, price: float) -> None:
        """Shift a contract from the next step on so that it starts from this price; it moves on from there.

        For an index or equity all that hangs on it moves too. Raises ValueError for a price not above 0.
        """
        if price <= 0:
            raise ValueError("the price must be above 0")
        if not contract.is_derivative and contract.underlying in BY_NAME:
            self.move_index(contract.underlying, points=price - self.spot(contract.underlying))
            return
        track = self._track(contract)
        quote = self.quote(contract)
        track.tape.offsets.append(Offset(max(self.step, 0) + 1, price - quote.ltp))

    def _bars_of(self, contract: Contract, interval: str, day: date) -> Sequence[Bar]:
        today = day == self._clock.trading_date
        tape = self._track(contract).tape if today else self._tape(contract, day)
        minutes = minute_bars(tape, self.step if today else tape.last_step)
        if interval == "D":
            return list(day_bar(minutes, tape))
        opening = int(ist(day, CASH_OPEN).timestamp())
        size = INTERVALS[interval]
        return minutes if size == 1 else longer_bars(minutes, size, opening)

    def _tape(self, contract: Contract, day: date) -> Tape:
        name = "NIFTY" if contract.symbol == VIX.name else contract.underlying
        return make_tape(self._seed, contract, self._paths.path(name, day))

    def _track(self, contract: Contract) -> Track:
        track = self._tracks.get(contract.key)
        if track is None:
            track = Track(self._tape(contract, self._clock.trading_date))
            self._tracks[contract.key] = track
        return track

    def _prev_close(self, contract: Contract) -> float:
        before = self._calendar.previous_trading_day(self._clock.trading_date)
        tape = self._tape(contract, before)
        last = tape.last_trade(tape.last_step)
        return float(sweep([tape], np.array([last], np.int64)).ltp[0, 0])

    def _quote(self, track: Track) -> Quote:
        if not track.prev_close:
            track.prev_close = self._prev_close(track.tape.contract)
        step, tape = self.step, track.tape
        if step == BEFORE_OPEN:
            oi = activity.open_interest(tape, 0)
            return Quote(track.prev_close, 0.0, 0.0, 0.0, 0.0, 0.0, track.prev_close, 0, oi, 0, 0.0, 0)
        last = tape.last_trade(min(step, tape.last_step))
        closed = step > tape.last_step or self._clock.now >= self._clock.closes
        return Quote(
            ltp=track.ltp,
            bid=0.0 if closed else track.bid,
            ask=0.0 if closed else track.ask,
            open=track.open,
            high=track.high,
            low=track.low,
            prev_close=track.prev_close,
            volume=activity.volume(tape, last),
            oi=activity.open_interest(tape, last),
            ltq=activity.last_units(tape, last),
            average_price=round(track.price_sum / track.trades, 2),
            last_trade_ms=int(self._clock.opens.timestamp() * 1000 + last * STEP_S * 1000),
        )
