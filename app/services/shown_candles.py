"""The candles that pages show: our own, or where another process leads those that it made and told."""

from dataclasses import replace
from typing import Protocol

from app.ports.cache import Cache
from app.ports.clock import Clock
from app.services.candle_series import Subject
from app.services.candle_store import CandleStore, CandleView, check_size
from app.services.feed_news import DOUBTED_AFTER_S, TELL_EVERY_S
from app.services.news_follower import NewsFollower, decoded
from app.services.onlookers import WantedCandles
from app.services.told_market import CANDLES_OF, candle_place

ASKED = "The engine, in another process, was asked for these candles just now. They come within seconds."


class Candles(Protocol):
    """What pages ask of candles; as in CandleStore."""

    def view(self, subject: Subject, size: int, *, of_closes: bool = False) -> CandleView: ...


class ShownCandles:
    """The Candles port. Thread-safe; asks the cache, which may take as long as one look into the database.

    Of what was told there are the newest `MOST_TOLD` candles.
    """

    def __init__(self, own: CandleStore, follower: NewsFollower, cache: Cache, clock: Clock) -> None:
        self._own = own
        self._follower = follower
        self._cache = cache
        self._clock = clock

    def view(self, subject: Subject, size: int, *, of_closes: bool = False) -> CandleView:
        """As CandleStore's. Elsewhere the leader is asked to keep them; what it told last says how old it is."""
        if not self._follower.is_active:
            return self._own.view(subject, size, of_closes=of_closes)
        check_size(size)
        wanted = WantedCandles(subject.legs, size, of_closes)
        self._follower.want_candles(wanted)
        kept = self._cache.get(candle_place(wanted), TELL_EVERY_S)
        told = None if kept is None else decoded(CANDLES_OF, kept)
        if kept is None or told is None:
            return CandleView(subject, size, None, (), (), ASKED, "")
        if kept.age_s <= DOUBTED_AFTER_S:
            return told
        old = f"The engine, in another process, told this {kept.age_s:.0f} s ago and nothing since."
        return replace(told, trouble=" ".join(filter(None, (old, told.trouble))))
