"""The builder's form: what is right becomes a strategy unchanged, what is wrong is named with its fix."""

from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.domain.contracts import UNDERLYINGS, Kind, PriceType, Product, Side
from app.domain.errors import InvalidInput
from app.domain.failure_policy import MOST_RETRIES, FailurePolicy, GroupPolicy, LegPolicy
from app.domain.price_types import PriceTerms
from app.domain.strategy import ExpiryWord, LegSpec, StrategySpec, StrikeMethod, StrikeRule
from app.services.strategies import SavedStrategy
from app.strategies.forms import FormRefused, known_leg, parse, refused_fields
from app.strategies.typed import LEG_PARTS, LegText, Typed, read, stored

ACCOUNTS = {1, 2}

LEG = {
    "underlying": "NIFTY",
    "kind": "CE",
    "expiry": "current_week",
    "strike_method": "OTM",
    "strike_value": "2",
    "side": "SELL",
    "ratio": "1",
    "product": "MIS",
}


def form(**changes: str | None) -> MultiDict[str, str]:
    """A good form with one leg and two accounts; `legs_0_ratio="0"` changes a leg's field, None leaves one out."""
    fields: dict[str, str | None] = {
        "name": "Weekly short call",
        "structures": "2",
        "max_loss": "22000",
        "max_profit": "",
        "template_underlying": "NIFTY",
        "multiplier-1": "1",
        "multiplier-2": "0.5",
        **{f"legs-0-{part}": text for part, text in LEG.items()},
    }
    for name, text in changes.items():
        fields[_field(name)] = text
    sent: MultiDict[str, str] = MultiDict((name, text) for name, text in fields.items() if text is not None)
    if "accounts" not in sent:
        sent.setlist("accounts", ["1", "2"])
    return sent


def _field(name: str) -> str:
    head, _, rest = name.partition("_")
    if head == "legs":
        number, _, part = rest.partition("_")
        return f"legs-{number}-{part}"
    return f"multiplier-{rest}" if head == "multiplier" else name


def errors_of(sent: MultiDict[str, str]) -> dict[str, str]:
    with pytest.raises(FormRefused) as refused:
        parse(read(sent), ACCOUNTS)
    return dict(refused.value.errors)


def test_a_good_form_is_taken_as_typed() -> None:
    recipe = parse(read(form()), ACCOUNTS)
    leg = LegSpec(
        1,
        "NIFTY",
        Kind.CE,
        ExpiryWord.CURRENT_WEEK,
        StrikeRule(StrikeMethod.OTM, Decimal(2)),
        Side.SELL,
        1,
        Product.MIS,
    )
    assert recipe.spec == StrategySpec("Weekly short call", (leg,), 2, Decimal(22000), None)
    assert recipe.multipliers == {1: Decimal(1), 2: Decimal("0.5")}


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": ""}, "name", "needs a name"),
        ({"name": None}, "name", "needs a name"),
        ({"name": "   "}, "name", "needs a name"),
        ({"name": "x" * 81}, "name", "at most 80"),
        ({"name": "x" * 100_000}, "name", "at most 80"),
        ({"name": "a\x00b"}, "name", "cannot be seen"),
        ({"name": "profit\u202etfol"}, "name", "cannot be seen"),
        ({"structures": ""}, "structures", "whole number from 1 to 500"),
        ({"structures": None}, "structures", "whole number from 1 to 500"),
        ({"structures": "0"}, "structures", "“0” cannot be used"),
        ({"structures": "-2"}, "structures", "“-2” cannot be used"),
        ({"structures": "1.5"}, "structures", "whole number"),
        ({"structures": "501"}, "structures", "from 1 to 500"),
        ({"structures": "1e2"}, "structures", "whole number"),
        ({"structures": "१"}, "structures", "whole number"),
        ({"structures": "9" * 5000}, "structures", "whole number"),
        ({"max_loss": "abc"}, "max_loss", "“abc” cannot be used"),
        ({"max_loss": "-5000"}, "max_loss", "above 0"),
        ({"max_loss": "0"}, "max_loss", "above 0"),
        ({"max_loss": "NaN"}, "max_loss", "above 0"),
        ({"max_loss": "Infinity"}, "max_loss", "above 0"),
        ({"max_loss": "1e99"}, "max_loss", "above 0"),
        ({"max_loss": "22,000"}, "max_loss", "without commas"),
        ({"max_loss": "9999999999"}, "max_loss", "at most 1000000000"),
        ({"max_loss": "10.001"}, "max_loss", "too many decimals"),
        ({"max_profit": "₹500"}, "max_profit", "such as 22000"),
        ({"max_workers": "0"}, "max_workers", "from 1 to 10"),
        ({"max_workers": "11"}, "max_workers", "from 1 to 10"),
        ({"leg_failure": "hope"}, "leg_failure", "unwind, retry, keep"),
        ({"leg_failure": "retry"}, "retries", "from 1 to 5"),
        ({"leg_failure": "retry", "retries": "6"}, "retries", "from 1 to 5"),
        ({"leg_failure": "keep", "retries": "2"}, "retries", "Only “send it again”"),
        ({"retries": "2"}, "retries", "Only “send it again”"),
        ({"group_failure": "panic"}, "group_failure", "keep_going, stop, unwind"),
        ({"legs_0_underlying": "DOW"}, "legs-0-underlying", "NIFTY, BANKNIFTY, SENSEX"),
        ({"legs_0_underlying": None}, "legs-0-underlying", "not an index"),
        ({"legs_0_kind": "XX"}, "legs-0-kind", "CE, PE, FUT"),
        ({"legs_0_kind": None}, "legs-0-kind", "CE, PE, FUT"),
        ({"legs_0_expiry": "someday"}, "legs-0-expiry", "is not an expiry"),
        ({"legs_0_expiry": "2026-13-40"}, "legs-0-expiry", "is not an expiry"),
        ({"legs_0_expiry": "20261201"}, "legs-0-expiry", "is not an expiry"),
        ({"legs_0_expiry": None}, "legs-0-expiry", "is not an expiry"),
        ({"legs_0_side": "HOLD"}, "legs-0-side", "BUY, SELL"),
        ({"legs_0_side": "sell"}, "legs-0-side", "BUY, SELL"),
        ({"legs_0_ratio": "0"}, "legs-0-ratio", "from 1 to 50"),
        ({"legs_0_ratio": "51"}, "legs-0-ratio", "from 1 to 50"),
        ({"legs_0_ratio": "half"}, "legs-0-ratio", "whole number"),
        ({"legs_0_product": "CNC"}, "legs-0-product", "MIS, NRML"),
        ({"legs_0_strike_method": "DELTA"}, "legs-0-strike_method", "PREMIUM_NEAR"),
        ({"legs_0_strike_method": None}, "legs-0-strike_method", "ATM"),
        ({"legs_0_strike_value": ""}, "legs-0-strike_value", "from 1 to 20"),
        ({"legs_0_strike_value": "21"}, "legs-0-strike_value", "from 1 to 20"),
        ({"legs_0_strike_value": "2.5"}, "legs-0-strike_value", "whole number"),
        ({"legs_0_strike_method": "ATM"}, "legs-0-strike_value", "takes no value"),
        ({"legs_0_strike_method": "STRIKE", "legs_0_strike_value": "-1"}, "legs-0-strike_value", "such as 26400"),
        ({"legs_0_strike_method": "STRIKE", "legs_0_strike_value": None}, "legs-0-strike_value", "empty"),
        ({"legs_0_strike_method": "PREMIUM_NEAR", "legs_0_strike_value": "NaN"}, "legs-0-strike_value", "above 0"),
        ({"legs_0_kind": "FUT"}, "legs-0-strike_value", "no strike"),
        ({"legs_0_price_type": "STOP"}, "legs-0-price_type", "MARKET, LIMIT, SL, SL-M"),
        ({"legs_0_price_type": ""}, "legs-0-price_type", "MARKET, LIMIT, SL, SL-M"),
        ({"legs_0_price_type": "LIMIT", "legs_0_limit_price": "x"}, "legs-0-limit_price", "such as 120.05"),
        ({"legs_0_price_type": "LIMIT", "legs_0_limit_price": "120.005"}, "legs-0-limit_price", "too many decimals"),
        ({"legs_0_price_type": "SL", "legs_0_trigger_price": "-1"}, "legs-0-trigger_price", "such as 120.05"),
        ({"multiplier_1": ""}, "multiplier-1", "empty"),
        ({"multiplier_1": None}, "multiplier-1", "empty"),
        ({"multiplier_1": "x"}, "multiplier-1", "“x” cannot be used"),
        ({"multiplier_1": "0"}, "multiplier-1", "above 0"),
        ({"multiplier_1": "-1"}, "multiplier-1", "above 0"),
        ({"multiplier_1": "101"}, "multiplier-1", "at most 100"),
        ({"multiplier_1": "0.0001"}, "multiplier-1", "cannot be used"),
        ({"accounts": "9"}, "accounts", "no account “9”"),
        ({"accounts": "1 OR 1=1"}, "accounts", "no account"),
        ({"accounts": ""}, "accounts", "no account"),
        ({"colour": "red"}, "colour", "no field “colour”"),
        ({"legs_0_colour": "red"}, "legs-0-colour", "no field"),
        ({"owner_id": "1"}, "owner_id", "no field"),
    ],
)
def test_a_wrong_field_is_named_with_its_fix(changes: dict[str, str | None], field: str, says: str) -> None:
    errors = errors_of(form(**changes))
    assert list(errors) == [field]
    assert says in errors[field]
    assert len(errors[field]) < 240, "however long the text was, the sentence can be read"


def test_every_wrong_field_is_told_at_once() -> None:
    errors = errors_of(form(name="", structures="-2", max_loss="abc", legs_0_ratio="0", multiplier_2="x"))
    assert set(errors) == {"name", "structures", "max_loss", "legs-0-ratio", "multiplier-2"}


@pytest.mark.parametrize("field", ["name", "structures", "max_loss", "legs-0-ratio", "legs-0-side", "multiplier-1"])
def test_a_field_sent_twice_is_refused(field: str) -> None:
    sent = form()
    sent.add(field, "7")
    assert "more than once" in errors_of(sent)[field]


def test_what_has_no_place_on_the_page_is_said_for_the_whole_form() -> None:
    with pytest.raises(FormRefused, match="no field “colour”"):
        parse(read(form(colour="red")), ACCOUNTS)


def test_no_account_and_no_leg() -> None:
    sent = MultiDict({"name": "Nobody", "structures": "1", "max_loss": "", "max_profit": ""})
    assert set(errors_of(sent)) == {"legs", "accounts"}


def test_more_legs_than_fit() -> None:
    sent = form()
    for number in range(1, 21):
        for part, text in LEG.items():
            sent[f"legs-{number}-{part}"] = text
    assert "at most 20 legs" in errors_of(sent)["legs"]


def test_a_future_needs_no_strike_and_takes_the_untouched_control() -> None:
    """Without scripts the page sends the strike controls of a future too, as they stood."""
    sent = form(legs_0_kind="FUT", legs_0_expiry="current_month", legs_0_strike_method="ATM", legs_0_strike_value="")
    assert parse(read(sent), ACCOUNTS).spec.legs[0].strike is None


def test_a_leg_keeps_its_number_where_others_were_removed() -> None:
    sent = form()
    for part, text in LEG.items():
        sent[f"legs-7-{part}"] = text
    sent["legs-7-ratio"] = "none"
    assert list(errors_of(sent)) == ["legs-7-ratio"]


@pytest.mark.parametrize(
    ("domain_field", "form_field"),
    [
        ("legs[1].ratio", "legs-4-ratio"),
        ("legs[1].side", "legs-4-side"),
        ("legs[0].strike", "legs-2-strike_method"),
        ("legs[1].strike", "legs-4-strike_value"),
        ("legs[0].number", "legs"),
        ("legs[9].ratio", "legs[9].ratio"),
        ("accounts[3].multiplier", "multiplier-3"),
        ("accounts", "accounts"),
        ("name", "name"),
    ],
)
def test_a_refusal_of_the_domain_stands_beside_the_field(domain_field: str, form_field: str) -> None:
    typed = Typed(legs=(LegText(number=2, strike_method="ATM"), LegText(number=4, strike_method="OTM")))
    assert refused_fields(InvalidInput(domain_field, "No."), typed).errors == {form_field: "No."}


def test_legs_are_added_after_the_highest_number_and_removed_by_number() -> None:
    typed = Typed(legs=(LegText(number=0), LegText(number=5))).with_leg(LegText(number=0, kind="PE"))
    assert [leg.number for leg in typed.legs] == [0, 5, 6]
    assert [leg.number for leg in typed.without_leg(5).legs] == [0, 6]


@pytest.mark.parametrize(
    ("typed", "pricing"),
    [
        ({}, PriceTerms()),  # a form that knows of no price types
        ({"price_type": "MARKET", "limit_price": "", "trigger_price": ""}, PriceTerms()),
        ({"price_type": "SL", "limit_price": "121", "trigger_price": "120.5"},
         PriceTerms(PriceType.SL, Decimal(121), Decimal("120.5"))),
    ],
)  # fmt: skip
def test_a_leg_has_the_price_that_was_typed(typed: dict[str, str], pricing: PriceTerms) -> None:
    recipe = parse(read(form(**{f"legs_0_{part}": text for part, text in typed.items()})), ACCOUNTS)
    assert recipe.spec.legs[0].pricing == pricing


def test_a_leg_that_is_wrong_is_not_shown_as_a_contract() -> None:
    good = LegText(number=0, **LEG)
    assert known_leg(good) is not None
    assert known_leg(replace(good, ratio="x")) is None
    assert known_leg(replace(good, strike_value="99")) is None


_rules = st.one_of(
    st.just(StrikeRule(StrikeMethod.ATM)),
    st.builds(
        StrikeRule,
        st.sampled_from([StrikeMethod.ITM, StrikeMethod.OTM]),
        st.integers(1, 20).map(Decimal),
    ),
    st.builds(
        StrikeRule,
        st.sampled_from([StrikeMethod.STRIKE, StrikeMethod.PREMIUM_NEAR]),
        st.integers(1, 9_999_999).map(lambda paise: Decimal(paise) / 100),
    ),
)
_prices = st.integers(1, 9_999_999).map(lambda paise: Decimal(paise) / 100)
_pricings = st.builds(
    PriceTerms, st.sampled_from(PriceType), st.one_of(st.none(), _prices), st.one_of(st.none(), _prices)
)
_expiries = st.one_of(st.sampled_from(ExpiryWord), st.dates(date(2026, 1, 1), date(2030, 12, 31)))


@st.composite
def _legs(draw: st.DrawFn) -> tuple[LegSpec, ...]:
    count = draw(st.integers(1, 6))
    return tuple(
        LegSpec(
            number,
            draw(st.sampled_from([one.name for one in UNDERLYINGS])),
            kind := draw(st.sampled_from(Kind)),
            draw(_expiries),
            draw(_rules) if kind.is_option else None,
            draw(st.sampled_from(Side)),
            draw(st.integers(1, 50)),
            draw(st.sampled_from(Product)),
            draw(_pricings),
        )
        for number in range(1, count + 1)
    )


_policies = st.builds(
    lambda leg, times, group: FailurePolicy(leg, times if leg is LegPolicy.RETRY else 0, group),
    st.sampled_from(LegPolicy),
    st.integers(1, MOST_RETRIES),
    st.sampled_from(GroupPolicy),
)
_workers = st.one_of(st.none(), st.integers(1, 10))
_amounts = st.one_of(st.none(), st.integers(1, 10**11).map(lambda paise: Decimal(paise) / 100))


@given(
    _legs(),
    st.integers(1, 500),
    _workers,
    st.tuples(_amounts, _amounts),
    _policies,
    st.decimals("0.001", "100", places=3),
)
def test_what_is_stored_comes_back_unchanged_through_the_page(
    legs: tuple[LegSpec, ...],
    structures: int,
    workers: int | None,
    limits: tuple[Decimal | None, Decimal | None],
    failure: FailurePolicy,
    factor: Decimal,
) -> None:
    spec = StrategySpec("Round trip", legs, structures, *limits, workers, failure)
    saved = SavedStrategy(1, spec, {1: factor}, archived=False, changed_at=datetime(2026, 11, 23, tzinfo=UTC))
    recipe = parse(read(_sent(stored(saved))), ACCOUNTS)
    assert recipe.spec == spec
    assert recipe.multipliers == {1: factor}


@given(
    st.dictionaries(
        st.one_of(
            st.sampled_from(["name", "structures", "max_loss", "accounts", "multiplier-1", "legs-0-ratio"]),
            st.builds(lambda n, part: f"legs-{n}-{part}", st.integers(0, 999), st.sampled_from(LEG_PARTS)),
            st.text(max_size=20),
        ),
        st.text(max_size=40),
        max_size=12,
    )
)
def test_nothing_that_is_sent_breaks_the_reader(sent: dict[str, str]) -> None:
    """Whatever comes is a strategy or a refusal; never an error of the program."""
    with suppress(FormRefused):
        parse(read(MultiDict(sent)), ACCOUNTS)


def _sent(typed: Typed) -> MultiDict[str, str]:
    """The page with this typed into it, submitted."""
    fields = {
        "name": typed.name,
        "structures": typed.structures,
        "max_loss": typed.max_loss,
        "max_profit": typed.max_profit,
        "square_off": typed.square_off,
        "trail_kind": typed.trail_kind,
        "trail_size": typed.trail_size,
        "trail_activation": typed.trail_activation,
        "lock_reach": typed.lock_reach,
        "lock_keep": typed.lock_keep,
        "lock_step": typed.lock_step,
        "lock_more": typed.lock_more,
        "max_workers": typed.max_workers,
        "leg_failure": typed.leg_failure,
        "retries": typed.retries,
        "group_failure": typed.group_failure,
    }
    for leg in typed.legs:
        texts = asdict(leg)
        fields.update({leg.field(part): texts[part] for part in LEG_PARTS})
    fields.update({f"multiplier-{account_id}": text for account_id, text in typed.multipliers.items()})
    sent: MultiDict[str, str] = MultiDict(fields)
    sent.setlist("accounts", list(typed.chosen))
    return sent
