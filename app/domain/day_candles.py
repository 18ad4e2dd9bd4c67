"""One session's minutes as they grow: its time goes on seen or unseen, prices fall into it, and what is over stays."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from app.domain.calendar import Session
from app.domain.candles import MINUTE, NOTHING, Candle, MinuteBar, Ohlc, Origin, Standing, joined
from app.domain.candles import of_closes as only_closes


@dataclass(frozen=True, slots=True)
class DayCandles:
    """All minutes of one session up to `until`, without a hole between them.

    `growing` is the minute that `until` lies in, None once the session is over. `traded` is the day's volume in units
    with the newest price and `traded_before` the one when the growing minute began; None while that is not known.
    """

    session: Session
    until: datetime
    ended: tuple[Candle, ...]
    growing: Candle | None
    traded: int | None = 0
    traded_before: int | None = 0

    @property
    def minutes(self) -> tuple[Candle, ...]:
        """All of them, the growing one last."""
        return self.ended if self.growing is None else (*self.ended, self.growing)

    def candles(self, size: int, *, of_closes: bool = False) -> tuple[Candle, ...]:
        """Candles of `size` minutes; the last may still grow. `of_closes`: of the minutes' last prices alone."""
        return joined(only_closes(self.minutes) if of_closes else self.minutes, self.session, size)


def fresh(session: Session) -> DayCandles:
    """A session at its opening."""
    return DayCandles(session, session.opens, (), _minute(session, session.opens))


def in_other_hours(day: DayCandles, session: Session) -> DayCandles | None:
    """The same candles when a session is prolonged or cut short while it lasts; None when they do not fit into it."""
    growing = day.growing
    if growing is None or session.opens != day.session.opens or growing.closes - growing.opens < MINUTE:
        return None
    return replace(day, session=session) if growing.closes <= session.closes else None


def watched(day: DayCandles, until: datetime) -> DayCandles:
    """The market was seen until then. A moment that is not later than the last changes nothing."""
    return _advanced(day, until, seen=True)


def unwatched(day: DayCandles, until: datetime) -> DayCandles:
    """The market was not seen from the last moment until then: the minutes concerned say for how long."""
    return _advanced(day, until, seen=False)


def priced(day: DayCandles, at: datetime, price: float, traded: int | None = None) -> DayCandles:
    """A price of that moment, until which the market was seen. `traded` is the day's volume with it, in units.

    One of before `day.until`, or of outside the session, changes nothing: what is over stays as it was.
    """
    if at < day.until or not day.session.opens <= at < day.session.closes:
        return day
    day = watched(day, at)
    growing = day.growing
    if growing is None:
        return day
    prices = Ohlc.of(price) if growing.prices is None else growing.prices.then(price)
    before = day.traded_before
    volume = None if traded is None or before is None or traded < before else traded - before
    return replace(day, growing=replace(growing, prices=prices, volume=volume), traded=traded)


def repaired(day: DayCandles, bars: Mapping[datetime, MinuteBar]) -> DayCandles:
    """With what history has of minutes that were not wholly seen. A minute that is final keeps what it had."""
    if not any(each.standing is Standing.GAPPED and each.opens in bars for each in day.ended):
        return day
    return replace(day, ended=tuple(_mended(each, bars.get(each.opens)) for each in day.ended))


def repaired_by(day: DayCandles, read: DayCandles) -> DayCandles:
    """With what another account of the same session has of minutes that this one did not wholly see."""
    known = {
        each.opens: MinuteBar(each.opens, each.prices, each.volume, each.closes_only)
        for each in read.ended
        if each.prices is not None and each.standing is Standing.FINAL
    }
    return repaired(day, known)


def of_history(session: Session, bars: Mapping[datetime, MinuteBar]) -> DayCandles:
    """A past session as history has it; minutes that it lacks are unseen."""
    return repaired(unwatched(fresh(session), session.closes), bars)


def gaps(day: DayCandles) -> tuple[tuple[datetime, datetime], ...]:
    """From where to where minutes were not wholly seen and not repaired, the growing one included."""
    found: list[tuple[datetime, datetime]] = []
    for each in day.minutes:
        if not each.unseen:
            continue
        if found and found[-1][1] == each.opens:
            found[-1] = (found[-1][0], each.closes)
        else:
            found.append((each.opens, each.closes))
    return tuple(found)


def _advanced(day: DayCandles, until: datetime, *, seen: bool) -> DayCandles:
    until = min(until, day.session.closes)
    if until <= day.until:
        return day
    ended, growing, at = list(day.ended), day.growing, day.until
    traded, before = (day.traded, day.traded_before) if seen else (None, None)
    while growing is not None and growing.closes <= until:
        ended.append(_ended(_missed(growing, at, growing.closes, seen=seen)))
        at, before = growing.closes, traded
        growing = _minute(day.session, at) if at < day.session.closes else None
    if growing is not None:
        growing = _missed(growing, at, until, seen=seen)
    minutes = tuple(ended) if len(ended) > len(day.ended) else day.ended
    return DayCandles(day.session, until, minutes, growing, traded, before)


def _minute(session: Session, opens: datetime) -> Candle:
    return Candle(opens, min(opens + MINUTE, session.closes))


def _missed(minute: Candle, since: datetime, until: datetime, *, seen: bool) -> Candle:
    return minute if seen else replace(minute, unseen=minute.unseen + (until - since), volume=None)


def _ended(minute: Candle) -> Candle:
    return replace(minute, standing=Standing.GAPPED if minute.unseen else Standing.FINAL)


def _mended(minute: Candle, bar: MinuteBar | None) -> Candle:
    if bar is None or minute.standing is not Standing.GAPPED:
        return minute
    return Candle(
        minute.opens,
        minute.closes,
        bar.prices,
        bar.volume,
        NOTHING,
        Standing.FINAL,
        Origin.HISTORY,
        closes_only=bar.closes_only,
    )
