"""What the broker has beside what our fills say: one word for each pair, and never flat for what nobody read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.agreement import URGENT_FIRST, Agreement, compare


@pytest.mark.parametrize(
    ("ours", "broker", "said"),
    [
        (65, 65, Agreement.MATCH),
        (-65, -65, Agreement.MATCH),
        (0, 0, Agreement.MATCH),
        (130, 65, Agreement.SHORT),
        (-130, -65, Agreement.SHORT),
        (65, -65, Agreement.SHORT),
        (65, 130, Agreement.OVER),
        (-65, -130, Agreement.OVER),
        (0, 65, Agreement.FOREIGN),
        (65, 0, Agreement.MISSING),
        (65, None, Agreement.UNREAD),
        (0, None, Agreement.UNREAD),
    ],
)
def test_each_pair_has_its_word(ours: int, broker: int | None, said: Agreement) -> None:
    assert compare(ours, broker).agreement is said


@given(st.integers(-2000, 2000), st.none() | st.integers(-2000, 2000))
def test_they_match_only_when_equal_and_read(ours: int, broker: int | None) -> None:
    compared = compare(ours, broker)
    assert (compared.agreement is Agreement.MATCH) is (broker == ours)
    assert (compared.difference is None) is (broker is None)
    assert compared.sentence.endswith(".")


def test_every_word_has_a_place_on_the_page() -> None:
    assert set(URGENT_FIRST) == set(Agreement)
