"""Every day's path of every underlying: lived days on the fine grid, earlier days made up on demand."""

import math
from datetime import date

from simulator.calendar import TradingCalendar
from simulator.noise import key_of
from simulator.paths import DAY_STEPS, PAST_STEPS, DayPath, Push, day_return, make_day
from simulator.underlyings import BY_NAME, UNDERLYINGS

LEVEL_SPREAD = 0.004
PAST_KEPT = 64


class PathLibrary:
    """Finds the path of an underlying on a trading day. Closes join: a day begins from the close before it."""

    def __init__(self, seed: int, calendar: TradingCalendar, first_day: date) -> None:
        """`first_day` is the first lived day; days before it are history."""
        self._seed = seed
        self._calendar = calendar
        self._first_day = first_day
        self._lived: dict[tuple[str, date], DayPath] = {}
        self._past: dict[tuple[str, date], DayPath] = {}
        eve = calendar.previous_trading_day(first_day)
        self._closes = {(u.name, eve): _level(seed, u.name) for u in UNDERLYINGS}

    def begin_day(self, day: date) -> None:
        """Make the day's paths; call once per lived day, in order."""
        before = self._calendar.previous_trading_day(day)
        for underlying in UNDERLYINGS:
            close = self.close(underlying.name, before)
            self._lived[underlying.name, day] = make_day(self._seed, underlying, day, close, DAY_STEPS)

    def path(self, name: str, day: date) -> DayPath:
        """The path of a trading day up to today."""
        lived = self._lived.get((name, day))
        return lived if lived is not None else self._past_path(name, day)

    def push(self, name: str, day: date, push: Push) -> None:
        """Lay an outside move over a lived day."""
        self._lived[name, day].lay(push)

    def scale(self, day: date, step: int, factor: float) -> None:
        """Make every lived path of a day wander `factor` times as far from `step` on."""
        for (_, lived_day), path in self._lived.items():
            if lived_day == day:
                path.scale(step, factor)

    def close(self, name: str, day: date) -> float:
        """The underlying's price at 15:40 of a trading day."""
        lived = self._lived.get((name, day))
        if lived is not None:
            return lived.close()
        return self._past_close(name, day)

    def _past_close(self, name: str, day: date) -> float:
        known = self._closes.get((name, day))
        if known is not None:
            return known
        missing = [day]
        while (name, missing[-1]) not in self._closes:
            missing.append(self._calendar.next_trading_day(missing[-1]))
        after = missing.pop()
        for current in reversed(missing):
            total, _ = day_return(self._seed, BY_NAME[name], after)
            self._closes[name, current] = self._closes[name, after] / math.exp(total)
            after = current
        return self._closes[name, day]

    def _past_path(self, name: str, day: date) -> DayPath:
        found = self._past.get((name, day))
        if found is None:
            before = self._past_close(name, self._calendar.previous_trading_day(day))
            found = make_day(self._seed, BY_NAME[name], day, before, PAST_STEPS)
            if len(self._past) >= PAST_KEPT:
                self._past.pop(next(iter(self._past)))
            self._past[name, day] = found
        return found


def _level(seed: int, name: str) -> float:
    """The close before the first lived day: the usual level, give or take a little by seed."""
    unit = key_of(seed, "level", name) / 2**64
    return BY_NAME[name].level * (1 + LEVEL_SPREAD * (unit - 0.5))
