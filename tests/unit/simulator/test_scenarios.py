"""Scripted days: they load, they happen when they should, and bad ones are refused."""

from datetime import time
from pathlib import Path

import pytest

from simulator import scenario
from simulator.scenario import ScenarioError, known_scenarios, load_scenario
from tests.unit.simulator.desk_parts import open_venue


def test_the_promised_scenarios_are_there_and_readable() -> None:
    assert {"calm", "trend_up", "whipsaw", "crash", "gateway_trouble"} <= set(known_scenarios())
    for name in known_scenarios():
        assert load_scenario(name).sentence


def test_crash_falls_and_calm_hardly_moves() -> None:
    crash, calm = open_venue(at=time(9, 15)), open_venue(at=time(9, 15))
    crash.load_scenario("crash")
    calm.load_scenario("calm")
    start = crash.market.spot("NIFTY")
    crash.step(1100)
    calm.step(1100)
    assert crash.market.spot("NIFTY") < start * 0.975
    assert abs(calm.market.spot("NIFTY") / start - 1) < 0.004
    assert crash.scenario == "crash"


def test_gateway_trouble_puts_up_faults_and_takes_them_down() -> None:
    venue = open_venue(accounts=5)
    venue.load_scenario("gateway_trouble")
    venue.step(91)
    assert {rule.name for rule in venue.faults.list()} == {"latency", "lost_reply", "late_accept"}
    venue.step(215)
    assert [account.session_ok for account in venue.accounts] == [True, True, False, True, True]
    venue.step(300)
    assert venue.faults.list() == []
    assert venue.accounts[2].session_ok
    assert venue.accounts[2].token_generation == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('sentence = "x"\n[[event]]\nafter_s = -1\nclear_faults = true', "after_s must be seconds"),
        ('sentence = "x"\n[[event]]\nafter_s = 1\nexplode = true', "exactly one of"),
        ('sentence = "x"\n[[event]]\nafter_s = 1', "exactly one of"),
    ],
)
def test_a_script_with_a_mistake_says_where(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(scenario, "FOLDER", tmp_path)
    with pytest.raises(ScenarioError, match=words):
        load_scenario("bad")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match="calm, crash"):
        open_venue().load_scenario("doom")


def test_a_venue_takes_one_to_fifty_accounts_each_with_its_own_key() -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        open_venue(accounts=51)
    venue = open_venue(accounts=50)
    assert len({account.api_key for account in venue.accounts}) == 50
    assert venue.account(51) is None
    assert venue.account(50) is venue.accounts[-1]
