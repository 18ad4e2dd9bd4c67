"""The feed on a running simulator: prices onto the board, and each way in which a feed dies, found and named."""

from collections.abc import Iterator

import pytest

from app.adapters.openalgo.feed_opening import OpenAlgoFeeds
from app.domain.books import OrderStatus, OrderUpdate
from app.domain.contracts import Contract, ContractKey, Kind
from app.domain.outcomes import Verdict
from app.domain.plan import Mode
from app.domain.strikes import atm
from app.ports.feed import FeedMode
from app.services.feed_state import FeedFault, FeedPhase, MoveKind
from app.services.order_feeds import OrderFeeds
from app.services.silent_symbols import Silence
from tests.contract.orders import market_buy
from tests.integration.market_rig import NIFTY, MarketRig, running_rig
from tests.simulator_process import SimulatorProcess


@pytest.fixture
def rig(simulator: SimulatorProcess) -> Iterator[MarketRig]:
    with running_rig(simulator, 1) as running:
        running.wait(lambda: not running.contracts.missing())
        yield running


def near_the_money(rig: MarketRig, count: int = 1) -> list[Contract]:
    """Calls of the nearest expiry from the money upwards."""
    master = rig.contracts.master()
    expiry = master.expiries("NIFTY")[0]
    strikes = master.strikes("NIFTY", expiry, Kind.CE)
    place = strikes.index(atm(strikes, rig.quotes.spot("NIFTY")))
    return [master.option("NIFTY", expiry, Kind.CE, strike) for strike in strikes[place : place + count]]


def keys(contracts: list[Contract]) -> list[ContractKey]:
    return [contract.key for contract in contracts]


def test_what_is_wanted_is_confirmed_and_its_prices_reach_the_board(rig: MarketRig) -> None:
    wanted = keys(near_the_money(rig, 10))
    rig.feed.want("test", [NIFTY], FeedMode.QUOTE)
    rig.feed.want("depth", wanted, FeedMode.DEPTH)
    rig.wait(rig.all_confirmed)
    rig.wait(lambda: rig.live() and all(rig.fresh(key) for key in [NIFTY, *wanted]))
    price = rig.board.latest(wanted[0])
    assert price is not None
    assert price.bid is not None
    assert price.ask is not None
    assert price.bid < price.ask
    state = rig.feed.state()
    assert (state.account_id, state.account_name, state.phase, state.refused) == (1, "Sim 1", FeedPhase.LIVE, ())
    index = rig.board.latest(NIFTY)
    assert index is not None
    assert index.previous_close is not None


def test_a_contract_the_gateway_does_not_know_is_refused_by_name_and_the_others_come(rig: MarketRig) -> None:
    bad = ContractKey("NFO", "NIFTY01DEC2699999CE")
    rig.feed.want("test", [NIFTY, bad], FeedMode.QUOTE)
    rig.wait(lambda: rig.feed.state().refused, within_s=12)
    [(key, words)] = rig.feed.state().refused
    assert (key, bool(words)) == (bad, True)
    assert rig.fresh(NIFTY)


def test_row_17_a_dropped_connection_comes_back_with_everything_subscribed(
    rig: MarketRig, simulator: SimulatorProcess
) -> None:
    wanted = keys(near_the_money(rig, 5))
    rig.feed.want("test", [NIFTY, *wanted], FeedMode.DEPTH)
    rig.wait(rig.all_confirmed)
    simulator.fault("ws_drop", account=1, remaining=1)
    rig.wait(lambda: rig.feed.state().last_cause)
    took_s = rig.wait(lambda: rig.all_confirmed() and rig.fresh(NIFTY, 0.5))
    assert took_s < 5
    assert rig.feed.state().failovers == 0


def test_row_18_a_half_open_connection_is_found_within_twelve_seconds(
    rig: MarketRig, simulator: SimulatorProcess
) -> None:
    rig.feed.want("test", [NIFTY], FeedMode.QUOTE)
    rig.wait(rig.live)
    simulator.fault("ws_half_open", account=1)
    took_s = rig.wait(lambda: "half-open" in rig.feed.state().last_cause, within_s=13)
    assert took_s <= 12
    simulator.clear_faults()
    rig.wait(lambda: rig.fresh(NIFTY, 0.5))


def test_a_silent_feed_is_late_within_seconds_and_named(rig: MarketRig, simulator: SimulatorProcess) -> None:
    rig.wait(lambda: rig.hours.session("NFO"))
    rig.feed.want("test", [NIFTY], FeedMode.QUOTE)
    rig.wait(rig.live)
    simulator.fault("ws_silent", account=1)
    rig.wait(lambda: rig.feed.state().phase is FeedPhase.LATE, within_s=7)
    rig.wait(lambda: "silent feed" in rig.feed.state().last_cause, within_s=8)
    simulator.clear_faults()
    rig.wait(lambda: rig.fresh(NIFTY, 0.5) and rig.feed.state().phase is FeedPhase.LIVE)


def test_row_19_one_silent_contract_is_named_within_six_seconds_and_a_decision_uses_a_quote(
    rig: MarketRig, simulator: SimulatorProcess
) -> None:
    rig.wait(lambda: rig.hours.session("NFO"))
    [muted, other] = keys(near_the_money(rig, 2))
    rig.feed.want("test", [NIFTY, muted, other], FeedMode.DEPTH)
    rig.wait(lambda: rig.fresh(muted) and rig.fresh(other))
    simulator.fault("ws_mute_symbol", account=1, parameters={"symbol": muted.symbol})
    took_s = rig.wait(rig.silent.found, within_s=8)
    assert took_s <= 6
    [silent] = rig.silent.found()
    assert silent.key == muted
    rig.wait(lambda: [one.silence for one in rig.silent.found()] == [Silence.UNPUSHED], within_s=15)
    assert rig.fresh(NIFTY)
    touch = rig.quotes.touch(muted)
    assert touch.last.source == "quote of Sim 1", "a decision asks the gateway instead"
    simulator.clear_faults()
    rig.wait(lambda: not rig.silent.found())


def test_row_19_a_subscription_that_the_broker_forgot_is_renewed(rig: MarketRig, simulator: SimulatorProcess) -> None:
    rig.wait(lambda: rig.hours.session("NFO"))
    [lost, other] = keys(near_the_money(rig, 2))
    rig.feed.want("test", [NIFTY, lost, other], FeedMode.DEPTH)
    rig.wait(lambda: rig.fresh(lost) and rig.fresh(other))
    simulator.fault("ws_lost_subscription", account=1, remaining=1, parameters={"symbol": lost.symbol})
    rig.wait(rig.silent.found, within_s=8)
    rig.wait(lambda: not rig.silent.found() and rig.fresh(lost), within_s=5)
    assert rig.feed.state().failovers == 0


@pytest.mark.parametrize("value", ["0", "-1", "NaN"])
def test_row_20_no_price_that_is_none_reaches_the_board(
    rig: MarketRig, simulator: SimulatorProcess, value: str
) -> None:
    rig.feed.want("test", [NIFTY], FeedMode.QUOTE)
    rig.wait(rig.live)
    simulator.fault("ws_invalid_price", account=1, parameters={"value": value, "symbol": "NIFTY"})
    rig.wait(lambda: not rig.fresh(NIFTY, 1.5), within_s=6)
    price = rig.board.latest(NIFTY)
    assert price is not None
    assert price.ltp > 20_000


@pytest.mark.parametrize("kind", ["text", "binary", "nested", "huge"])
def test_row_22_garbage_between_the_frames_stops_nothing(
    rig: MarketRig, simulator: SimulatorProcess, kind: str
) -> None:
    rig.feed.want("test", [NIFTY], FeedMode.QUOTE)
    rig.wait(rig.live)
    simulator.fault("ws_garbage", account=1, parameters={"kind": kind})
    before = rig.board.counts().accepted
    rig.wait(lambda: rig.board.counts().accepted > before + 5)
    assert rig.feed.state().last_cause == ""


def test_a_second_login_is_named_and_the_feed_comes_back_by_itself(rig: MarketRig, simulator: SimulatorProcess) -> None:
    rig.wait(lambda: rig.hours.session("NFO"))
    rig.feed.want("test", [NIFTY], FeedMode.QUOTE)
    rig.wait(rig.live)
    simulator.post("/accounts/1/relogin", new_token=True)
    rig.wait(lambda: rig.feed.state().last_fault is FeedFault.SECOND_LOGIN, within_s=10)
    rig.wait(lambda: rig.fresh(NIFTY, 0.5) and rig.all_confirmed(), within_s=13)
    rig.wait(lambda: rig.moves)
    assert (rig.moves[0].kind, rig.moves[0].fault) == (MoveKind.RECONNECT, FeedFault.SECOND_LOGIN)


def test_an_account_hears_of_its_orders(rig: MarketRig, simulator: SimulatorProcess) -> None:
    updates: list[tuple[int, OrderUpdate]] = []
    feeds = OrderFeeds(
        rig.gateways,  # type: ignore[arg-type]
        OpenAlgoFeeds(rig.clock),
        rig.clock,
        on_update=lambda account_id, update: updates.append((account_id, update)),
    )
    feeds.need([2])

    def heard(status: OrderStatus) -> bool:
        feeds.step(2)
        return any(update.status is status for _, update in updates)

    rig.wait(lambda: feeds.step(2) == 0.0 and feeds.state(2).open)
    [call] = near_the_money(rig)
    outcome = rig.gateways.of(2).place(market_buy(call.key, call.lot_size), expected=Mode.LIVE)
    assert outcome.verdict is Verdict.ACK
    rig.wait(lambda: heard(OrderStatus.COMPLETE))
    assert {account_id for account_id, _ in updates} == {2}
    assert updates[-1][1].order_id == outcome.order_id
    feeds.close()
    assert not feeds.state(2).open
