"""The contracts of a strategy's legs now: one reading of the market for all of them and for all accounts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from app.domain.calendar import Phase, trading_date
from app.domain.contracts import Contract, ContractKey, ContractMaster, underlying_named
from app.domain.expiries import resolve_expiry
from app.domain.plan import ResolvedLeg
from app.domain.planning import resolve_legs
from app.domain.strategy import LegSpec, StrategySpec, StrikeMethod
from app.persistence.database import Database
from app.ports.clock import MarketClock
from app.services import learnt_sizes
from app.services.contract_list import ContractList
from app.services.market_rule_table import MarketRuleTable
from app.services.quotes import Quotes
from app.services.session_hours import SessionHours

NEAR_STRIKES = 40
"""How far from the money a premium is looked for, in listed strikes on each side."""


class LegFinder:
    """Thread-safe. Asks gateways for what is not at hand."""

    def __init__(
        self,
        database: Database,
        market_clock: MarketClock,
        contracts: ContractList,
        hours: SessionHours,
        *,
        quotes: Quotes,
        rules: MarketRuleTable,
    ) -> None:
        self._database = database
        self._market_clock = market_clock
        self._contracts = contracts
        self._hours = hours
        self._quotes = quotes
        self._rules = rules

    def today(self) -> date:
        """The market's date. Raises Unavailable while nobody can say it."""
        return trading_date(self._market_clock.now())

    def spots(self, spec: StrategySpec) -> dict[str, Decimal]:
        """One reading of each underlying. Raises NoFreshPrice."""
        return {name: self._quotes.spot(name) for name in sorted({leg.underlying for leg in spec.legs})}

    def legs(self, spec: StrategySpec, spots: Mapping[str, Decimal]) -> tuple[ResolvedLeg, ...]:
        """All of them, with their freeze limits; raises when any cannot be found, naming it."""
        master = self._contracts.master_with(leg.underlying for leg in spec.legs)
        today = self.today()
        closed = self._closed_today(spec)
        premiums = self._premiums(spec, master, spots, today, closed_today=closed)
        legs = resolve_legs(spec, master, spots, premiums, today, closed)
        return tuple(replace(leg, contract=self._with_freeze(leg.contract, today)) for leg in legs)

    def _closed_today(self, spec: StrategySpec) -> bool:
        exchanges = {underlying_named(leg.underlying).exchange for leg in spec.legs}
        return any(self._hours.phase(exchange) is Phase.CLOSED for exchange in exchanges)

    def _premiums(
        self,
        spec: StrategySpec,
        master: ContractMaster,
        spots: Mapping[str, Decimal],
        today: date,
        *,
        closed_today: bool,
    ) -> dict[ContractKey, Decimal]:
        keys: list[ContractKey] = []
        for leg in spec.legs:
            if leg.strike is not None and leg.strike.method is StrikeMethod.PREMIUM_NEAR:
                listed = master.expiries(leg.underlying)
                expiry = resolve_expiry(leg.expiry, listed, today, closed_today, leg.underlying)
                keys += _near_the_money(master, leg, expiry, spots[leg.underlying])
        return self._quotes.premiums(keys) if keys else {}

    def _with_freeze(self, contract: Contract, today: date) -> Contract:
        freeze_limit = contract.freeze or self._contracts.freeze(contract.underlying)
        if freeze_limit is None:
            freeze_limit = self._rules.book().freeze(contract.underlying, today)
        with self._database.reading() as session:
            learnt = learnt_sizes.most(session, today, contract.key.exchange, contract.underlying)
        if learnt is not None and freeze_limit is not None:
            freeze_limit = min(freeze_limit, learnt)
        return replace(contract, freeze=freeze_limit)


def _near_the_money(master: ContractMaster, leg: LegSpec, expiry: date, spot: Decimal) -> list[ContractKey]:
    strikes = master.strikes(leg.underlying, expiry, leg.kind)
    nearest = sorted(strikes, key=lambda strike: abs(strike - spot))[: 2 * NEAR_STRIKES]
    return [master.option(leg.underlying, expiry, leg.kind, strike).key for strike in nearest]
