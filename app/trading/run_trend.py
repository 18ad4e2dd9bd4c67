"""The Supertrend exit of a run as its page shows it: where the trend stands, and on which candle that rests."""

from collections.abc import Sequence

from app.domain.calendar import IST
from app.domain.risk import RiskRule
from app.domain.supertrend import UNKNOWN, UP
from app.services.run_board import RunView
from app.services.shown_candles import Candles
from app.services.supertrend_watch import SupertrendWatch, TrendNow
from app.trading.run_rows import Fired
from app.trading.run_rules import NAMES, Rule


def trend_of(watch: SupertrendWatch, candles: Candles, view: RunView, fired: Sequence[Fired]) -> list[Rule]:
    """One line, or none for a run without such a rule."""
    rule = view.exits.supertrend
    if rule is None:
        return []
    over = view.state in {"CLOSED", "REFUSED"}
    event = next((each for each in fired if each.rule == RiskRule.SUPERTREND), None)
    now = None if over or event is not None else watch.now(view, candles)
    known = now is not None and now.seen.direction != UNKNOWN and not now.seen.wanting
    parts = [rule.words()]
    if event is not None:
        parts.append(event.action)
    elif now is not None:
        parts.append(_stands(now))
    return [
        Rule(
            key=RiskRule.SUPERTREND.value,
            name=NAMES[RiskRule.SUPERTREND],
            state="fired" if event is not None else "off" if over else "armed" if known else "waiting",
            threshold=None,
            distance=None,
            used_pct=None,
            note=" ".join(parts),
        )
    ]


def _stands(now: TrendNow) -> str:
    seen = now.seen
    trouble = f" {now.trouble}" if now.trouble else ""
    if seen.candle is None or seen.candle.prices is None or seen.line is None:
        return f"It waits for {seen.wanting} complete candles.{trouble}"
    way = "up, the line below" if seen.direction == UP else "down, the line above"
    times = f"{seen.candle.opens.astimezone(IST):%H:%M} to {seen.candle.closes.astimezone(IST):%H:%M}"
    wanting = f" {seen.wanting} more candles until a turn counts." if seen.wanting else ""
    return (
        f"Now {way}: {seen.line:.2f}, the last candle ({times}) closed at {seen.candle.prices.close:.2f}."
        f"{wanting}{trouble}"
    )
