"""The feed: what is subscribed, when it is given up, who serves next, and the way back."""

import pytest

from app.domain.contracts import ContractKey
from app.domain.errors import Unavailable
from app.ports.feed import Drop, FeedMode, Tick
from app.ports.gateway import LoggedOut
from app.services.feed_state import FeedFault, FeedPhase, MoveKind
from tests.unit.services.feed_desk import CALL, PUT, Desk
from tests.unit.services.market_fakes import NIFTY


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_it_opens_on_the_primary_subscribes_and_confirms(desk: Desk) -> None:
    desk.run(1)
    state = desk.manager.state()
    assert (state.account_id, state.account_name, state.phase) == (1, "Account 1", FeedPhase.LIVE)
    assert (state.wanted, state.confirmed, state.refused, state.failovers) == (2, 2, (), 0)
    assert desk.board.age_s(CALL) is not None
    price = desk.board.latest(CALL)
    assert price is not None
    assert price.source == "feed of Account 1"


def test_nothing_is_opened_while_nothing_is_wanted_or_nobody_is_there(desk: Desk) -> None:
    desk.manager.unwant("test")
    desk.run(3)
    assert desk.feeds.attempts == []
    assert desk.manager.state().phase is FeedPhase.OFF
    desk.order = []
    desk.run(3)
    desk.manager.want("test", [CALL], FeedMode.LTP)
    desk.run(3)
    assert desk.feeds.attempts == []
    desk.order = [2]
    desk.run(3)
    assert desk.account == 2


def test_each_contract_is_subscribed_once_in_the_deepest_mode_wanted(desk: Desk) -> None:
    desk.manager.want("held", [CALL], FeedMode.DEPTH)
    desk.manager.want("chart", [CALL, PUT], FeedMode.LTP)
    desk.run(1)
    assert desk.serving.subscribed == {NIFTY: FeedMode.QUOTE, CALL: FeedMode.DEPTH, PUT: FeedMode.LTP}
    frames = [keys for verb, _, keys in desk.serving.frames if verb == "subscribe"]
    assert sum(keys.count(CALL) for keys in frames) == 1


def test_a_contract_that_nobody_wants_any_more_is_dropped_and_a_mode_changes_by_drop_and_add(desk: Desk) -> None:
    desk.run(1)
    desk.manager.want("test", [NIFTY], FeedMode.LTP)
    desk.run(1)
    assert desk.serving.subscribed == {NIFTY: FeedMode.LTP}
    assert ("unsubscribe", FeedMode.QUOTE, (NIFTY, CALL)) in desk.serving.frames


def test_long_lists_go_in_batches_of_a_hundred(desk: Desk) -> None:
    desk.manager.want("test", [ContractKey("NFO", f"C{number}") for number in range(250)], FeedMode.QUOTE)
    desk.run(1)
    assert [len(keys) for verb, _, keys in desk.serving.frames if verb == "subscribe"] == [100, 100, 50]
    assert desk.manager.state().confirmed == 250


def test_what_is_new_is_quoted_by_rest_in_batches(desk: Desk) -> None:
    desk.manager.want("test", [ContractKey("NFO", f"C{number}") for number in range(150)], FeedMode.QUOTE)
    desk.run(2)
    assert [len(keys) for keys in desk.snapshots] == [100, 50]


def test_a_snapshot_that_fails_is_tried_three_times(desk: Desk) -> None:
    desk.snapshot_error = Unavailable("slow")
    desk.run(2)
    desk.snapshot_error = None
    desk.run(2)
    assert desk.snapshots == []
    assert desk.account == 1, "prices are pushed all the same"


def test_an_unconfirmed_contract_is_asked_for_again_then_counted_as_refused(desk: Desk) -> None:
    desk.run(1)
    desk.serving.deaf.add(PUT)
    desk.manager.want("more", [PUT], FeedMode.QUOTE)
    desk.run(30)
    asked = sum(keys.count(PUT) for verb, _, keys in desk.serving.frames if verb == "subscribe")
    assert asked == 3
    assert desk.manager.state().refused == ((PUT, "The gateway never confirmed it."),)
    assert (desk.manager.state().wanted, desk.manager.state().confirmed) == (3, 2)
    desk.serving.deaf.clear()
    desk.run(61)
    assert desk.manager.state().refused == ()
    assert desk.manager.state().confirmed == 3


def test_what_is_to_be_renewed_is_dropped_and_asked_for_again_in_its_mode(desk: Desk) -> None:
    desk.run(1)
    desk.manager.want("deep", [CALL], FeedMode.DEPTH)
    desk.run(1)
    before = len(desk.serving.frames)
    desk.manager.renew([CALL, PUT])
    desk.run(1)
    said = [(verb, mode, list(keys)) for verb, mode, keys in desk.serving.frames[before:]]
    assert said == [("unsubscribe", FeedMode.DEPTH, [CALL]), ("subscribe", FeedMode.DEPTH, [CALL])]
    assert desk.manager.confirmed() == {NIFTY, CALL}


def test_a_refused_contract_keeps_the_gateways_words(desk: Desk) -> None:
    desk.run(1)
    desk.serving.refusals[PUT] = "Symbol not found"
    desk.manager.want("more", [PUT], FeedMode.QUOTE)
    desk.run(6)
    assert desk.manager.state().refused == ((PUT, "Symbol not found"),)


def test_a_cut_connection_is_reopened_on_the_same_account_and_everything_resubscribed(desk: Desk) -> None:
    desk.run(1)
    first = desk.serving
    first.broken = "the connection was cut"
    desk.run(1)
    assert first.closed
    assert desk.account == 1
    assert desk.manager.state().confirmed == 2
    [move] = desk.moves
    assert (move.kind, move.fault, move.from_account, move.to_account) == (MoveKind.RECONNECT, FeedFault.CUT, 1, 1)
    assert desk.manager.state().failovers == 0
    assert "cut" in desk.manager.state().last_cause
    assert [len(keys) for keys in desk.snapshots] == [2, 2], "prices of before the gap are quoted anew"


def test_three_tries_then_the_next_account_with_an_event(desk: Desk) -> None:
    desk.run(1)
    desk.feeds.break_account(1)
    desk.run(6)
    assert desk.account == 2
    assert desk.feeds.attempts.count("http://gateway-1:5000") == 4 + 1, "three tries, and one to stand in reserve"
    [move] = desk.moves
    assert (move.from_account, move.to_account) == (1, 2)
    assert 0 < move.lost_s < 4
    assert "cannot be reached" in str(move)
    assert "come from Account 2 instead of Account 1" in str(move)


def test_a_logged_out_account_is_not_tried_again_before_the_others(desk: Desk) -> None:
    desk.run(1)
    desk.feeds.break_account(1, LoggedOut("Log in to the broker first."))
    desk.run(1)
    assert desk.account == 2
    assert desk.feeds.attempts.count("http://gateway-1:5000") <= 3, "one try to come back, one for the reserve"
    assert desk.moves[-1].fault is FeedFault.LOGIN_EXPIRED


@pytest.mark.parametrize("known", [True, False])
def test_a_feed_that_falls_silent_with_its_login_is_named_for_the_login(desk: Desk, known: bool) -> None:
    desk.run(1)
    desk.mute = {1}
    desk.logged_out = {1} if known else set()
    desk.run(15)
    assert desk.account == 2
    assert desk.moves[-1].fault is (FeedFault.LOGIN_EXPIRED if known else FeedFault.SILENT)
    assert ("not logged in at its broker" in desk.moves[-1].cause) == known


def test_when_all_are_down_it_keeps_trying_at_most_four_seconds_apart_and_says_lost(desk: Desk) -> None:
    desk.run(1)
    for account_id in (1, 2, 3):
        desk.feeds.break_account(account_id)
    desk.run(60)
    assert desk.manager.state().phase is FeedPhase.LOST
    assert desk.account is None
    tried = len(desk.feeds.attempts)
    desk.run(20, upkeep=False)
    assert len(desk.feeds.attempts) >= tried + 5
    for account_id in (1, 2, 3):
        desk.feeds.mend_account(account_id)
    desk.run(5)
    assert desk.manager.state().phase is FeedPhase.LIVE


def test_a_half_open_connection_is_found_within_twelve_seconds(desk: Desk) -> None:
    desk.run(3)
    first = desk.serving
    first.answers_pings = False
    first.inbox = []
    desk.ticking = False
    desk.run(12)
    assert first.closed
    assert "half-open" in desk.manager.state().last_cause


def test_a_silent_feed_is_given_up_first_by_reconnecting_then_for_another_account(desk: Desk) -> None:
    desk.run(3)
    desk.ticking = False
    desk.run(11)
    assert desk.feeds.opened[0].closed
    assert "silent feed" in desk.manager.state().last_cause
    desk.run(11)
    assert desk.account == 2, "the same account stayed silent after reconnecting"


def test_silence_is_late_before_it_is_given_up(desk: Desk) -> None:
    desk.run(3)
    desk.ticking = False
    desk.run(7)
    assert desk.manager.state().phase is FeedPhase.LATE
    desk.ticking = True
    desk.run(1)
    assert desk.manager.state().phase is FeedPhase.LIVE


def test_silence_means_nothing_while_the_market_is_closed(desk: Desk) -> None:
    desk.open = False
    desk.ticking = False
    desk.run(120)
    assert len(desk.of(1)) == 1
    assert desk.manager.state().phase is FeedPhase.LIVE
    desk.open = True
    desk.run(5)
    assert len(desk.of(1)) == 1, "the opening gives it its ten seconds"
    desk.run(8)
    assert len(desk.of(1)) > 1


def test_a_gateway_that_confirms_nothing_is_reconnected(desk: Desk) -> None:
    desk.ticking = False
    desk.run(0.1)
    desk.serving.subscribed.clear()
    desk.serving.deaf = {NIFTY, CALL}
    desk.run(16)
    assert desk.feeds.opened[0].closed


def test_prices_return_to_the_primary_after_it_was_well_for_a_minute(desk: Desk) -> None:
    desk.run(1)
    desk.feeds.break_account(1)
    desk.run(6)
    assert desk.account == 2
    desk.feeds.mend_account(1)
    desk.run(50)
    assert desk.account == 2
    serving = desk.feeds.opened[1]
    desk.run(40)
    assert desk.account == 1
    assert serving.closed
    assert desk.manager.state().confirmed == 2
    back = desk.moves[-1]
    assert (back.from_account, back.to_account, back.lost_s) == (2, 1, 0.0)
    assert "without a gap" in str(back)


def test_a_primary_whose_feed_stays_silent_is_not_returned_to(desk: Desk) -> None:
    desk.run(1)
    desk.feeds.break_account(1)
    desk.run(6)
    desk.feeds.mend_account(1)
    end = desk.clock.monotonic() + 200
    while desk.clock.monotonic() < end:
        serving = next(feed for feed in desk.feeds.opened if feed.address.host_url.endswith("2:5000"))
        serving.inbox = [Tick(key, 100.0, None) for key in serving.subscribed]
        desk.manager.step()
        desk.manager.upkeep_step()
        desk.clock.advance(0.25)
    assert desk.account == 2


def test_the_reserve_writes_no_prices(desk: Desk) -> None:
    desk.run(1)
    desk.feeds.break_account(1)
    desk.run(6)
    desk.feeds.mend_account(1)
    desk.run(20)
    reserve = desk.feeds.opened[-1]
    assert reserve.address.host_url.endswith("1:5000")
    assert desk.account == 2
    reserve.listener.ticks([Tick(CALL, 999.0, None)])  # type: ignore[attr-defined]
    price = desk.board.latest(CALL)
    assert price is not None
    assert price.source == "feed of Account 2"


def test_the_reserve_takes_over_at_once_when_the_serving_account_dies(desk: Desk) -> None:
    desk.run(1)
    desk.feeds.break_account(1)
    desk.run(6)
    desk.feeds.mend_account(1)
    desk.run(20)
    desk.feeds.break_account(2)
    tried = len(desk.feeds.attempts)
    desk.run(0.5)
    assert desk.account == 1
    assert "http://gateway-1:5000" not in desk.feeds.attempts[tried:], "it was open already"


def test_making_another_account_primary_moves_the_feed_without_waiting(desk: Desk) -> None:
    desk.run(3)
    desk.order = [3, 1, 2]
    desk.run(5)
    assert desk.account == 3
    assert desk.moves[-1].lost_s == 0


def test_an_account_that_leaves_the_order_stops_serving(desk: Desk) -> None:
    desk.run(1)
    desk.order = [2, 3]
    desk.run(4)
    assert desk.account == 2
    assert desk.feeds.opened[0].closed


def test_rest_reads_ask_the_serving_account_first(desk: Desk) -> None:
    assert desk.manager.source_order() == [1, 2, 3]
    desk.feeds.break_account(1)
    desk.run(6)
    assert desk.manager.source_order() == [2, 1, 3]


def test_what_others_want_uses_the_budget_first(desk: Desk) -> None:
    desk.manager.want("chains", [PUT], FeedMode.QUOTE)
    assert desk.manager.wanted_by_others("chains") == {NIFTY, CALL}


def test_closing_lets_go_of_everything(desk: Desk) -> None:
    desk.run(1)
    desk.manager.close()
    assert desk.feeds.opened
    assert all(feed.closed for feed in desk.feeds.opened)
    assert desk.manager.state().phase is FeedPhase.OFF


def test_what_was_dropped_is_told_by_kind_whichever_feed_brought_it(desk: Desk) -> None:
    desk.run(1)
    desk.serving.listener.dropped_frame(Drop.NOT_JSON, "not JSON")  # type: ignore[attr-defined]
    desk.serving.broken = "gone"
    desk.run(8)
    desk.serving.listener.dropped_frame(Drop.NOT_JSON, "not JSON")  # type: ignore[attr-defined]
    desk.serving.listener.ticks([Tick(CALL, 0.0, None)])  # type: ignore[attr-defined]
    assert desk.manager.state().drops == {Drop.NOT_JSON: 2, Drop.ZERO: 1}


def test_while_ticks_come_the_rest_is_looked_at_ten_times_a_second(desk: Desk) -> None:
    desk.run(1)
    looks: list[None] = []
    confirmed = desk.serving.confirmed

    def counted() -> frozenset[ContractKey]:
        looks.append(None)
        return confirmed()

    desk.serving.confirmed = counted  # type: ignore[method-assign]
    end = desk.clock.monotonic() + 1.0
    while desk.clock.monotonic() < end:
        desk.tick_all()
        desk.manager.step()
        desk.clock.advance(0.001)
    assert 0 < len(looks) < 60
    desk.manager.want("test", [PUT], FeedMode.LTP)
    desk.tick_all()
    desk.manager.step()
    assert desk.serving.subscribed == {PUT: FeedMode.LTP}, "what is newly wanted is asked for at once"
