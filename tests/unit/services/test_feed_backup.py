"""The warm backup, the choice by hand, what a death is called, and how many connections there may be."""

import pytest

from app.domain.errors import Conflict
from app.ports.feed import BrokerGone, FeedMode
from app.ports.gateway import LoggedOut, TimedOut, Unreachable
from app.services.feed_pool import FeedPace
from app.services.feed_state import FeedFault, FeedPhase, MoveKind
from tests.unit.services.feed_desk import CALL, Desk
from tests.unit.services.market_fakes import NIFTY


@pytest.fixture
def desk() -> Desk:
    return Desk()


def roles(desk: Desk) -> dict[int, str]:
    return {each.account_id: each.role for each in desk.manager.connections()}


def test_the_next_account_in_order_is_warm_while_the_primary_serves(desk: Desk) -> None:
    desk.run(3)
    assert roles(desk) == {1: "serving", 2: "warm"}
    [backup] = [each for each in desk.manager.connections() if each.role == "warm"]
    assert (backup.asked, backup.confirmed) == (3, 3), "the indices, to see that prices come"
    assert backup.tick_age_s is not None


def test_an_account_that_does_not_answer_is_passed_over_for_the_backup_until_it_does(desk: Desk) -> None:
    desk.feeds.break_account(2)
    desk.run(3)
    assert roles(desk) == {1: "serving", 3: "warm"}
    assert "cannot be reached" in desk.manager.not_ready()[2]
    desk.feeds.mend_account(2)
    desk.run(20)
    assert roles(desk) == {1: "serving", 2: "warm"}
    assert 2 not in desk.manager.not_ready()


def test_there_is_a_backup_at_every_moment_while_a_better_one_is_tried(desk: Desk) -> None:
    desk.feeds.break_account(2)
    desk.run(3)
    desk.feeds.mend_account(2)
    desk.mute = {2}
    for _ in range(200):
        desk.run(0.2)
        assert 3 in roles(desk), "account 2 brings no price, so it takes nobody's place"
        assert roles(desk)[3] == "warm"


def test_after_three_tries_the_warm_feed_takes_over_and_everything_is_confirmed_at_once(desk: Desk) -> None:
    desk.run(3)
    backup = desk.of(2)[0]
    desk.feeds.break_account(1)
    desk.run(3)
    assert desk.serving is backup
    [move] = desk.moves
    assert (move.kind, move.from_account, move.to_account) == (MoveKind.FAILOVER, 1, 2)
    assert (move.confirmed, move.wanted) == (2, 2)
    assert move.took_s <= 2
    assert backup.subscribed == {NIFTY: FeedMode.QUOTE, CALL: FeedMode.QUOTE}, "the probes go"
    desk.run(1)
    assert roles(desk)[3] == "warm", "and the next one is made ready"


def test_silence_with_a_backup_that_brings_prices_is_not_sat_out_twice(desk: Desk) -> None:
    desk.run(3)
    desk.mute = {1}
    desk.run(10.5)
    assert desk.account == 2
    [move] = desk.moves
    assert move.fault is FeedFault.SILENT
    assert 10 <= move.lost_s < 12, "counted from the last price, not from when the loss was noticed"


def test_an_account_that_takes_seconds_to_say_nothing_is_not_waited_for_three_times(desk: Desk) -> None:
    desk.run(3)
    desk.feeds.break_account(1, TimedOut("no answer"))
    desk.run(1)
    assert desk.account == 2


def test_idle_time_closes_the_feed_and_never_the_warm_backup(desk: Desk) -> None:
    desk.run(3)
    desk.manager.unwant("test")
    desk.run(290)
    assert roles(desk) == {1: "serving", 2: "warm"}
    assert desk.manager.state().phase is FeedPhase.OFF
    desk.run(20)
    assert roles(desk) == {2: "warm"}
    desk.run(600)
    assert roles(desk) == {2: "warm"}
    desk.manager.want("test", [CALL], FeedMode.QUOTE)
    desk.run(2)
    assert roles(desk) == {1: "serving", 2: "warm"}
    assert desk.moves == []


def test_the_backup_is_pinged_less_often_and_is_no_half_open_one_for_it(desk: Desk) -> None:
    desk.open, desk.ticking = False, False
    desk.run(200)
    assert len(desk.of(2)) == 1
    assert desk.of(2)[0].pings == pytest.approx(200 / 30, abs=2)
    assert desk.of(1)[0].pings == pytest.approx(200 / 5, abs=4)


def test_a_dead_backup_is_replaced(desk: Desk) -> None:
    desk.run(3)
    desk.of(2)[0].broken = "the connection was cut"
    desk.run(2)
    assert roles(desk) == {1: "serving", 3: "warm"}
    desk.run(20)
    assert roles(desk) == {1: "serving", 2: "warm"}
    assert desk.moves == []


def test_never_more_connections_than_allowed() -> None:
    desk = Desk(FeedPace(connections=1))
    desk.run(3)
    assert roles(desk) == {1: "serving"}
    desk.feeds.break_account(1)
    desk.run(6)
    assert desk.account == 2
    assert max_open(desk) == 1


def test_with_two_connections_the_way_back_is_still_found() -> None:
    desk = Desk(FeedPace(connections=2))
    desk.run(3)
    desk.feeds.break_account(1)
    desk.run(6)
    desk.feeds.mend_account(1)
    desk.run(100)
    assert desk.account == 1
    assert max_open(desk) <= 2


def max_open(desk: Desk) -> int:
    return len([feed for feed in desk.feeds.opened if not feed.closed])


def test_a_person_takes_prices_from_another_account_and_gives_that_back(desk: Desk) -> None:
    desk.run(3)
    desk.manager.choose(3, "asha")
    desk.run(5)
    assert desk.account == 3
    state = desk.manager.state()
    assert (state.chosen, state.chosen_by) == (3, "asha")
    there = desk.moves[-1]
    assert (there.kind, there.from_account, there.to_account, there.lost_s) == (MoveKind.MANUAL, 1, 3, 0.0)
    assert "asha chose Account 3" in str(there)
    desk.manager.give_back("ravi")
    desk.run(5)
    assert desk.account == 1
    back = desk.moves[-1]
    assert (back.kind, back.to_account, back.lost_s) == (MoveKind.RETURN, 1, 0.0)
    assert "ravi gave the choice back" in str(back)
    assert desk.manager.state().chosen is None


def test_a_choice_waits_no_minute_for_an_account_that_had_failed(desk: Desk) -> None:
    desk.run(3)
    desk.feeds.break_account(1)
    desk.run(6)
    desk.feeds.mend_account(1)
    desk.manager.choose(1, "asha")
    desk.run(5)
    assert desk.account == 1


def test_a_chosen_account_that_fails_is_replaced_and_served_from_again_when_it_is_well(desk: Desk) -> None:
    desk.run(3)
    desk.manager.choose(3, "asha")
    desk.run(5)
    desk.feeds.break_account(3)
    desk.run(6)
    assert desk.account == 1
    desk.feeds.mend_account(3)
    desk.run(90)
    assert desk.account == 3


def test_a_chosen_account_that_cannot_be_had_changes_nothing_and_says_why(desk: Desk) -> None:
    desk.run(3)
    desk.feeds.break_account(3, Unreachable("nobody there"))
    desk.manager.choose(3, "asha")
    desk.run(10)
    assert desk.account == 1
    assert desk.manager.not_ready()[3] == "nobody there"
    assert roles(desk)[2] == "warm"


def test_a_choice_ends_with_its_account(desk: Desk) -> None:
    desk.run(3)
    desk.manager.choose(3, "asha")
    desk.run(5)
    desk.order = [1, 2]
    desk.run(5)
    assert desk.account == 1
    assert desk.manager.state().chosen is None


def test_only_an_account_that_feeds_can_be_chosen_and_only_a_choice_given_back(desk: Desk) -> None:
    with pytest.raises(Conflict):
        desk.manager.choose(1, "asha")  # nothing runs yet
    desk.run(1)
    with pytest.raises(Conflict):
        desk.manager.choose(9, "asha")
    with pytest.raises(Conflict):
        desk.manager.give_back("asha")


def test_a_second_login_is_named_and_the_same_account_comes_back(desk: Desk) -> None:
    desk.run(3)
    desk.mute = {1}
    desk.serving.broker_gone = True
    desk.run(4)
    assert desk.manager.state().last_fault is FeedFault.SECOND_LOGIN
    desk.mute = set()
    desk.run(2)
    [move] = desk.moves
    assert (move.kind, move.fault, move.to_account) == (MoveKind.RECONNECT, FeedFault.SECOND_LOGIN, 1)
    assert "second login" in move.cause


def test_a_gateway_that_says_it_has_no_broker_while_prices_come_is_not_believed(desk: Desk) -> None:
    desk.run(3)
    desk.serving.broker_gone = True
    desk.run(20)
    assert len(desk.of(1)) == 1


def test_a_login_that_expired_is_told_from_a_second_one(desk: Desk) -> None:
    desk.run(3)
    desk.mute = {1}
    desk.serving.broker_gone = True
    desk.feeds.down["http://gateway-1:5000"] = LoggedOut("The login has expired.")
    desk.run(5)
    assert desk.account == 2
    assert desk.moves[-1].fault is FeedFault.LOGIN_EXPIRED
    assert "The login has expired." in desk.moves[-1].cause


def test_a_broker_that_is_gone_when_something_is_subscribed_is_a_second_login(desk: Desk) -> None:
    desk.run(3)
    desk.serving.gone = BrokerGone("Broker adapter not found")
    desk.run(0.2)
    assert desk.manager.state().last_fault is FeedFault.SECOND_LOGIN


def test_an_announcement_that_fails_is_made_again(desk: Desk) -> None:
    desk.run(3)
    desk.fail_announcing = 1
    desk.serving.broken = "cut"
    with pytest.raises(RuntimeError):
        desk.run(1)
    desk.run(1)
    assert [move.kind for move in desk.moves] == [MoveKind.RECONNECT]


def test_prices_of_before_a_gap_are_told_from_those_after_it(desk: Desk) -> None:
    desk.run(3)
    assert desk.manager.gap_from() is None
    before = desk.board.latest(CALL)
    assert before is not None
    desk.serving.broken = "cut"
    desk.ticking = False
    desk.run(0.1)
    gap_from = desk.manager.gap_from()
    assert gap_from is not None
    assert before.received <= gap_from
    desk.ticking = True
    desk.run(2)
    after = desk.board.latest(CALL)
    assert after is not None
    assert after.received > gap_from
    assert desk.manager.gap_from() == gap_from


def test_a_move_without_a_gap_leaves_prices_as_they_are(desk: Desk) -> None:
    desk.run(3)
    desk.manager.choose(2, "asha")
    desk.run(5)
    assert desk.account == 2
    assert desk.manager.gap_from() is None
