"""Reads minutes from a gateway for candles that begin late or have gaps: one call at a time, and spaced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.domain.calendar import Session, trading_date
from app.domain.candles import MinuteBar, combined_bars
from app.domain.contracts import ContractKey
from app.domain.day_candles import DayCandles, of_history
from app.domain.history_check import believed, by_day, usual_session
from app.ports.clock import MarketClock
from app.ports.gateway import Gateway, MinuteHistory
from app.services.candle_series import Subject
from app.services.first_answer import AccountOrder, first_answer
from app.services.gateways import Gateways

DAYS_BACK = 6
"""Calendar days before today that are read at the start: two trading days lie in them, holidays allowed for."""
SPACED_S = 0.5
"""Between two calls; the gateway itself makes them 0.35 s apart, whoever asks."""
LOOK_EVERY_S = 0.5
ACCOUNTS_ASKED = 2
"""Accounts asked before giving up for now: a slow gateway may take 20 s to say nothing."""


@dataclass(frozen=True, slots=True)
class Found:
    """What all legs' histories come to. `today` has each leg's minutes; `note` what was wrong with some of it."""

    past: tuple[DayCandles, ...]
    today: tuple[Mapping[datetime, MinuteBar], ...]
    note: str


class CandleHistory:
    """For one thread, which may block on the network."""

    def __init__(self, gateways: Gateways, order: AccountOrder, market_clock: MarketClock) -> None:
        self._gateways = gateways
        self._order = order
        self._market_clock = market_clock

    def read(self, key: ContractKey, *, warm: bool) -> MinuteHistory:
        """Today's minutes, and those of the days before when `warm`. Raises Unavailable."""
        today = trading_date(self._market_clock.now())
        first = today - timedelta(days=DAYS_BACK) if warm else today

        def ask(gateway: Gateway) -> MinuteHistory:
            return gateway.minute_history(key, first, today)

        return first_answer(
            self._gateways, self._order()[:ACCOUNTS_ASKED], ask, f"the minutes of {key.symbol} from history"
        )


def found_in(subject: Subject, parts: Mapping[ContractKey, MinuteHistory], session: Session, now: datetime) -> Found:
    """Judge the legs' histories and put them together. Of earlier days only ordinary sessions are used."""
    today = trading_date(session.opens)
    days = [by_day(parts[key].bars) for key, _ in subject.legs]
    judged = [believed(day.get(today, []), session, now) for day in days]
    dropped = sum(part.dropped for part in parts.values())
    notes = [each.note for each in judged]
    notes.append(f"Rows of the history that made no sense, not used: {dropped}." if dropped else "")
    earlier = sorted({day for each in days for day in each if day < today})
    past = tuple(made for day in earlier if (made := _past(subject, [each.get(day, []) for each in days], day, now)))
    return Found(past, tuple(each.bars for each in judged), " ".join(dict.fromkeys(filter(None, notes))))


def _past(subject: Subject, legs: Sequence[Sequence[MinuteBar]], day: date, now: datetime) -> DayCandles | None:
    session = usual_session(subject.legs[0][0].exchange, day)
    bars = combined_bars([believed(leg, session, now).bars for leg in legs], [ratio for _, ratio in subject.legs])
    return of_history(session, bars) if bars else None
