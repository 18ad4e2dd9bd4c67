"""Which legs of a run have reached their stop or target, each judged from the average of its own account."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from cachetools import LRUCache

from app.domain.contracts import ContractKey, Side
from app.domain.leg_rules import LegLevels, Reached, levels
from app.domain.pnl import MARK_MAX_AGE_S, Mark
from app.domain.risk import RiskRule
from app.domain.wording import price as price_words
from app.services.part_due import Marks, PartDue
from app.services.run_board import AccountView, CellView, RunView

MOST_KEPT = 256
"""Runs whose levels are kept; they are worked out anew when the run changes."""

RULES = {Reached.STOP: RiskRule.LEG_STOP, Reached.TARGET: RiskRule.LEG_TARGET}


@dataclass(frozen=True, slots=True)
class Watched:
    """A held leg of one account that its rule may take out."""

    cell: CellView
    account: str
    levels: LegLevels


@dataclass(slots=True)
class _Edges:
    """The legs in one contract and the prices beyond which none of them has anything to say."""

    legs: list[Watched]
    above: Decimal | None = None
    below: Decimal | None = None

    def is_near(self, price: Decimal) -> bool:
        above = self.above is not None and price >= self.above
        return above or (self.below is not None and price <= self.below)


class LegWatch:
    """For one thread. With fifty accounts a tick asks two comparisons of each contract, not a hundred legs."""

    def __init__(self) -> None:
        self._kept: LRUCache[int, tuple[RunView, dict[ContractKey, _Edges]]] = LRUCache(MOST_KEPT)

    def due(self, view: RunView, marks: Marks) -> list[PartDue]:
        """Empty while the prices are missing, stale or no prices: a leg is then left by nothing but other rules."""
        if not view.exits.legs.legs:
            return []
        found: list[PartDue] = []
        for key, edges in self._edges(view).items():
            mark = marks.get(key)
            if mark is None or not is_fresh(mark) or not edges.is_near(mark.value):
                continue
            found += [due for leg in edges.legs if (due := _due(leg, mark)) is not None]
        return found

    def asked(self, view: RunView, due: Iterable[PartDue]) -> None:
        """Their exits are latched: until a newer view shows it they are not due again."""
        gone = {(each.account_id, each.leg) for each in due}
        for edges in self._edges(view).values():
            edges.legs = [leg for leg in edges.legs if (leg.cell.account_id, leg.cell.leg) not in gone]

    def _edges(self, view: RunView) -> dict[ContractKey, _Edges]:
        kept = self._kept.get(view.run_id)
        if kept is None or kept[0] is not view:
            edges: dict[ContractKey, _Edges] = {}
            for leg in watched(view):
                _add(edges.setdefault(leg.cell.contract.key, _Edges([])), leg)
            kept = self._kept[view.run_id] = (view, edges)
        return kept[1]


def watched(view: RunView) -> Iterator[Watched]:
    """The legs that are held, not leaving, and have a rule."""
    for account in view.accounts:
        for cell in account.cells:
            found = _watched(view, account, cell)
            if found is not None:
                yield found


def _watched(view: RunView, account: AccountView, cell: CellView) -> Watched | None:
    rule = view.exits.legs.of(cell.leg)
    average = cell.position.average
    if rule is None or average is None or cell.exit_wanted is not None or cell.net * cell.side.sign <= 0:
        return None
    return Watched(cell, account.name, levels(rule, cell.side, average, at_cost=cell.at_cost))


def is_fresh(mark: Mark) -> bool:
    return mark.age_s <= MARK_MAX_AGE_S and mark.value > 0


def _add(edges: _Edges, leg: Watched) -> None:
    edges.legs.append(leg)
    stop, target = leg.levels.stop, leg.levels.target
    above, below = (stop, target) if leg.cell.side is Side.SELL else (target, stop)
    if above is not None:
        edges.above = above if edges.above is None else min(edges.above, above)
    if below is not None:
        edges.below = below if edges.below is None else max(edges.below, below)


def _due(leg: Watched, mark: Mark) -> PartDue | None:
    reached = leg.levels.reached(mark.value)
    if reached is None:
        return None
    cell = leg.cell
    at = leg.levels.stop if reached is Reached.STOP else leg.levels.target
    assert at is not None
    cost = " (its cost)" if reached is Reached.STOP and cell.at_cost and at == cell.position.average else ""
    reason = (
        f"{reached.value.capitalize()} of leg {cell.leg} in {leg.account} at {price_words(at)}{cost} reached: "
        f"{cell.contract.key.symbol} is at {price_words(mark.value)}."
    )
    keys = frozenset({cell.contract.key})
    return PartDue(RULES[reached], cell.account_id, cell.leg, at, mark.value, keys, reason)
