"""A trade made past the desk is put under a max loss, the engine dies, and it gets out by itself, exactly once."""

from decimal import Decimal
from pathlib import Path

import pytest

from app.persistence.tables import Adoption, RiskEvent
from app.services.adoption_commands import Adopt
from app.services.given_rules import Chosen
from tests.integration.test_foreign_positions import NUMBER, a_contract, done, pages, shown, trade_by_hand
from tests.live_desk import STRADDLE, LiveDesk, eventually, live_desk
from tests.simulator_process import SimulatorProcess

LOSS = 3000


def adopt(desk: LiveDesk, *, ruled: bool) -> int:
    """The run of one lot that a hand has sold, adopted under the rules that were shown for it or under none."""
    contract = a_contract(desk)
    strategy_id = desk.strategy(STRADDLE, name="Guard", accounts=[desk.account_ids[0]], max_loss=LOSS)
    trade_by_hand(desk, contract, "SELL", contract.lot_size)
    row = eventually(lambda: shown(desk, contract), "the page shows it")
    rules, account_id = pages(desk).rules, desk.account_ids[NUMBER - 1]
    at = rules.position(account_id, contract.key, row.foreign, row.average)
    offer = rules.for_position(strategy_id, at, contract.key.exchange, actor=desk.trader)
    chosen = Chosen(strategy_id, offer.digest) if ruled else None
    wanted = Adopt(account_id, contract.key, "MIS", row.foreign, row.average, chosen)
    command_id = pages(desk).adoptions.ask(wanted, actor=desk.trader, key="adopt-0001")
    answer = eventually(lambda: done(desk, command_id), "it is adopted")
    assert answer is not None
    assert answer.state == "DONE", answer.answer
    (adoption,) = desk.rows(Adoption)
    assert len(desk.orders_at_broker(NUMBER)) == 1, "nothing was sent for it"
    return int(adoption.run_id)


def put_under(desk: LiveDesk, run_id: int) -> None:
    strategy_id = next(one.id for one in pages(desk).strategies.all_of(1) if one.spec.name == "Guard")
    offer = pages(desk).rules.for_run(strategy_id, run_id, actor=desk.trader)
    chosen = Chosen(strategy_id, offer.digest)
    ids = {pages(desk).rules.ask(run_id, chosen, actor=desk.trader, key="rules-0001") for _ in range(2)}
    (command_id,) = ids
    answer = eventually(lambda: done(desk, command_id), "it has rules")
    assert answer is not None
    assert answer.state == "DONE", answer.answer


@pytest.mark.parametrize("when", ["as it is adopted", "afterwards"])
def test_it_gets_out_by_itself_once_though_the_engine_died(
    simulator: SimulatorProcess, tmp_path: Path, when: str
) -> None:
    simulator.post("/scenario", name="calm")
    with live_desk(simulator, tmp_path) as desk:
        run_id = adopt(desk, ruled=when == "as it is adopted")
        if when == "afterwards":
            put_under(desk, run_id)
        desk.until(run_id, "OPEN")
        assert desk.stored(run_id).max_loss == LOSS
    with live_desk(simulator, tmp_path) as desk:
        eventually(lambda: desk.runtime.trade.run_board.pnl(desk.view(run_id)).is_complete, "it has a price")
        assert desk.rows(RiskEvent) == []
        simulator.post("/index/move", name="NIFTY", percent=1.0, over_seconds=2)
        desk.until(run_id, "CLOSED")
        (fired,) = desk.risk_events(run_id)
        assert (fired.rule, fired.threshold) == ("max_loss", Decimal(LOSS))
        assert fired.value is not None
        assert fired.value <= -LOSS
        (cell,) = desk.view(run_id).cells
        (_, out) = desk.filled_at_broker(NUMBER)
        assert (out["action"], int(out["quantity"])) == ("BUY", cell.units), "one order in, one order out"
        assert desk.net_at_broker(NUMBER) == {}
