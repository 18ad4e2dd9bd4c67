"""A feed whose prices all come late is left for one whose prices do not, and for no other."""

import pytest

from app.ports.feed import FeedMode
from app.services.feed_link import LATE_FOR_S
from app.services.feed_standby import LATE_REST_S
from app.services.feed_state import FeedFault, FeedPhase, MoveKind
from app.services.websocket_manager import WELL_AFTER_S
from tests.unit.services.feed_desk import CALL, Desk

WINDOW_S = 10.0
"""The longest time for which a price that was on time speaks for a feed."""


@pytest.fixture
def desk() -> Desk:
    """All three accounts say when their prices were true, and bring them as they come about."""
    desk = Desk()
    desk.behind_s = {1: 0.0, 2: 0.0, 3: 0.0}
    return desk


def roles(desk: Desk) -> dict[int, str]:
    return {each.account_id: each.role for each in desk.manager.connections()}


def fall_behind(desk: Desk, account_id: int, to_s: float) -> None:
    """As a feed whose gateway cannot keep up: each price is younger than the one before, and later."""
    while desk.behind_s[account_id] < to_s:
        desk.behind_s[account_id] += 0.8
        desk.run(1)


def test_prices_that_fall_behind_are_left_for_a_backup_that_is_on_time(desk: Desk) -> None:
    desk.run(20)
    fall_behind(desk, 1, 30)
    assert desk.account == 2
    [move] = desk.moves
    assert (move.kind, move.fault) == (MoveKind.FAILOVER, FeedFault.LATE)
    assert LATE_FOR_S <= move.lost_s <= WINDOW_S + LATE_FOR_S + 1


def test_late_prices_are_left_for_a_backup_that_is_on_time_and_the_move_says_so(desk: Desk) -> None:
    desk.run(20)
    desk.behind_s[1] = 300.0
    desk.run(WINDOW_S + LATE_FOR_S + 1)
    assert desk.account == 2
    assert desk.manager.state().phase is FeedPhase.LIVE
    [move] = desk.moves
    assert (move.kind, move.fault, move.confirmed) == (MoveKind.FAILOVER, FeedFault.LATE, move.wanted)
    assert "300 s late by their own time" in move.cause
    assert LATE_FOR_S <= move.lost_s <= WINDOW_S + LATE_FOR_S + 1, "counted from the last price that was on time"
    assert move.took_s <= 2
    assert "s without any on time" in str(move)
    assert desk.board.age_s(CALL) == pytest.approx(0, abs=0.3)


def test_a_feed_that_is_late_from_the_beginning_is_left_within_seconds(desk: Desk) -> None:
    """Its prices are the newest there are, and so it is not silent."""
    desk.behind_s[1] = 300.0
    desk.run(LATE_FOR_S + 3)
    assert desk.account == 2
    assert [move.fault for move in desk.moves] == [FeedFault.LATE]


def test_the_only_other_account_stands_warm_though_late_and_nothing_goes_back_to_it(desk: Desk) -> None:
    desk.order = [1, 2]
    desk.behind_s[1] = 300.0
    desk.run(2.5 * WELL_AFTER_S)
    assert (desk.account, roles(desk)) == (2, {2: "serving", 1: "warm"})
    assert len(desk.moves) == 1
    assert "300 s late by their own time" in desk.manager.not_ready()[1]


def test_one_late_price_between_others_moves_nothing(desk: Desk) -> None:
    desk.run(20)
    for _ in range(10):
        desk.behind_s[1] = 300.0
        desk.run(3)
        desk.behind_s[1] = 0.0
        desk.run(0.5)
    assert (desk.account, desk.moves) == (1, [])


@pytest.mark.parametrize("others_s", [300.0, None])
def test_without_a_backup_known_to_be_on_time_the_late_feed_stays_and_is_called_late(
    desk: Desk, others_s: float | None
) -> None:
    desk.behind_s = {1: 60.0} if others_s is None else {1: 60.0, 2: others_s, 3: others_s}
    desk.run(120)
    assert (desk.account, desk.moves) == (1, [])
    assert desk.manager.state().phase is FeedPhase.LATE
    assert desk.manager.state().late_by_s == pytest.approx(60, abs=1)
    assert "warm" in roles(desk).values(), "better a late backup than none"


def test_a_feed_that_falls_behind_what_is_here_is_tried_again_and_then_left_for_one_that_tells_no_times(
    desk: Desk,
) -> None:
    desk.behind_s = {1: 0.0}
    desk.run(20)
    desk.behind_s[1] = 300.0
    desk.run(10 + 4 + 10)
    assert {move.fault for move in desk.moves} == {FeedFault.LATE}, "nothing of it counts, and it is not silent"
    assert desk.account == 2


def test_a_late_backup_is_passed_over_for_the_first_that_is_on_time(desk: Desk) -> None:
    desk.behind_s[2] = 300.0
    desk.run(30)
    assert roles(desk) == {1: "serving", 3: "warm"}
    assert "300 s late by their own time" in desk.manager.not_ready()[2]
    tried = len(desk.of(2))
    desk.run(LATE_REST_S - 30)
    assert len(desk.of(2)) == tried, "it is not tried again and again"
    desk.behind_s[2] = 0.0
    desk.run(40)
    assert roles(desk) == {1: "serving", 2: "warm"}
    assert desk.moves == []


def test_there_is_a_backup_at_every_moment_while_one_on_time_is_looked_for(desk: Desk) -> None:
    desk.run(3)
    desk.behind_s |= {2: 300.0, 3: 300.0}
    for _ in range(300):
        desk.run(0.5)
        assert "warm" in roles(desk).values()


def test_prices_go_back_to_the_preferred_account_when_they_have_been_on_time_for_a_while(desk: Desk) -> None:
    desk.run(20)
    desk.behind_s[1] = 300.0
    desk.run(150)
    assert desk.account == 2, "it is tried, and its prices are late"
    desk.behind_s[1] = 0.0
    desk.run(WELL_AFTER_S - 5)
    assert desk.account == 2
    desk.run(LATE_REST_S + 25)
    assert desk.account == 1
    assert (desk.moves[-1].kind, desk.moves[-1].lost_s) == (MoveKind.RETURN, 0.0)


def test_a_choice_by_hand_is_kept_where_every_account_is_late(desk: Desk) -> None:
    desk.behind_s = {1: 300.0, 2: 300.0, 3: 300.0}
    desk.run(30)
    desk.manager.choose(3, "asha")
    desk.run(10)
    assert desk.account == 3
    desk.run(100)
    assert desk.account == 3


@pytest.mark.parametrize("order", [[1, 2, 3], [1, 3]])
def test_a_late_account_that_is_chosen_by_hand_waits_until_it_is_on_time(desk: Desk, order: list[int]) -> None:
    desk.order = order
    desk.behind_s[3] = 300.0
    desk.run(20)
    desk.manager.choose(3, "asha")
    desk.run(20)
    assert (desk.account, desk.moves) == (1, [])
    assert "late by their own time" in desk.manager.not_ready()[3], "and the page says why"
    desk.behind_s[3] = 0.0
    desk.run(LATE_REST_S + 20)
    assert desk.account == 3


def test_while_the_market_is_closed_no_price_is_too_late(desk: Desk) -> None:
    desk.open = False
    desk.behind_s = {1: 9000.0, 2: 0.0, 3: 0.0}
    desk.run(60)
    assert (desk.account, desk.moves, roles(desk)) == (1, [], {1: "serving", 2: "warm"})


def test_a_backup_that_is_late_does_not_hurry_a_silent_feed_away(desk: Desk) -> None:
    desk.behind_s |= {2: 300.0, 3: 300.0}
    desk.run(20)
    desk.mute = {1}
    desk.run(11)
    desk.mute = set()
    desk.run(5)
    assert desk.account == 1
    assert desk.moves[-1].kind is MoveKind.RECONNECT


def test_prices_of_before_a_move_for_lateness_are_of_before_the_gap(desk: Desk) -> None:
    desk.manager.want("far", [CALL], FeedMode.DEPTH)
    desk.behind_s[1] = 0.0
    desk.run(20)
    desk.behind_s[1] = 11.0
    while desk.account == 1:
        before = desk.board.latest(CALL)
        desk.run(0.1)
    gap_from = desk.manager.gap_from()
    assert before is not None
    assert gap_from is not None
    assert before.received <= gap_from
