"""What takes a run, or a part of it, out by itself, beside the limits and floors of the whole."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.errors import InvalidInput
from app.domain.leg_rules import NO_LEG_RULES, LegRules
from app.domain.supertrend import SupertrendExit
from app.domain.trailing import Trail, TrailKind
from app.domain.wording import inr


@dataclass(frozen=True, slots=True)
class AccountRule:
    """Limits of one account's own P&L in a run, in rupees above 0; None for no such rule.

    `trail` is the distance below the account's own peak at which it is left; the peak begins at 0 and never falls.
    """

    account_id: int
    max_loss: Decimal | None = None
    max_profit: Decimal | None = None
    trail: Decimal | None = None

    @property
    def trailing(self) -> Trail | None:
        return None if self.trail is None else Trail(TrailKind.AMOUNT, self.trail)

    def words(self) -> tuple[str, ...]:
        """A sentence for each limit."""
        said = []
        if self.max_loss is not None:
            said.append(f"Leaves by itself at a loss of {inr(self.max_loss)}")
        if self.max_profit is not None:
            said.append(f"Leaves by itself at a profit of {inr(self.max_profit)}")
        if self.trail is not None:
            said.append(f"Leaves by itself {inr(self.trail)} below its own peak")
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


NO_EXIT_RULES = ExitRules()


def check_accounts(rules: tuple[AccountRule, ...]) -> None:
    """Raises InvalidInput naming `accounts[id].loss`, `.profit` or `.trail`, id being that of the account."""
    for rule in rules:
        amounts = {"loss": rule.max_loss, "profit": rule.max_profit, "trail": rule.trail}
        for name, amount in amounts.items():
            if amount is not None and not (amount.is_finite() and amount > 0):
                words = f"{amount} is not an amount to watch for. Give rupees above 0, or leave it empty."
                raise InvalidInput(f"accounts[{rule.account_id}].{name}", words)
