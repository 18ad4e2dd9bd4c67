"""The stops and targets of a run's legs as its page shows them: the nearest account, who left, what it waits for."""

from collections.abc import Sequence

from app.domain.leg_rules import Level, level_words
from app.domain.risk import RiskRule
from app.domain.wording import price
from app.services.leg_watch import Watched, is_fresh, watched
from app.services.run_board import RunBoard, RunView
from app.trading.run_rows import Fired
from app.trading.run_rules import Rule, fired_prices


def leg_rules_of(runs: RunBoard, view: RunView, fired: Sequence[Fired]) -> list[Rule]:
    """One line for each stop and each target, whatever the number of accounts."""
    found = []
    for rule in view.exits.legs.legs:
        for kind, level in ((RiskRule.LEG_STOP, rule.stop), (RiskRule.LEG_TARGET, rule.target)):
            if level is not None:
                found.append(_rule(runs, view, rule.leg, kind, level, fired))
    return found


def _rule(runs: RunBoard, view: RunView, leg: int, kind: RiskRule, level: Level, events: Sequence[Fired]) -> Rule:
    legs = [each for each in watched(view) if each.cell.leg == leg]
    fired = [event for event in events if event.rule == kind and event.place.endswith(f" leg {leg}")]
    what = "stop" if kind is RiskRule.LEG_STOP else "target"
    over = view.state in {"CLOSED", "REFUSED"}
    parts = [f"{level_words(level).capitalize()}."]
    if legs and not over:
        parts.append(_nearest(runs, legs, is_stop=kind is RiskRule.LEG_STOP))
    if fired:
        accounts = f"{len(fired)} {'account' if len(fired) == 1 else 'accounts'}"
        parts.append(f"It took {accounts} out; the last: {fired[-1].action} {fired_prices(fired[-1])}".rstrip())
    return Rule(
        key=f"{kind.value}:{leg}",
        name=f"Leg {leg} {what}",
        state="off" if over and not fired else "armed" if legs and not over else "fired" if fired else "waiting",
        threshold=None,
        distance=None,
        used_pct=None,
        note=" ".join(parts),
    )


def _nearest(runs: RunBoard, legs: list[Watched], *, is_stop: bool) -> str:
    at = {each.account: each.levels.stop if is_stop else each.levels.target for each in legs}
    known = {account: level for account, level in at.items() if level is not None}
    moved = sum(1 for each in legs if is_stop and each.cell.at_cost)
    cost = f" {moved} moved to cost." if moved else ""
    mark = runs.mark(legs[0].cell.contract.key)
    if not known:
        return f"No price can reach it.{cost}"
    if mark is None or not is_fresh(mark):
        return f"It waits: {legs[0].cell.contract.key.symbol} has no fresh price.{cost}"
    account = min(known, key=lambda name: abs(known[name] - mark.value))
    away = abs(known[account] - mark.value)
    return f"Nearest at {price(known[account])} in {account}, {price(away)} away.{cost}"
