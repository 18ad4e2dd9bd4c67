"""The load test itself works: a small and short one answers every page, and its bounds hold."""

import re

import pytest

from tests.load.load_test import Measured, main


def test_a_short_load_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--users", "2", "--sockets", "20", "--seconds", "1"]) == 0, capsys.readouterr().out
    said = capsys.readouterr().out
    assert "sockets let in: 20; sockets lost: 0" in said
    each = re.search(r"([0-9.]+) and [0-9.-]+ MB for each socket", said)
    assert each is not None
    assert 3.5 < float(each[1]) < 4.5, "a socket keeps four threads; others come and go"
    assert "/trading/chain/NIFTY" in said


@pytest.mark.parametrize("arguments", [["--users", "0"], ["--users", "10"], ["--sockets", "361"], ["--seconds", "nan"],
                                       ["--seconds", "601"], ["--url", "http://elsewhere"]])  # fmt: skip
def test_it_cannot_be_asked_for_more_than_its_bounds(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)


def test_percentiles() -> None:
    assert Measured([0.001 * n for n in range(1, 101)]).percentile_ms(0.95) == pytest.approx(95)
    assert Measured([0.5]).percentile_ms(0.5) == 500
