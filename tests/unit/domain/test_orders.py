"""The table of moves of an intent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import IllegalMove
from app.domain.orders import FINAL, MOVES, OPEN, IntentState, correct, move

S = IntentState


def test_every_state_has_a_row() -> None:
    assert set(MOVES) == set(IntentState)
    assert set(IntentState) == FINAL | OPEN


@given(st.sampled_from(IntentState), st.sampled_from(IntentState))
def test_moves_are_those_of_the_table_and_no_others(current: IntentState, to: IntentState) -> None:
    if to in MOVES[current]:
        assert move(current, to) is to
    else:
        with pytest.raises(IllegalMove):
            move(current, to)


def test_nothing_is_ever_sent_twice() -> None:
    assert {s for s in IntentState if S.SENDING in MOVES[s]} == {S.READY}
    assert not any(S.READY in to for to in MOVES.values())


def test_unknown_is_left_only_towards_what_books_can_show() -> None:
    assert MOVES[S.UNKNOWN] == {S.WORKING, S.FILLED, S.CANCELLED, S.REJECTED, S.NOT_SENT}


def test_only_the_ugly_moves_leave_a_final_state() -> None:
    leaving = {(a, b) for a in FINAL for b in MOVES[a]}
    assert leaving == {(S.NOT_SENT, S.WORKING), (S.NOT_SENT, S.FILLED), (S.CANCELLED, S.FILLED)}


@pytest.mark.parametrize("current", IntentState)
def test_the_brokers_answer_corrects_whatever_was_sent_and_nothing_else(current: IntentState) -> None:
    if current in {S.READY, S.DENIED}:
        with pytest.raises(IllegalMove):
            correct(current)
    else:
        assert correct(current) is S.WORKING
