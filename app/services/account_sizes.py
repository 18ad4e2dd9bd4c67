"""How many structures each account takes: its funds, the broker's margin, caps and reserves, put into one sizing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from app.domain.account_groups import Group, Share
from app.domain.errors import Denied, DeskError, Refused
from app.domain.margin_table import RequirementTable, are_all_bought_options, premium_of
from app.domain.market_rules import RuleKind
from app.domain.money import ZERO, rupees
from app.domain.plan import ResolvedLeg
from app.domain.shortfall import shared
from app.domain.sizing import Basis, Basket, Cap, Figure, Grade, Profile, Shortfall, SizeRule, Sizing, size_of
from app.persistence.database import Database
from app.persistence.tables import AccountGroup
from app.ports.clock import MarketClock
from app.services.gateways import Gateways
from app.services.group_facts import groups_in
from app.services.margin_calculator import MarginCalculator, MarginFigure
from app.services.margin_settings import MarginSettings
from app.services.market_rule_table import MarketRuleTable
from app.services.quotes import Quotes
from app.services.reserved_margin import NOTHING, Reserved, reserved

MOST_PRICED = 6
"""Sizes that are priced before we give up: a broker whose figures need more does not make sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeFacts:
    """What holds for all accounts of a preview, read once. `today` is the market's date; `groups` those with a cap."""

    rule: SizeRule
    structures: int
    legs: tuple[ResolvedLeg, ...]
    today: date
    grades: Mapping[Grade, Decimal]
    table: RequirementTable
    reserved: Mapping[int, Reserved]
    groups: Sequence[Group] = ()


class SizedAccount(Protocol):
    """What of an account its size depends on; None: it caps no leg."""

    @property
    def id(self) -> int: ...
    @property
    def max_leg_lots(self) -> int | None: ...


class AccountSizes:
    """Thread-safe. Blocks on the network."""

    def __init__(
        self,
        database: Database,
        market_clock: MarketClock,
        gateways: Gateways,
        margins: MarginCalculator,
        *,
        settings: MarginSettings,
        quotes: Quotes,
        rules: MarketRuleTable,
    ) -> None:
        self._database = database
        self._market_clock = market_clock
        self._gateways = gateways
        self._margins = margins
        self._settings = settings
        self._quotes = quotes
        self._rules = rules

    def facts(self, rule: SizeRule, structures: int, legs: Sequence[ResolvedLeg], today: date) -> SizeFacts:
        with self._database.reading() as session:
            spoken_for = reserved(session)
            groups = groups_in(session, AccountGroup.max_leg_lots.is_not(None))
        return SizeFacts(
            rule=rule,
            structures=structures,
            legs=tuple(legs),
            today=today,
            grades=self._settings.grades(),
            table=self._settings.table(),
            reserved=spoken_for,
            groups=groups,
        )

    def broker_margin(self, account_id: int, legs: Sequence[ResolvedLeg], structures: int) -> MarginFigure:
        """The broker's own figure, perhaps half a minute old. Blocks on the network; raises as MarginCalculator."""
        return self._margins.recent(account_id, legs, structures)

    def begun(self, account: SizedAccount, share: Share, facts: SizeFacts) -> Sizing:
        """The account's sizing, settled as far as its own money goes.

        Raises Denied when it cannot be sized at all, MissingRequirement and MissingRule naming what the tables lack,
        Unavailable.
        """
        profile = facts.rule.profile
        sizing = Sizing(
            profile=profile,
            wanted=Figure(Decimal(facts.structures), "the strategy") if profile is Profile.FIXED_LOTS else None,
            multiplier=Figure(share.multiplier, share.source) if profile is Profile.FIXED_LOTS else None,
            free=self._free(account, facts),
            reserved=_reserved(facts.reserved.get(account.id, NOTHING), profile),
            percent=_percent(profile, facts.grades),
            caps=_caps(facts, account),
            insists=profile is Profile.FIXED_LOTS and facts.rule.shortfall is not Shortfall.SHRINK,
        )
        return self.settled(account.id, self._with_basis(account.id, sizing, facts), facts)

    def settled(self, account_id: int, sizing: Sizing, facts: SizeFacts) -> Sizing:
        """With whole sizes priced, smaller ones in turn, until one may be relied on. Raises as `begun`."""
        for _ in range(MOST_PRICED):
            size = size_of(sizing)
            if size.is_settled:
                return sizing
            sizing = sizing.with_basket(
                Basket(size.structures, self._needs(account_id, sizing, size.structures, facts))
            )
        if size_of(sizing).is_settled:
            return sizing
        raise Denied("NO_MARGIN", "Its broker's margin figures contradict each other: no size could be settled.")

    def _free(self, account: SizedAccount, facts: SizeFacts) -> Figure:
        """What the account can use for these legs: cash alone where they only pay premiums."""
        funds = self._gateways.of(account.id).funds()
        now = self._market_clock.now()
        if not _is_cash(facts):
            return Figure(funds.available, "broker", now)
        if funds.collateral is None:
            if facts.rule.profile is Profile.FIXED_LOTS:
                return Figure(funds.available, "broker, which does not say what of it is collateral", now)
            raise Denied(
                "NO_MARGIN",
                "Its broker does not say what of its funds is collateral, which buys no options. Size it by lots.",
            )
        return Figure(max(ZERO, funds.available - funds.collateral), "broker, without collateral", now)

    def together(
        self, begun: Mapping[str, tuple[int, Sizing]], facts: SizeFacts
    ) -> tuple[dict[str, Sizing], dict[str, str]]:
        """By account name after what the strategy says of a shortfall; and why some could not be priced anew.

        Raises Refused when it begins nothing at all for that.
        """
        known = {name: sizing for name, (_, sizing) in begun.items()}
        failed: dict[str, str] = {}
        while True:
            after = shared(facts.rule.shortfall, known)
            smaller = [name for name, sizing in after.items() if sizing is not known[name]]
            if not smaller:
                return after, failed
            for name in smaller:
                try:
                    after[name] = self.settled(begun[name][0], after[name], facts)
                except DeskError as reason:
                    failed[name] = str(reason)
                    del after[name]
            known = after

    def _with_basis(self, account_id: int, sizing: Sizing, facts: SizeFacts) -> Sizing:
        """With whose figure the margin is; of sizes by margin with what one structure needs."""
        if _is_cash(facts):
            return replace(sizing, basis=Basis.CASH, one=self._premium(facts))
        if sizing.profile is not Profile.FIXED_LOTS:
            figure = self._margins.recent(account_id, facts.legs, 1)
            if figure.amount is None:
                return self._from_table(sizing, facts, figure)
            return replace(sizing, basis=Basis.BROKER, one=Figure(figure.amount, "broker", figure.at))
        if not (wanted := size_of(sizing).structures):
            return sizing
        figure = self._margins.basket(account_id, facts.legs, wanted)
        if figure.amount is None:
            return self._from_table(sizing, facts, figure)
        basket = Basket(wanted, Figure(figure.amount, "broker", figure.at))
        return replace(sizing, basis=Basis.BROKER).with_basket(basket)

    def _from_table(self, sizing: Sizing, facts: SizeFacts, figure: MarginFigure) -> Sizing:
        try:
            return replace(sizing, basis=Basis.TABLE, one=self._tabled(facts))
        except Refused as missing:
            if sizing.profile is Profile.FIXED_LOTS:
                return sizing
            raise Denied("NO_MARGIN", f"{figure.note} {missing}") from missing

    def _needs(self, account_id: int, sizing: Sizing, structures: int, facts: SizeFacts) -> Figure:
        if sizing.basis is not Basis.BROKER and sizing.one is not None:
            return Figure(sizing.one.value * structures, sizing.one.source, sizing.one.at)
        figure = self._margins.basket(account_id, facts.legs, structures)
        if figure.amount is None:
            raise Denied("NO_MARGIN", f"{figure.note} Preview again.")
        return Figure(figure.amount, "broker", figure.at)

    def _premium(self, facts: SizeFacts) -> Figure:
        premiums = self._quotes.premiums([leg.contract.key for leg in facts.legs])
        buffer = self._rules.book().rule(RuleKind.BUYER_BUFFER, None, facts.today).value
        total = sum((premium_of(leg, premiums) for leg in facts.legs), ZERO) * (1 + buffer)
        words = f"live premium and {(buffer * 100).normalize():f} % more"
        return Figure(rupees(total), words, self._market_clock.now())

    def _tabled(self, facts: SizeFacts) -> Figure:
        bought = [leg.contract.key for leg in facts.legs if leg.side.sign > 0]
        premiums = self._quotes.premiums(bought) if bought else {}
        total, rows = facts.table.of_structure(facts.legs, premiums, facts.today)
        return Figure(rupees(total), f"requirements table: {'; '.join(row.words for row in rows)}")


def _is_cash(facts: SizeFacts) -> bool:
    return are_all_bought_options(facts.legs)


def _percent(profile: Profile, grades: Mapping[Grade, Decimal]) -> Figure | None:
    grade = profile.grade
    if grade is None:
        return None
    if grade not in grades:
        raise Denied("NO_MARGIN", f"Grade {grade} has no percentage. Set one under Margin, Grades.")
    return Figure(grades[grade], f"grade {grade}, {profile}")


def _reserved(held: Reserved, profile: Profile) -> Figure | None:
    if held.unknown and profile is not Profile.FIXED_LOTS:
        raise Denied(
            "NO_MARGIN",
            f"Run {held.unknown[0]} is just being entered there, and nobody says what margin it takes. "
            "Preview again when it is open.",
        )
    if not held.runs:
        return None
    runs = ", ".join(f"run {run_id}" for run_id in held.runs)
    return Figure(held.amount, f"being entered: {runs}")


def _caps(facts: SizeFacts, account: SizedAccount) -> tuple[Cap, ...]:
    widest = max(leg.ratio for leg in facts.legs)
    found = []
    if facts.rule.max_structures is not None:
        found.append(Cap(facts.rule.max_structures, "the strategy"))
    if facts.rule.max_leg_lots is not None:
        found.append(Cap(facts.rule.max_leg_lots // widest, f"the strategy, {facts.rule.max_leg_lots} lots a leg"))
    if account.max_leg_lots is not None:
        found.append(Cap(account.max_leg_lots // widest, f"the account, {account.max_leg_lots} lots a leg"))
    found += [
        Cap(group.max_leg_lots // widest, f"group {group.name}, {group.max_leg_lots} lots a leg")
        for group in facts.groups
        if account.id in group.members and group.max_leg_lots is not None
    ]
    return tuple(found)
