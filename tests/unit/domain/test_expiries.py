"""Expiry words against lists as the gateway gives them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import NotFound, Refused
from app.domain.expiries import has_weeklies, is_monthly, resolve_expiry
from app.domain.strategy import ExpiryWord

# Tuesdays; the 24th of November is a holiday, so that week's expiry is on Monday the 23rd.
WEEKLY = [date(2026, 11, d) for d in (10, 17, 23)] + [date(2026, 12, d) for d in (1, 8, 15, 22, 29)]
MONTHLY = [date(2026, 11, 23), date(2026, 12, 29), date(2027, 1, 25)]
W = ExpiryWord


def resolve(wanted: ExpiryWord | date, today: date, listed: list[date], *, closed: bool = False) -> date:
    return resolve_expiry(wanted, listed, today, closed_today=closed, underlying="NIFTY")


@pytest.mark.parametrize(
    ("word", "today", "closed", "expected"),
    [
        (W.CURRENT_WEEK, date(2026, 11, 16), False, date(2026, 11, 17)),
        (W.CURRENT_WEEK, date(2026, 11, 17), False, date(2026, 11, 17)),
        (W.CURRENT_WEEK, date(2026, 11, 17), True, date(2026, 11, 23)),
        (W.NEXT_WEEK, date(2026, 11, 17), False, date(2026, 11, 23)),
        (W.NEXT_WEEK, date(2026, 11, 17), True, date(2026, 12, 1)),
        (W.CURRENT_MONTH, date(2026, 11, 17), False, date(2026, 11, 23)),
        (W.CURRENT_MONTH, date(2026, 11, 23), False, date(2026, 11, 23)),
        (W.CURRENT_MONTH, date(2026, 11, 23), True, date(2026, 12, 29)),
        (W.CURRENT_MONTH, date(2026, 11, 30), False, date(2026, 12, 29)),
        (W.NEXT_MONTH, date(2026, 11, 17), False, date(2026, 12, 29)),
        (W.CURRENT_MONTH, date(2026, 12, 1), False, date(2026, 12, 29)),
    ],
)
def test_words_on_an_index_with_weeklies(word: ExpiryWord, today: date, closed: bool, expected: date) -> None:
    assert resolve(word, today, WEEKLY, closed=closed) == expected


@pytest.mark.parametrize(
    ("word", "today", "expected"),
    [
        (W.CURRENT_MONTH, date(2026, 11, 20), date(2026, 11, 23)),
        (W.CURRENT_MONTH, date(2026, 11, 25), date(2026, 12, 29)),
        (W.NEXT_MONTH, date(2026, 11, 25), date(2027, 1, 25)),
        (W.NEXT_MONTH, date(2026, 12, 1), date(2027, 1, 25)),
    ],
)
def test_months_on_an_index_without_weeklies(word: ExpiryWord, today: date, expected: date) -> None:
    assert resolve(word, today, MONTHLY) == expected


@pytest.mark.parametrize("word", [W.CURRENT_WEEK, W.NEXT_WEEK])
def test_a_weekly_word_is_refused_by_name_where_there_are_none(word: ExpiryWord) -> None:
    with pytest.raises(Refused, match="BANKNIFTY has no weekly expiries"):
        resolve_expiry(word, MONTHLY, date(2026, 11, 20), closed_today=False, underlying="BANKNIFTY")


def test_dates_must_be_listed_and_alive() -> None:
    today = date(2026, 11, 18)
    assert resolve(date(2026, 12, 8), today, WEEKLY) == date(2026, 12, 8)
    with pytest.raises(NotFound, match="no expiry on 09 Dec 2026"):
        resolve(date(2026, 12, 9), today, WEEKLY)
    with pytest.raises(Refused, match="has expired"):
        resolve(date(2026, 11, 17), today, WEEKLY)


def test_what_the_list_does_not_reach_is_refused() -> None:
    with pytest.raises(Refused, match="Download its master contracts"):
        resolve(W.CURRENT_MONTH, date(2027, 2, 1), WEEKLY)
    with pytest.raises(Refused, match="January 2027"):
        resolve(W.NEXT_MONTH, date(2026, 12, 3), WEEKLY)
    with pytest.raises(Refused, match="only one coming"):
        resolve(W.NEXT_WEEK, date(2026, 12, 23), WEEKLY)
    with pytest.raises(Refused):
        resolve(W.CURRENT_WEEK, date(2026, 11, 18), [])


def test_the_recorded_list_of_two_still_has_a_week_after_the_first_expires() -> None:
    recorded = [date(2026, 11, 23), date(2026, 12, 1)]
    assert resolve(W.CURRENT_WEEK, date(2026, 11, 23), recorded, closed=True) == date(2026, 12, 1)


def test_an_expiry_that_is_not_listed_is_neither_monthly_nor_weekly() -> None:
    with pytest.raises(NotFound):
        is_monthly(date(2026, 12, 2), WEEKLY)


lists = st.lists(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=30)


@given(lists, st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.booleans(), st.sampled_from(ExpiryWord))
def test_a_word_only_ever_means_a_listed_expiry_still_alive(
    listed: list[date], today: date, closed: bool, word: ExpiryWord
) -> None:
    try:
        found = resolve(word, today, listed, closed=closed)
    except Refused:
        return
    assert found in listed
    assert found >= today + timedelta(days=int(closed))
    if word in {W.CURRENT_MONTH, W.NEXT_MONTH}:
        assert is_monthly(found, listed)


@given(lists)
def test_each_month_has_exactly_one_monthly(listed: list[date]) -> None:
    monthlies = {d for d in listed if is_monthly(d, listed)}
    assert len(monthlies) == len({(d.year, d.month) for d in listed})
    assert has_weeklies(listed) == has_weeklies(listed[::-1])
