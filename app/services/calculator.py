"""How many lots on which account, and why: sizes all accounts for a structure, and sends nothing."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.account_groups import Share
from app.domain.errors import DeskError
from app.domain.plan import ResolvedLeg
from app.domain.size_words import shortage
from app.domain.sizing import Sizing, size_of
from app.domain.strategy import StrategySpec
from app.ports.clock import MarketClock
from app.services.account_sizes import AccountSizes, SizeFacts
from app.services.account_types import AccountRow
from app.services.leg_finder import LegFinder
from app.services.margin_calculator import MarginFigure


@dataclass(frozen=True, slots=True)
class Reckoned:
    """One account. `sizing` is None where it could not be sized; `reason` says why it would take nothing, else None."""

    account_id: int
    account_name: str
    sizing: Sizing | None
    reason: str | None

    @property
    def structures(self) -> int:
        return 0 if self.sizing is None or self.reason is not None else size_of(self.sizing).structures


@dataclass(frozen=True, slots=True)
class Reckoning:
    """`at` is the market's time."""

    at: datetime
    spots: tuple[tuple[str, Decimal], ...]
    legs: tuple[ResolvedLeg, ...]
    accounts: tuple[Reckoned, ...]


class Calculator:
    """Thread-safe. Blocks on the network; `readers` asks one account beside another."""

    def __init__(self, finder: LegFinder, sizes: AccountSizes, readers: Executor, market_clock: MarketClock) -> None:
        self._finder = finder
        self._sizes = sizes
        self._readers = readers
        self._market_clock = market_clock

    def reckon(self, spec: StrategySpec, accounts: Sequence[AccountRow], shares: Mapping[int, Share]) -> Reckoning:
        """`shares` by account id, else the account's own multiplier. Whether an account may trade now is not asked.

        Raises when a leg cannot be found, naming it; Refused where the rule begins nothing when one falls short.
        """
        spots = self._finder.spots(spec)
        legs = self._finder.legs(spec, spots)
        facts = self._sizes.facts(spec.size_rule, spec.structures, legs, self._finder.today())
        begun = list(
            self._readers.map(
                lambda account: self._begun(account, shares.get(account.id) or _own(account), facts), accounts
            )
        )
        known = {
            account.name: (account.id, sizing)
            for account, sizing in zip(accounts, begun, strict=True)
            if isinstance(sizing, Sizing)
        }
        sizes, failed = self._sizes.together(known, facts)
        return Reckoning(
            self._market_clock.now(),
            tuple(spots.items()),
            legs,
            tuple(
                _reckoned(account, sizes.get(account.name), each if isinstance(each, str) else failed.get(account.name))
                for account, each in zip(accounts, begun, strict=True)
            ),
        )

    def margin(self, account_id: int, spec: StrategySpec) -> MarginFigure:
        """What the broker of that account asks for the strategy's structures. Raises when a leg cannot be found."""
        legs = self._finder.legs(spec, self._finder.spots(spec))
        return self._sizes.broker_margin(account_id, legs, spec.structures)

    def _begun(self, account: AccountRow, share: Share, facts: SizeFacts) -> Sizing | str:
        """The sizing, or why there is none."""
        try:
            return self._sizes.begun(account, share, facts)
        except DeskError as reason:
            return str(reason)


def _own(account: AccountRow) -> Share:
    return Share(account.multiplier, "the account")


def _reckoned(account: AccountRow, sizing: Sizing | None, failed: str | None) -> Reckoned:
    if sizing is not None and failed is None and not size_of(sizing).structures:
        failed = shortage(sizing)
    return Reckoned(account.id, account.name, sizing, failed)
