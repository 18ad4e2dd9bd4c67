"""From which accounts prices may come, in the order in which they are tried: the one that somebody chose goes first."""

from dataclasses import dataclass

from app.domain.errors import Conflict
from app.services.feed_state import MoveKind
from app.services.first_answer import AccountOrder

READ_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The account that somebody wants prices from; None gives that back to the order of the accounts."""

    account_id: int | None
    by: str


class FeedOrder:
    """`read` belongs to the reader's thread, everything else to any. A choice lasts as long as the process."""

    def __init__(self, order: AccountOrder) -> None:
        self._order = order
        self._read_at = -READ_EVERY_S
        self.choice = self._read_choice = Choice(None, "")
        self.accounts: tuple[int, ...] = ()

    def choose(self, account_id: int, by: str) -> None:
        """Raises Conflict for an account that feeds nothing here."""
        if account_id not in self.accounts:
            raise Conflict("Prices cannot come from this account: it is not active, or this process feeds no prices.")
        self.choice = Choice(account_id, by)

    def give_back(self, by: str) -> None:
        """Raises Conflict when nobody chose an account."""
        if self.choice.account_id is None:
            raise Conflict("No account was chosen by hand: the order of the accounts holds already.")
        self.choice = Choice(None, by)

    def all(self) -> list[int]:
        """Every account that may be asked for market data, as they stand now."""
        return list(self._order())

    def is_due(self, now: float) -> bool:
        return now - self._read_at >= READ_EVERY_S or self.choice is not self._read_choice

    def read(self, now: float) -> bool:
        """Read it anew. True when somebody has chosen or given back since: the first account is wanted at once."""
        choice, order = self.choice, tuple(self._order())
        if choice.account_id is not None and choice.account_id not in order:
            choice = self.choice = Choice(None, "")  # it was paused or archived: nobody can be served from it
        elif choice.account_id is not None:
            order = (choice.account_id, *(each for each in order if each != choice.account_id))
        is_wish = choice is not self._read_choice and bool(order)
        self._read_at, self._read_choice, self.accounts = now, choice, order
        return is_wish

    def why(self, name: str) -> tuple[MoveKind, str]:
        """What a move to the first account is called, and its cause."""
        choice = self._read_choice
        if choice.account_id is not None:
            return MoveKind.MANUAL, f"{choice.by} chose {name}."
        if choice.by:
            return MoveKind.RETURN, f"{choice.by} gave the choice back to the order of the accounts."
        return MoveKind.RETURN, f"{name} is the preferred account and well."
