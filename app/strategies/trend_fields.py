"""The builder's fields of the Supertrend exit, as what they mean."""

from decimal import Decimal
from enum import Enum
from typing import TypeVar

from app.domain.supertrend import MULTIPLIERS, PERIODS, SupertrendExit, TrendOf, TrendTurn
from app.strategies.floor_fields import Reader
from app.strategies.typed import Typed
from app.web.typed_numbers import NotThat, amount, quoted, whole

MOST_LEG = 20
MOST_MINUTES = 60

Word = TypeVar("Word", bound=Enum)


def trend_of(reader: Reader, typed: Typed) -> SupertrendExit | None:
    """None for no such rule; then what its other fields hold is no wish. What is wrong is noted."""
    if not typed.trend_turn:
        return None
    turn = reader.take("trend_turn", lambda: _word(TrendTurn, typed.trend_turn))
    of = reader.take("trend_of", lambda: _word(TrendOf, typed.trend_of))
    leg = reader.take("trend_leg", lambda: whole(typed.trend_leg, 1, MOST_LEG) if typed.trend_leg else None)
    minutes = reader.take("trend_minutes", lambda: whole(typed.trend_minutes, 1, MOST_MINUTES))
    period = reader.take("trend_period", lambda: whole(typed.trend_period, *PERIODS))
    multiplier = reader.take("trend_multiplier", lambda: _multiplier(typed.trend_multiplier))
    if turn is None or of is None or minutes is None or period is None or multiplier is None:
        return None
    return SupertrendExit(turn, of, leg if of is TrendOf.LEG else None, minutes, period, float(multiplier))


def _multiplier(text: str) -> Decimal:
    return amount(text, Decimal(str(MULTIPLIERS[1])), 2, "3")


def _word(words: type[Word], text: str) -> Word:
    try:
        return words(text)
    except ValueError:
        offered = ", ".join(str(word.value) for word in words)
        raise NotThat(f"{quoted(text)} cannot be used. Choose one of {offered}.") from None
