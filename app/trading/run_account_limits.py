"""What takes single accounts out of a run, as its page shows it: the nearest account, and who has left."""

from collections.abc import Sequence
from decimal import Decimal

from app.domain.risk import RiskRule
from app.domain.wording import inr
from app.services.account_limits import account_pnl, rules_of
from app.services.peaks import Peaks
from app.services.run_board import AccountView, RunBoard, RunView
from app.trading.run_rows import Fired
from app.trading.run_rules import NAMES, Rule, fired_prices

KINDS = (RiskRule.MAX_LOSS, RiskRule.MAX_PROFIT, RiskRule.TRAIL, RiskRule.LOCK)


def account_limits_of(runs: RunBoard, peaks: Peaks, view: RunView, fired: Sequence[Fired]) -> list[Rule]:
    """One line for each kind of limit that an account has of its own."""
    found = []
    for kind in KINDS:
        events = [event for event in fired if event.rule == kind and event.place]
        if any(_figure(view, account, kind) is not None for account in view.accounts):
            found.append(_rule(runs, peaks, view, kind, events))
    return found


def _figure(view: RunView, account: AccountView, kind: RiskRule) -> Decimal | None:
    rule = view.exits.of_account(account.account_id)
    if rule is None:
        return None
    return {
        RiskRule.MAX_LOSS: rule.max_loss,
        RiskRule.MAX_PROFIT: rule.max_profit,
        RiskRule.TRAIL: rule.trail,
        RiskRule.LOCK: None if rule.lock is None else rule.lock.reach,
    }[kind]


def _rule(runs: RunBoard, peaks: Peaks, view: RunView, kind: RiskRule, fired: list[Fired]) -> Rule:
    over = view.state in {"CLOSED", "REFUSED"}
    staying = [] if over else [account for account in view.accounts if _stays(view, account, kind)]
    parts = [] if not staying else [_nearest(runs, peaks, view, kind, staying)]
    if fired:
        count = f"{len(fired)} {'account' if len(fired) == 1 else 'accounts'}"
        parts.append(f"It took {count} out; the last: {fired[-1].action} {fired_prices(fired[-1])}".rstrip())
    return Rule(
        key=f"own_{kind.value}",
        name=f"{NAMES[kind]} of single accounts",
        state="armed" if staying else "fired" if fired else "off" if over else "waiting",
        threshold=None,
        distance=None,
        used_pct=None,
        note=" ".join(parts) or None,
    )


def _stays(view: RunView, account: AccountView, kind: RiskRule) -> bool:
    held = any(cell.net and cell.exit_wanted is None for cell in account.cells)
    return held and _figure(view, account, kind) is not None


def _nearest(runs: RunBoard, peaks: Peaks, view: RunView, kind: RiskRule, accounts: list[AccountView]) -> str:
    away: list[tuple[Decimal, Decimal, str]] = []
    blind = 0
    for account in accounts:
        at = _level(peaks, view, account, kind)
        total = account_pnl(account, runs.marks(view.book)).total
        if total is None:
            blind += 1
        elif at is not None:
            away.append((abs(total - at), at, account.name))
    waits = f" {blind} {'waits' if blind == 1 else 'wait'} for a price." if blind else ""
    if not away:
        return waits.strip()
    distance, at, name = min(away)
    return f"Nearest: {name} leaves at {inr(at)}, {inr(distance)} away.{waits}"


def _level(peaks: Peaks, view: RunView, account: AccountView, kind: RiskRule) -> Decimal | None:
    rules = rules_of(peaks, view, account)
    if kind is RiskRule.MAX_LOSS:
        return None if rules.max_loss is None else -rules.max_loss
    return {
        RiskRule.MAX_PROFIT: rules.max_profit,
        RiskRule.TRAIL: rules.trail_floor,
        RiskRule.LOCK: rules.lock_floor,
    }[kind]
