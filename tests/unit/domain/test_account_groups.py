"""Groups of accounts: tables that a trader can read and extend."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.account_groups import Group, check_leg_lots, check_multiplier, shares, together
from app.domain.day_limits import DayLimits, DayPnl, reached
from app.domain.errors import InvalidInput

FAMILY = Group(1, "Family", Decimal("0.5"), frozenset({1, 2}))
FAST = Group(2, "Fast", Decimal(3), frozenset({2, 3}))
OWN = {1: Decimal(1), 2: Decimal(1), 3: Decimal(2), 4: Decimal(1)}

# Accounts named by themselves with what was typed, groups named; who takes part by how much, and who says so.
SHARES: dict[str, tuple[dict[int, str], list[Group], dict[int, tuple[str, str]]]] = {
    "an account by itself": ({4: "2"}, [], {4: ("2", "the account in the strategy")}),
    "a group": ({}, [FAMILY], {1: ("0.5", "group Family"), 2: ("0.5", "group Family")}),
    "its own multiplier times the group's": ({}, [FAST], {2: ("3", "group Fast"), 3: ("6", "own 2 x group Fast")}),
    "of two groups the smallest, once": (
        {}, [FAST, FAMILY], {1: ("0.5", "group Family"), 2: ("0.5", "group Family"), 3: ("6", "own 2 x group Fast")}
    ),
    "by itself goes before its groups": (
        {2: "4"}, [FAMILY], {1: ("0.5", "group Family"), 2: ("4", "the account in the strategy")}
    ),
    "an empty group brings nobody": ({4: "1"}, [Group(3, "None", Decimal(1), frozenset())], {4: (
        "1", "the account in the strategy"
    )}),
    "who is not there any more takes no part": ({9: "1"}, [Group(3, "Old", Decimal(1), frozenset({8}))], {}),
}  # fmt: skip


@pytest.mark.parametrize("name", SHARES)
def test_who_takes_part_by_how_much(name: str) -> None:
    typed, groups, expected = SHARES[name]
    found = shares({account: Decimal(text) for account, text in typed.items()}, groups, OWN)
    assert {account: (f"{one.multiplier:f}", one.source) for account, one in found.items()} == expected


@given(st.lists(st.tuples(st.decimals("0.001", 100, places=3), st.sets(st.integers(1, 6))), max_size=5))
def test_the_order_in_which_groups_are_named_changes_nothing(groups: list[tuple[Decimal, set[int]]]) -> None:
    made = [Group(number, str(number), each, frozenset(of)) for number, (each, of) in enumerate(groups, 1)]
    own = dict.fromkeys(range(1, 7), Decimal(1))
    found = shares({}, made, own)
    assert found == shares({}, list(reversed(made)), own)
    assert found.keys() == set().union(*(group.members for group in made))
    for account, share in found.items():
        assert share.multiplier == min(group.multiplier for group in made if account in group.members)


def test_the_day_of_a_group_is_the_sum_and_unknown_while_one_is() -> None:
    limits = DayLimits(loss=Decimal(5000), profit=Decimal(5000))
    lost = together([DayPnl(Decimal(-4000), Decimal(-4000)), DayPnl(Decimal(-1000), Decimal(-1000))])
    found = reached(limits, lost)
    assert found is not None
    assert (found.rule.value, found.value, found.is_bound) == ("day_loss", Decimal(-5000), False)
    unknown = together([DayPnl(Decimal(-9000), Decimal(-9000)), DayPnl(None, Decimal(-9000))])
    assert (unknown.total, reached(limits, unknown)) == (None, None)
    assert together([]).total == 0


@pytest.mark.parametrize("text", ["0", "-1", "100.001", "0.0005", "NaN", "Infinity"])
def test_what_is_no_multiplier(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_multiplier(Decimal(text))
    assert refused.value.field == "multiplier"


def test_what_a_group_may_be() -> None:
    check_multiplier(Decimal("0.001"))
    check_multiplier(Decimal(100))
    check_leg_lots(None)
    check_leg_lots(1)
    with pytest.raises(InvalidInput):
        check_leg_lots(0)
