"""The rules of a run: how far away each is, and what was seen when one fired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain import wording
from app.domain.pnl import RunPnl
from app.domain.risk import RiskRule
from app.services.peaks import FloorsNow
from app.services.run_board import RunView
from app.services.square_off import Leaving
from app.trading.run_rows import Fired

NAMES = {
    RiskRule.MAX_LOSS: "Max loss",
    RiskRule.MAX_PROFIT: "Max profit",
    RiskRule.SQUARE_OFF: "Square-off",
    RiskRule.TRAIL: "Trailing stop",
    RiskRule.LOCK: "Locked profit",
    RiskRule.LEG_STOP: "Leg stop",
    RiskRule.LEG_TARGET: "Leg target",
    RiskRule.SUPERTREND: "Supertrend",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`threshold` is signed as P&L is; None for the clock, whose times `note` gives. `distance` is rupees to go, None
    while the P&L is not known or it is over.

    `state`: armed, fired, or off once the run is over. `used_pct` is 0..100 of the way there.
    """

    key: str
    name: str
    state: str
    threshold: Decimal | None
    distance: Decimal | None
    used_pct: int | None
    note: str | None


def rules_of(
    view: RunView, pnl: RunPnl, fired: Sequence[Fired], leaving: Sequence[Leaving], floors: FloorsNow
) -> list[Rule]:
    """`leaving`: when what is left of the run goes by the clock, the earliest first; `floors`: as its peak says."""
    events = {event.rule: event for event in fired if not event.place}
    rules = []
    if view.max_loss is not None:
        rules.append(_rule(view, RiskRule.MAX_LOSS, -view.max_loss, pnl, events.get(RiskRule.MAX_LOSS)))
    if view.max_profit is not None:
        rules.append(_rule(view, RiskRule.MAX_PROFIT, view.max_profit, pnl, events.get(RiskRule.MAX_PROFIT)))
    if view.floors.trail is not None:
        rules.append(_floor(view, RiskRule.TRAIL, floors.trail, pnl, events.get(RiskRule.TRAIL)))
    if view.floors.lock is not None:
        rules.append(_floor(view, RiskRule.LOCK, floors.lock, pnl, events.get(RiskRule.LOCK)))
    if leaving or any(event.rule == RiskRule.SQUARE_OFF for event in fired):
        rules.append(_by_clock(view, fired, leaving))
    return rules


def _floor(view: RunView, rule: RiskRule, floor: Decimal | None, pnl: RunPnl, event: Fired | None) -> Rule:
    """A floor that rises with the peak. None: it sleeps, or the entry it is measured by has not settled."""
    over = view.state in {"CLOSED", "REFUSED"}
    state = "fired" if event is not None else "off" if over else "armed" if floor is not None else "asleep"
    which = 0 if rule is RiskRule.TRAIL or view.floors.trail is None else 1
    armed = state == "armed"
    return Rule(
        key=rule.value,
        name=NAMES[rule],
        state=state,
        threshold=floor if event is None else event.threshold,
        distance=pnl.total - floor if armed and pnl.total is not None and floor is not None else None,
        used_pct=None,
        note=fired_words(event) if event is not None else view.floors.words()[which],
    )


def _by_clock(view: RunView, fired: Sequence[Fired], leaving: Sequence[Leaving]) -> Rule:
    """One line for all accounts, which may have cut-offs of their own."""
    past = [event.action for event in fired if event.rule == RiskRule.SQUARE_OFF]
    words = list(dict.fromkeys(f"Leaves {each.words()}." for each in leaving))
    over = view.state in {"CLOSED", "REFUSED"}
    return Rule(
        key=RiskRule.SQUARE_OFF.value,
        name=NAMES[RiskRule.SQUARE_OFF],
        state="fired" if past else "off" if over else "armed",
        threshold=None,
        distance=None,
        used_pct=None,
        note=" ".join([*past[-1:], *words]) or None,
    )


def _rule(view: RunView, rule: RiskRule, threshold: Decimal, pnl: RunPnl, event: Fired | None) -> Rule:
    over = view.state in {"CLOSED", "REFUSED"}
    state = "fired" if event is not None else "off" if over else "armed"
    armed = state == "armed"
    used = None if pnl.total is None or not armed else _share(pnl.total, threshold)
    return Rule(
        key=rule.value,
        name=NAMES[rule],
        state=state,
        threshold=threshold,
        distance=abs(threshold - pnl.total) if armed and pnl.total is not None else None,
        used_pct=100 if event is not None else used,
        note=fired_words(event) if event is not None else _missing_note(rule, pnl) if armed else None,
    )


def _share(total: Decimal, threshold: Decimal) -> int:
    """How much of the way from 0 to the threshold has been gone; 0 on the other side of it."""
    return max(0, min(100, int(total * 100 / threshold)))


def _missing_note(rule: RiskRule, pnl: RunPnl) -> str | None:
    if pnl.is_complete:
        return None
    if rule is RiskRule.MAX_PROFIT:
        return "Waits while a price is missing."
    if pnl.pessimistic is None:
        return "A short has neither price nor ask, so nobody can say how large the loss may be. Look at it yourself."
    return f"While a price is missing it judges the worst case, {wording.signed(pnl.pessimistic)}."


def fired_words(event: Fired) -> str:
    """What it judged by: the P&L, and every price with its age."""
    if event.threshold is None or event.value is None:
        return event.action
    threshold = -event.threshold if event.rule == RiskRule.MAX_LOSS else event.threshold
    judged = fired_prices(event)
    return (
        f"At {wording.ist(event.at)} the P&L was {wording.inr(event.value)} against {wording.inr(threshold)}. "
        f"{judged}{' ' if judged else ''}{event.action}"
    )


def fired_prices(event: Fired) -> str:
    """Every price that it judged by with its age; empty where it took none."""
    prices = "; ".join(_price(symbol, price) for symbol, price in event.prices.items())
    return f"Prices: {prices}." if prices else ""


def _price(symbol: str, price: object) -> str:
    if not isinstance(price, Mapping):
        return f"{symbol} had none"
    touch = f", bid {price.get('bid') or '—'}, ask {price.get('ask') or '—'}"
    return f"{symbol} {price.get('ltp')}{touch}, {price.get('age_s')} s old"
