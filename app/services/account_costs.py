"""What accounts have paid in charges: today, for runs, and on days gone by; reckoned again only when fills came."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from cachetools import LRUCache

from app.domain.market_rules import RuleBook
from app.persistence.database import Database
from app.ports.clock import Clock
from app.services.run_board import CellView, RunView
from app.services.run_charges import FREE, Cost, of_accounts, of_dates

KEPT_S = 60.0
"""For so long a figure holds whose fills are the same: a rate may be another since."""
EARLIER_KEPT_S = 600.0
"""Of days that are over. Their fills do not change any more, and a rate that was missing may have been typed."""
MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: object
    at: float
    cost: Cost


class AccountCosts:
    """Thread-safe. Costs are estimates by the dated rates; one that is not known names the rate that is missing."""

    def __init__(self, database: Database, rules: Callable[[], RuleBook], clock: Clock) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock
        self._kept: LRUCache[object, _Kept] = LRUCache(MOST_KEPT)
        self._guard = threading.Lock()

    def of(self, views: Iterable[RunView], on: date | None = None) -> dict[int, Cost]:
        """By account, of these runs together since they began, or on one trading date."""
        views = list(views)
        stamps = _stamps(views)
        keys = {account_id: (account_id, on, runs) for account_id, (runs, _) in stamps.items()}
        now = self._clock.monotonic()
        found = {}
        for account_id, (_, fills) in stamps.items():
            kept = self._known(keys[account_id], now, KEPT_S)
            if kept is not None and kept.stamp == fills:
                found[account_id] = kept.cost
        if missing := stamps.keys() - found.keys():
            runs = {view.run_id for view in views}
            with self._database.reading() as session:
                reckoned = of_accounts(session, missing, runs, self._rules(), on)
            self._keep(now, {keys[each]: (stamps[each][1], cost) for each, cost in reckoned.items()})
            found |= reckoned
        return found

    def earlier(self, account_ids: Collection[int], dates: Collection[date]) -> dict[tuple[int, date], Cost]:
        """Of each account on each of these days, which are over."""
        wanted = {(account_id, day) for account_id in account_ids for day in dates}
        now = self._clock.monotonic()
        found = {}
        for place in wanted:
            kept = self._known(place, now, EARLIER_KEPT_S)
            if kept is not None:
                found[place] = kept.cost
        if missing := wanted - found.keys():
            with self._database.reading() as session:
                accounts, days = {each for each, _ in missing}, {day for _, day in missing}
                traded = of_dates(session, accounts, days, self._rules())
            reckoned = {place: traded.get(place, FREE) for place in missing}
            self._keep(now, {place: (None, cost) for place, cost in reckoned.items()})
            found |= reckoned
        return found

    def _known(self, key: object, now: float, kept_s: float) -> _Kept | None:
        with self._guard:
            kept = self._kept.get(key)
        return None if kept is None or now - kept.at >= kept_s else kept

    def _keep(self, now: float, costs: Mapping[object, tuple[object, Cost]]) -> None:
        with self._guard:
            for key, (stamp, cost) in costs.items():
                self._kept[key] = _Kept(stamp, now, cost)


def _stamps(views: Iterable[RunView]) -> dict[int, tuple[frozenset[int], object]]:
    """By account the runs it has a part in, and what is another with each fill."""
    runs: dict[int, set[int]] = {}
    fills: dict[int, list[object]] = {}
    for view in views:
        for account in view.accounts:
            runs.setdefault(account.account_id, set()).add(view.run_id)
            fills.setdefault(account.account_id, []).extend(_stamp(cell) for cell in account.cells)
    return {account_id: (frozenset(runs[account_id]), tuple(stamps)) for account_id, stamps in fills.items()}


def _stamp(cell: CellView) -> object:
    return cell.execution_id, cell.entered, cell.position
