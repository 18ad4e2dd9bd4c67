"""Events of runs as people read them: once, together, and by the names of the page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.domain.contracts import Side
from app.web.run_events import Filled, Said, fills_together, named, once, with_names

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)


def said(sentence: str, who: str | None = None, after_s: float = 0, kind: str = "rejected") -> Said:
    return Said(NOW + timedelta(seconds=after_s), kind, sentence, () if who is None else (who,))


def fill(account: str, price: str, after_s: float = 0, side: Side = Side.SELL, contract: str = "25,300 CE") -> Filled:
    return Filled(NOW + timedelta(seconds=after_s), account, side, contract, 65, 65, Decimal(price))


def test_a_sentence_true_of_several_accounts_is_said_once() -> None:
    lines = once([said("No funds.", "Asha"), said("Started.", kind="started"), said("No funds.", "Ravi", 3)])
    assert [(line.sentence, line.detail, line.at) for line in lines] == [
        ("No funds.", "Asha, Ravi", NOW),
        ("Started.", None, NOW),
    ]


def test_repeats_in_one_account_are_counted() -> None:
    (line,) = once([said("No funds.", "Asha", second) for second in range(4)])
    assert line.detail == "Asha, 4 times"
    (line,) = once([said("No price.", after_s=second) for second in range(2)])
    assert line.detail == "2 times"


def test_what_happens_again_later_is_a_line_of_its_own() -> None:
    lines = once([said("No funds.", "Asha"), said("No funds.", "Asha", 10), said("No funds.", "Asha", 11)])
    assert [line.detail for line in lines] == ["Asha, 2 times", "Asha"]


def test_the_same_words_of_another_kind_stay_apart() -> None:
    assert len(once([said("It."), said("It.", kind="denied")])) == 2


def test_fills_of_a_contract_are_one_line_at_their_average() -> None:
    fills = [fill(f"Account {number}", "0.15", number / 4) for number in range(1, 5)]
    (line,) = fills_together([*fills, fill("Account 5", "0.20", 2)])
    assert line.sentence == "Sold 5 lots (325) 25,300 CE at 0.16"
    assert line.detail == "5 accounts"
    assert line.kind == "filled"


def test_sides_contracts_and_later_fills_are_lines_of_their_own() -> None:
    lines = fills_together(
        [
            fill("Asha", "1"),
            fill("Asha", "2", side=Side.BUY),
            fill("Asha", "3", contract="24,900 PE"),
            fill("Asha", "4", 3),
        ]
    )
    assert [line.sentence for line in lines] == [
        "Sold 1 lot (65) 25,300 CE at 1.00",
        "Bought 1 lot (65) 25,300 CE at 2.00",
        "Sold 1 lot (65) 24,900 PE at 3.00",
        "Sold 1 lot (65) 25,300 CE at 4.00",
    ]
    assert [line.detail for line in lines] == ["Asha"] * 4


def test_symbols_become_names_the_longest_first() -> None:
    names = {"NIFTY01DEC2625000CE": "25,000 CE", "BANKNIFTY01DEC2625000CE": "BANKNIFTY 25,000 CE"}
    sentence = "Sold NIFTY01DEC2625000CE, then BANKNIFTY01DEC2625000CE."
    assert with_names(sentence, names) == "Sold 25,000 CE, then BANKNIFTY 25,000 CE."


def test_codes_of_denials_are_left_out() -> None:
    assert (
        with_names("Not sent: buy 65. NO_PRICE_OR_BOOK: The book is old.", {}) == "Not sent: buy 65. The book is old."
    )
    assert with_names("RMS: margin exceeds, code A_1: x", {}) == "RMS: margin exceeds, code A_1: x"


def test_many_names_are_only_counted() -> None:
    assert named(["a", "b", "c"]) == "a, b, c"
    assert named(["a", "b", "c", "d"]) == "4 accounts"
