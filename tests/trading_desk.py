"""The desk with strategies, previews and runs on it: today's list, prices and plans are set by hand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from app.domain.contracts import UNDERLYINGS, Contract, ContractKey, ContractMaster, Kind, Product, Side
from app.domain.errors import DeskError
from app.domain.money import Lots, Units
from app.domain.plan import AccountPlan, Mode, Plan, PlannedLeg, PlannedOrder, ResolvedLeg
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeMethod, StrikeRule
from app.ports.feed import Tick
from app.services.commands import Commands
from app.services.contract_list import ContractList, _Listed, list_date
from app.services.earlier_interest import EarlierInterest
from app.services.expiry_closes import ExpiryCloses
from app.services.option_chain_manager import OptionChainManager
from app.services.override_commands import OverrideCommands
from app.services.preview_maker import Previews
from app.services.price_board import PriceBoard
from app.services.strategies import SavedStrategy, Strategies
from app.web.desk import EXTENSION, Desk
from tests.desk_app import MONDAY_1030, Bench, Browser, HandClock, bench

WEEK, MONTH = date(2026, 12, 1), date(2026, 12, 29)
SPOT = Decimal("26184.35")
NIFTY = UNDERLYINGS[0].spot


def option(strike: int, kind: Kind, expiry: date = WEEK, underlying: str = "NIFTY") -> Contract:
    lot, exchange = {"NIFTY": (65, "NFO"), "BANKNIFTY": (30, "NFO"), "SENSEX": (20, "BFO")}[underlying]
    key = ContractKey(exchange, f"{underlying}{expiry:%d%b%y}{strike}{kind.value}".upper())
    return Contract(key, underlying, kind, expiry, Decimal(strike), lot, Decimal("0.05"), Units(1800))


def future(expiry: date = MONTH) -> Contract:
    return Contract(
        ContractKey("NFO", f"NIFTY{expiry:%d%b%y}FUT".upper()), "NIFTY", Kind.FUT, expiry, None, 65, Decimal("0.05")
    )


CE, PE = option(26200, Kind.CE), option(26200, Kind.PE)
HEDGE = option(26600, Kind.CE)
LEGS = (
    ResolvedLeg(1, CE, Side.SELL, 1, Product.MIS, "ATM of 26,184.35"),
    ResolvedLeg(2, PE, Side.SELL, 1, Product.MIS, "ATM of 26,184.35"),
)


def straddle(name: str = "Straddle", **changes: Any) -> StrategySpec:
    legs = tuple(
        LegSpec(
            number,
            "NIFTY",
            kind,
            ExpiryWord.CURRENT_WEEK,
            StrikeRule(StrikeMethod.ATM),
            Side.SELL,
            1,
            Product.MIS,
        )
        for number, kind in ((1, Kind.CE), (2, Kind.PE))
    )
    return replace(StrategySpec(name, legs, 1, Decimal(22000), None), **changes)


def account_plan(
    account_id: int, name: str, *, lots: int = 1, skipped: str | None = None, **changes: Any
) -> AccountPlan:
    """What one account would do with the straddle."""
    legs = tuple(
        PlannedLeg(
            leg.number,
            Lots(lots),
            Units(lots * 65),
            (PlannedOrder(leg.number, 1, Units(lots * 65), Decimal("125.60"), Decimal("123.10")),),
        )
        for leg in LEGS
    )
    plan = AccountPlan(
        account_id=account_id,
        account_name=name,
        mode=Mode.LIVE,
        structures=0 if skipped else lots,
        legs=() if skipped else legs,
        margin_needed=None if skipped else Decimal(180_000) * lots,
        funds_free=Decimal(1_000_000),
        explanation=(skipped,) if skipped else (f"{lots} structure x multiplier 1 = {lots}", "Margin from the broker"),
        skipped=skipped,
    )
    return replace(plan, **changes)


def plan_for(saved: SavedStrategy, accounts: tuple[AccountPlan, ...]) -> Plan:
    return Plan(
        strategy_id=saved.id,
        strategy_name=saved.spec.name,
        made_at=MONDAY_1030,
        spots=(("NIFTY", SPOT),),
        legs=LEGS,
        accounts=accounts,
        max_loss=saved.spec.max_loss,
        max_profit=saved.spec.max_profit,
    )


class HandPreviews(Previews):
    """Stores and finds previews as the real one does; what the market would say is set by hand."""

    planned: tuple[AccountPlan, ...] = ()
    refuses: DeskError | None = None

    def _plan(self, saved: SavedStrategy) -> Plan:
        if self.refuses is not None:
            raise self.refuses
        return plan_for(saved, self.planned)


@dataclass
class TradingBench:
    """The bench with what strategies and runs need."""

    bench: Bench
    desk: Desk
    previews: HandPreviews
    woken: list[None]

    @property
    def clock(self) -> HandClock:
        return self.bench.clock

    @property
    def board(self) -> PriceBoard:
        return self.bench.board

    def admin(self) -> Browser:
        return self.bench.admin()

    def accounts(self, count: int = 2, **told: Any) -> list[int]:
        """Simulator accounts named `Simulator n`; with a plan of one lot in each."""
        found = [self.bench.account(f"Simulator {n}", 5000 + n, **told)[0] for n in range(1, count + 1)]
        self.previews.planned = tuple(account_plan(number, f"Simulator {n}") for n, number in enumerate(found, 1))
        return found

    def strategy(self, name: str = "Straddle", owner: str = "asha", accounts: list[int] | None = None) -> int:
        """A saved straddle."""
        chosen = self.accounts() if accounts is None else accounts
        actor = self.bench.somebody(owner)
        multipliers = {account_id: Decimal(1) for account_id in chosen}
        saved: int = self.desk.strategies.save(
            straddle(name), multipliers, user_id=actor.id, username=actor.username, strategy_id=None
        )
        return saved

    def preview(self, strategy_id: int, owner: str = "asha") -> int:
        made: int = self.desk.previews.make(strategy_id, self.bench.somebody(owner).id).id
        return made

    def price(self, key: ContractKey, ltp: str, at: datetime = MONDAY_1030) -> None:
        """A tick of now."""
        assert self.board.put(Tick(key, float(ltp), at))


def sent(browser: Browser, path: str, fields: Mapping[str, Any], page: str = "/strategies/new") -> TestResponse:
    """Submit with repeated fields."""
    token = browser.token(page)
    form: MultiDict[str, Any] = MultiDict({"csrf_token": token})
    for name, value in fields.items():
        form.setlist(name, value if isinstance(value, list) else [value])
    return browser.client.post(path, data=form)


@contextmanager
def trading_bench(folder: Path, **changes: Any) -> Iterator[TradingBench]:
    """A desk whose market is read from memory."""
    with bench(folder, **changes) as made:
        database, clock, activity = made.database, made.clock, made.desk.activity
        strategies = Strategies(database, clock, activity)
        nothing: Any = None
        previews = HandPreviews(database, clock, strategies, nothing, nothing, life_s=60, live_sending=False)
        woken: list[None] = []
        _list(made.desk.contract_list)
        desk = replace(
            made.desk,
            strategies=strategies,
            previews=previews,
            commands=Commands(database, clock, activity, lambda: woken.append(None)),
            overrides=OverrideCommands(database, clock, activity, lambda: woken.append(None)),
            chains=OptionChainManager(
                made.desk.contract_list,
                made.board,
                nothing,
                nothing,
                closes=ExpiryCloses(nothing, nothing, clock, clock),
                earlier=EarlierInterest(nothing, nothing, clock, clock),
                market_clock=clock,
                clock=clock,
            ),
        )
        made.app.extensions[EXTENSION] = desk
        made.desk = desk
        yield TradingBench(made, desk, previews, woken)


def _list(contracts: ContractList) -> None:
    """Put today's list where a gateway's answer would be."""
    nfo = [
        *(
            option(strike, kind, day)
            for day in (WEEK, date(2026, 12, 8), MONTH)
            for kind in (Kind.CE, Kind.PE)
            for strike in range(25000, 27401, 50)
        ),
        *(
            option(strike, kind, MONTH, "BANKNIFTY")
            for kind in (Kind.CE, Kind.PE)
            for strike in range(56000, 60001, 100)
        ),
        future(),
    ]
    bfo = [
        option(strike, kind, date(2026, 12, 3), "SENSEX") for kind in (Kind.CE, Kind.PE) for strike in (85000, 85100)
    ]
    of = list_date(MONDAY_1030)
    freezes = {one.name: Units(1800) for one in UNDERLYINGS}
    contracts._lists = {"NFO": _Listed(of, tuple(nfo), freezes), "BFO": _Listed(of, tuple(bfo), freezes)}
    contracts._master = ContractMaster([*nfo, *bfo])
