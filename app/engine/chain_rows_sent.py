"""The rows of a chain as pages are told them: by their place, in the words of the page, only what changed since.

One text for everybody who watches. Rows are parted by `;`, fields by `|`. The first field is the row's number: calls
have even ones, puts odd ones, from the lowest strike up. `+` after it says that the price came since the row was told
last, with its age in seconds where that is a second or more. A field that did not change is empty, and those at the
end are left out. `?` is a figure that nobody knows, `-` the real minus.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.domain import wording
from app.services.chain_view import ChainSide, ChainView

TURNS = 20
"""In so many rounds each row is told once in full: a page that lost a message, or came late, is right again by then."""
AGE_MOVED_S = 1.0
_SAME_S = 0.001
"""Ages are differences of floats: what is closer is the same moment."""

Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """The figures of a row in their order, and how each is said."""

    of: Callable[[ChainSide], Values]
    words: tuple[Callable[[Any], str], ...]


def _prices(side: ChainSide) -> Values:
    found = side.figures
    iv, delta = (None, None) if found is None else (found.iv, found.delta)
    # Often changing ones first: what is empty at the end costs nothing.
    return (
        *(side.ltp, side.change, side.bid, side.ask, iv, delta),
        *(side.volume, side.oi, side.oi_bar, side.oi_change),
    )


def _greeks(side: ChainSide) -> Values:
    found = side.figures
    return (None, None, None) if found is None else (found.gamma, found.theta, found.vega)


def _decimals(places: int) -> Callable[[Any], str]:
    return lambda value: wording.fixed(value, places)


PRICES = Fields(
    _prices,
    (
        *(wording.price, wording.signed_price, wording.price, wording.price, _decimals(1), _decimals(2)),
        *(wording.inr_short, wording.inr_short, str, wording.signed_short),
    ),
)
GREEKS = Fields(_greeks, (_decimals(5), _decimals(2), _decimals(2)))


@dataclass(slots=True)
class _Told:
    """What pages know of one row: values and words of its fields, and when its price was received."""

    values: Values
    words: list[str]
    received: float | None = None


@dataclass(slots=True)
class RowsSent:
    """What was told of one chain; for one thread."""

    fields: Fields
    with_ages: bool = True
    _layout: int | None = None
    _turn: int = 0
    _rows: dict[int, _Told] = field(default_factory=dict)

    def news(self, view: ChainView, now: float) -> str:
        """What is to be told at the monotonic time `now`; empty when nothing is."""
        if view.layout != self._layout:
            self._layout, self._rows = view.layout, {}
        self._turn = (self._turn + 1) % TURNS
        return ";".join(self._all(view, now)).replace(wording.UNKNOWN, "?").replace(wording.MINUS, "-")

    def _all(self, view: ChainView, now: float) -> Iterator[str]:
        for place, row in enumerate(view.rows):
            for number, side in enumerate(row.sides, 2 * place):
                if side is not None and (news := self._row(number, side, now)):
                    yield news

    def _row(self, number: int, side: ChainSide, now: float) -> str:
        told = self._rows.get(number)
        whole = told is None or number % TURNS == self._turn
        if told is None:
            blank = len(self.fields.words)
            told = self._rows[number] = _Told((None,) * blank, [wording.UNKNOWN] * blank)
        changed = self._changed(told, side, whole=whole)
        age = self._age(told, side, now, whole=whole, changed=bool(changed)) if self.with_ages else ""
        if not changed and not age:
            return ""
        return f"{number}{age}{changed}"

    def _changed(self, told: _Told, side: ChainSide, *, whole: bool) -> str:
        before, values, words = told.values, self.fields.of(side), told.words
        if values == before and not whole:
            return ""
        told.values = values
        parts = []
        for place, say in enumerate(self.fields.words):
            text = ""
            if whole or values[place] != before[place]:
                text = say(values[place])
                if text == words[place] and not whole:
                    text = ""
                else:
                    words[place] = text
            parts.append(text)
        found = "|".join(parts).rstrip("|")
        return f"|{found}" if found else ""

    def _age(self, told: _Told, side: ChainSide, now: float, *, whole: bool, changed: bool) -> str:
        """Pages let ages grow by themselves: only a younger price is news, at once with others, else by the second."""
        if side.age_s is None:
            return ""
        received, before = now - side.age_s, told.received
        moved_s = AGE_MOVED_S if before is None else received - before
        if not (moved_s >= AGE_MOVED_S or (changed and moved_s > _SAME_S) or (whole and side.age_s >= AGE_MOVED_S)):
            return ""
        told.received = received
        return "+" if side.age_s < AGE_MOVED_S else f"+{side.age_s:.1f}"
