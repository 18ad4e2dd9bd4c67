"""What takes a run, or a part of it, out by itself, beside the limits and floors of the whole."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from app.domain.errors import InvalidInput
from app.domain.leg_rules import NO_LEG_RULES, LegRules
from app.domain.money import ZERO
from app.domain.supertrend import SupertrendExit
from app.domain.trailing import Floors, ProfitLock, Trail, TrailKind
from app.domain.wording import inr


@dataclass(frozen=True, slots=True)
class AccountRule:
    """Limits of one account's own P&L in a run, in rupees above 0; None for no such rule.

    `trail` is the size of a trailing stop of `trail_kind` under the account's own peak, which begins at 0 and never
    falls; `trail_activation` the profit from which on there is one. `lock` hangs on the same peak. `square_off` is
    India's time at which this account leaves instead of that of the whole run.
    """

    account_id: int
    max_loss: Decimal | None = None
    max_profit: Decimal | None = None
    trail: Decimal | None = None
    trail_kind: TrailKind = TrailKind.AMOUNT
    trail_activation: Decimal | None = None
    lock: ProfitLock | None = None
    square_off: time | None = None

    @property
    def trailing(self) -> Trail | None:
        return None if self.trail is None else Trail(self.trail_kind, self.trail, self.trail_activation)

    @property
    def floors(self) -> Floors:
        return Floors(self.trailing, self.lock)

    @property
    def says_nothing(self) -> bool:
        return self == AccountRule(self.account_id)

    def words(self) -> tuple[str, ...]:
        """A sentence for each limit."""
        said = []
        if self.max_loss is not None:
            said.append(f"Leaves by itself at a loss of {inr(self.max_loss)}")
        if self.max_profit is not None:
            said.append(f"Leaves by itself at a profit of {inr(self.max_profit)}")
        if self.trailing == Trail(TrailKind.AMOUNT, self.trail or ZERO):
            said.append(f"Leaves by itself {inr(self.trail)} below its own peak")
        elif self.trailing is not None:
            said.append(f"By itself: {Floors(self.trailing).words()[0].rstrip('.')}")
        if self.lock is not None:
            said.append(f"By itself: {Floors(None, self.lock).words()[0].rstrip('.')}")
        if self.square_off is not None:
            said.append(f"Leaves by itself at {self.square_off:%H:%M}")
        return tuple(said)


@dataclass(frozen=True, slots=True)
class ExitRules:
    """`legs` are judged in each account by itself, `accounts` name the accounts that have limits of their own.

    `supertrend` is judged once for the whole run.
    """

    legs: LegRules = NO_LEG_RULES
    accounts: tuple[AccountRule, ...] = ()
    supertrend: SupertrendExit | None = None

    def of_account(self, account_id: int) -> AccountRule | None:
        return next((rule for rule in self.accounts if rule.account_id == account_id), None)

    def square_off_of(self, account_id: int, of_run: time | None) -> time | None:
        """When that account leaves by its trader's word: by its own, else as the whole run."""
        rule = self.of_account(account_id)
        return of_run if rule is None or rule.square_off is None else rule.square_off


NO_EXIT_RULES = ExitRules()

_FIELDS = {
    "trail_size": "trail", "trail_activation": "trailfrom", "lock_reach": "reach", "lock_keep": "keep",
    "lock_step": "step", "lock_more": "more",
}  # fmt: skip


def check_accounts(rules: tuple[AccountRule, ...]) -> None:
    """Raises InvalidInput naming `accounts[id].loss`, `.profit`, `.trail`, `.trailfrom`, `.reach`, `.keep`, `.step` or
    `.more`, id being that of the account.
    """
    for rule in rules:
        amounts = {"loss": rule.max_loss, "profit": rule.max_profit, "trail": rule.trail}
        for name, amount in amounts.items():
            if amount is not None and not (amount.is_finite() and amount > 0):
                words = f"{amount} is not an amount to watch for. Give rupees above 0, or leave it empty."
                raise InvalidInput(f"accounts[{rule.account_id}].{name}", words)
        try:
            rule.floors.check()
        except InvalidInput as refused:
            raise InvalidInput(f"accounts[{rule.account_id}].{_FIELDS[refused.field]}", str(refused)) from None
