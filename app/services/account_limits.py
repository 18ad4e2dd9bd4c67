"""Which accounts of a run have reached a limit of their own; the others go on."""

from collections.abc import Iterable, Iterator

from cachetools import LRUCache

from app.domain.pnl import HeldLeg, RunPnl, run_pnl
from app.domain.risk import RunRules, Trigger, judge
from app.domain.trailing import NO_FLOORS
from app.services.part_due import Marks, PartDue
from app.services.peaks import Peaks
from app.services.run_board import AccountView, RunView

MOST_KEPT = 256


class AccountLimits:
    """For one thread. Judged on what the account itself holds and has realised in the run."""

    def __init__(self, peaks: Peaks) -> None:
        self._peaks = peaks
        self._asked: LRUCache[int, tuple[RunView, frozenset[int]]] = LRUCache(MOST_KEPT)

    def due(self, view: RunView, marks: Marks) -> list[PartDue]:
        """As the limits of a whole run: a loss by its worst bound where a price is missing, the others by none."""
        found = []
        for account in self._watched(view):
            pnl = account_pnl(account, marks)
            trigger = judge(rules_of(self._peaks, view, account), pnl)
            if trigger is not None:
                found.append(_due(account, trigger, pnl))
        return found

    def saw(self, view: RunView, marks: Marks) -> None:
        """No limit was reached and no price is in doubt: the peaks of the accounts that trail rise."""
        for account in self._watched(view):
            rule = view.exits.of_account(account.account_id)
            if rule is not None and rule.floors != NO_FLOORS:
                self._peaks.saw_account(view, account.account_id, account_pnl(account, marks).total)

    def asked(self, view: RunView, due: Iterable[PartDue]) -> None:
        """Their exits are latched: until a newer view shows it they are not due again."""
        self._asked[view.run_id] = (view, self._gone(view) | {each.account_id for each in due if each.leg is None})

    def _gone(self, view: RunView) -> frozenset[int]:
        known = self._asked.get(view.run_id)
        return known[1] if known is not None and known[0] is view else frozenset()

    def _watched(self, view: RunView) -> Iterator[AccountView]:
        if not view.exits.accounts:
            return
        gone = self._gone(view)
        for account in view.accounts:
            staying = any(cell.exit_wanted is None and (cell.net or cell.open_orders) for cell in account.cells)
            if staying and account.account_id not in gone:
                yield account


def rules_of(peaks: Peaks, view: RunView, account: AccountView) -> RunRules:
    """The limits of this account, its floors as its own committed peak stands."""
    rule = view.exits.of_account(account.account_id)
    if rule is None:
        return RunRules(None, None)
    floors = peaks.account_floors(view, account.account_id)
    return RunRules(rule.max_loss, rule.max_profit, floors.trail, floors.lock)


def account_pnl(account: AccountView, marks: Marks) -> RunPnl:
    return run_pnl([HeldLeg(cell.contract.key, cell.position) for cell in account.cells], marks)


def _due(account: AccountView, trigger: Trigger, pnl: RunPnl) -> PartDue:
    return PartDue(
        rule=trigger.rule,
        account_id=account.account_id,
        leg=None,
        threshold=trigger.threshold,
        value=trigger.value,
        keys=frozenset(cell.contract.key for cell in account.cells if cell.net),
        reason=f"{account.name} by itself: {trigger.reason}",
        unpriced=pnl.missing if trigger.pessimistic else (),
    )
