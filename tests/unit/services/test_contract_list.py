"""Today's contracts: when they are loaded, from whom, and what is said while they are not there."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.domain.errors import NotFound, Unavailable
from app.domain.market_rules import DEFAULT_RULES, MarketRule, MissingRule, RuleBook, RuleKind
from app.domain.money import Units
from app.ports.gateway import TimedOut
from app.services.contract_list import ContractList, list_date
from tests.unit.services.market_fakes import FakeClock, FakeGateways, chain

NIFTY_CHAIN = chain(24_900, 25_100, 50)
SENSEX_CHAIN = chain(81_000, 81_200, 100, underlying="SENSEX")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def gateways() -> FakeGateways:
    gateways = FakeGateways(1, 2)
    for gateway in gateways.gateways.values():
        gateway.listed = {"NFO": NIFTY_CHAIN, "BFO": SENSEX_CHAIN}
        gateway.freezes = {"NIFTY": Units(1800), "BANKNIFTY": Units(600)}
    return gateways


@pytest.fixture
def contracts(gateways: FakeGateways, clock: FakeClock) -> ContractList:
    return ContractList(gateways, gateways.order, clock, clock)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        (datetime(2026, 11, 23, 2, 29, tzinfo=UTC), date(2026, 11, 22)),  # 07:59 in India
        (datetime(2026, 11, 23, 2, 30, tzinfo=UTC), date(2026, 11, 23)),  # 08:00
        (datetime(2026, 11, 23, 18, 29, tzinfo=UTC), date(2026, 11, 23)),  # 23:59
        (datetime(2026, 11, 23, 18, 30, tzinfo=UTC), date(2026, 11, 23)),  # midnight: still that day's list
    ],
)
def test_a_new_list_is_due_at_eight(now: datetime, wanted: date) -> None:
    assert list_date(now) == wanted


def test_before_it_is_loaded_it_is_unavailable_and_says_so(contracts: ContractList) -> None:
    with pytest.raises(Unavailable, match="being read now"):
        contracts.master()
    assert contracts.freeze("NIFTY") is None


def test_it_is_loaded_from_the_primary_with_its_freeze_limits(contracts: ContractList, gateways: FakeGateways) -> None:
    contracts.step()
    master = contracts.master()
    assert len(master) == len(NIFTY_CHAIN) + len(SENSEX_CHAIN)
    assert master.contract(NIFTY_CHAIN[0].key).freeze == Units(1800)
    assert master.contract(SENSEX_CHAIN[0].key).freeze is None
    assert (contracts.freeze("NIFTY"), contracts.freeze("SENSEX")) == (Units(1800), None)
    assert contracts.missing() == {}
    assert gateways.of(2).calls == []


def test_it_is_loaded_once_a_day(contracts: ContractList, gateways: FakeGateways, clock: FakeClock) -> None:
    for _ in range(3):
        contracts.step()
    assert gateways.of(1).calls.count("contracts NFO") == 1
    clock.advance(24 * 3600)
    with pytest.raises(Unavailable, match="24 Nov 2026"):
        contracts.master()
    contracts.step()
    assert len(contracts.master()) > 0
    assert gateways.of(1).calls.count("contracts NFO") == 2


def test_the_next_account_is_asked_when_one_fails(contracts: ContractList, gateways: FakeGateways) -> None:
    gateways.of(1).broken = TimedOut("The gateway did not answer in time.")
    contracts.step()
    assert len(contracts.master()) > 0


def test_an_empty_list_is_a_failure_and_not_a_market_without_contracts(
    contracts: ContractList, gateways: FakeGateways, clock: FakeClock
) -> None:
    for gateway in gateways.gateways.values():
        gateway.listed = {"NFO": NIFTY_CHAIN}
    contracts.step()
    assert NIFTY_CHAIN[0].key in contracts.master()
    assert "download its master contracts" in contracts.missing()["BFO"]
    gateways.of(1).listed["BFO"] = SENSEX_CHAIN
    contracts.step()
    assert "BFO" in contracts.missing(), "not asked again at once"
    clock.advance(16)
    contracts.step()
    assert contracts.missing() == {}
    assert gateways.of(1).calls.count("contracts NFO") == 1, "what is there is not loaded again"


def test_a_list_that_was_not_read_is_not_a_list_without_contracts(
    contracts: ContractList, gateways: FakeGateways, clock: FakeClock
) -> None:
    for gateway in gateways.gateways.values():
        gateway.listed = {"NFO": NIFTY_CHAIN}
    contracts.step()
    assert NIFTY_CHAIN[0].key in contracts.master_with(["NIFTY", "BANKNIFTY"])
    with pytest.raises(Unavailable, match=r"BFO contract list, with SENSEX, is not there yet\. .*download"):
        contracts.master_with(["NIFTY", "SENSEX"])
    gateways.of(1).listed["BFO"] = SENSEX_CHAIN
    clock.advance(16)
    contracts.step()
    assert SENSEX_CHAIN[0].key in contracts.master_with(["SENSEX"])


def test_when_nobody_answers_it_says_who_and_why(contracts: ContractList, gateways: FakeGateways) -> None:
    for gateway in gateways.gateways.values():
        gateway.broken = TimedOut("The gateway did not answer in time.")
    contracts.step()
    with pytest.raises(Unavailable, match="did not answer in time"):
        contracts.master()


def test_without_accounts_it_says_to_add_one(clock: FakeClock) -> None:
    contracts = ContractList(FakeGateways(), list, clock, clock)  # type: ignore[arg-type]
    contracts.step()
    with pytest.raises(Unavailable, match="Accounts page"):
        contracts.master()


def test_a_freeze_limit_that_could_not_be_asked_is_asked_again_without_the_long_list(
    contracts: ContractList, gateways: FakeGateways, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Units:
        raise TimedOut("slow")

    with monkeypatch.context() as patch:
        for gateway in gateways.gateways.values():
            patch.setattr(gateway, "freeze_limits", fail)
        contracts.step()
    assert contracts.freeze("NIFTY") is None
    clock.advance(16)
    contracts.step()
    assert contracts.freeze("NIFTY") == Units(1800)
    assert contracts.master().contract(NIFTY_CHAIN[0].key).freeze == Units(1800)
    assert gateways.of(1).calls.count("contracts NFO") == 1


def test_a_freeze_limit_of_an_index_that_is_not_followed_is_refused(contracts: ContractList) -> None:
    with pytest.raises(NotFound, match="NIFTY, BANKNIFTY, SENSEX"):
        contracts.freeze("GOLD")


def test_while_the_market_time_is_unknown_no_list_is_todays(gateways: FakeGateways, clock: FakeClock) -> None:
    market = FakeClock()
    contracts = ContractList(gateways, gateways.order, market, clock)  # type: ignore[arg-type]
    market.unknown = True
    assert contracts.step() > 0
    with pytest.raises(Unavailable, match="time is not known"):
        contracts.master()
    market.unknown = False
    contracts.step()
    assert len(contracts.master()) > 0


def test_the_first_account_that_is_added_is_asked_at_once(clock: FakeClock, gateways: FakeGateways) -> None:
    order: list[int] = []
    contracts = ContractList(gateways, lambda: order, clock, clock)  # type: ignore[arg-type]
    contracts.step()
    order.append(1)
    contracts.step()
    assert len(contracts.master()) == len(NIFTY_CHAIN) + len(SENSEX_CHAIN)


def test_a_lot_that_no_gateway_gives_is_that_of_the_market_rules_or_refused_by_name(
    gateways: FakeGateways, clock: FakeClock
) -> None:
    for gateway in gateways.gateways.values():
        gateway.listed = {"NFO": [replace(each, lot_size=0) for each in NIFTY_CHAIN], "BFO": SENSEX_CHAIN}
    rules = [rule for rule in DEFAULT_RULES if rule.kind is not RuleKind.LOT]
    contracts = ContractList(gateways, gateways.order, clock, clock, book=lambda: RuleBook(rules))  # type: ignore[arg-type]
    contracts.step()
    assert contracts.master_with(["SENSEX"])
    with pytest.raises(MissingRule, match="no lot for NIFTY valid on"):
        contracts.master_with(["NIFTY"])
    rules.append(MarketRule(RuleKind.LOT, "NIFTY", Decimal(75), date(2026, 1, 1), "a circular"))
    clock.advance(16)
    contracts.step()
    found = contracts.master_with(["NIFTY"]).contract(NIFTY_CHAIN[0].key)
    assert (found.lot_size, contracts.lot_size(SENSEX_CHAIN[0].key)) == (75, SENSEX_CHAIN[0].lot_size)


def test_a_list_without_any_lot_says_which_rule_is_missing(gateways: FakeGateways, clock: FakeClock) -> None:
    for gateway in gateways.gateways.values():
        gateway.listed = {"NFO": [replace(each, lot_size=0) for each in NIFTY_CHAIN], "BFO": SENSEX_CHAIN}
    contracts = ContractList(gateways, gateways.order, clock, clock)  # type: ignore[arg-type]
    contracts.step()
    assert "no lot for NIFTY" in contracts.missing()["NFO"]
