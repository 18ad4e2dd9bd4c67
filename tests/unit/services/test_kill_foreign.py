"""Foreign positions that are ticked on the kill switch go along: as they were shown, each once, shorts before longs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.contracts import Contract, Side
from app.domain.errors import Conflict, InvalidInput, NoFreshPrice, NotFound
from app.domain.trading_states import Scope
from app.engine.intake import Intake
from app.persistence.tables import Adoption, CommandRow, FillRow, Intent, Run
from app.services.adoption_waits import ALONG_PATIENCE_S
from app.services.kill_switch import Kill, Target
from app.services.taken_along import MOST, Ticked
from tests.unit.services.order_world import OrderWorld, no_feed
from tests.unit.services.pretend_broker import CALL, HEDGE, LOT, PRICE, PUT
from tests.unit.services.test_kill_switch import ADMIN, TRADER, Switched, held

BOTH = pytest.mark.parametrize("filling", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def filling(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Switched]:
    """Two accounts whose brokers fill at once, on SQLite unless a test says both."""
    on_server = getattr(request, "param", "sqlite") == "postgresql"
    world = OrderWorld(tmp_path, accounts=2, url=request.getfixturevalue("postgres_url") if on_server else None)
    for broker in world.brokers.values():
        broker.fills_at_once = True
    yield Switched(world)
    world.database.engine.dispose()


def ticked(contract: Contract, units: int, account_id: int = 1) -> Ticked:
    return Ticked(account_id, contract.key.exchange, contract.key.symbol, "MIS", units)


def foreign(switched: Switched, contract: Contract, units: int, account_id: int = 1) -> Ticked:
    """Somebody trades at that broker, past us, and the desk has seen it."""
    side = Side.BUY if units > 0 else Side.SELL
    switched.world.brokers[account_id].by_hand(contract.key, side, abs(units))
    switched.world.clock.advance(1.0)
    switched.world.read()
    return ticked(contract, units, account_id)


def kill(switched: Switched, *along: Ticked, key: str = "kill-00009", target: Target | None = None) -> int:
    return switched.switch.kill(target or Target(), actor=ADMIN, key=key, ticked=along)


def standing(switched: Switched) -> Kill:
    return switched.switch.kills(ADMIN)[0]


def net(switched: Switched, contract: Contract, account_id: int = 1) -> int:
    return switched.world.brokers[account_id].net(contract.key)


@BOTH
def test_what_is_ticked_goes_along_through_the_same_path_and_what_is_not_stays(filling: Switched) -> None:
    run_id = held(filling)
    short, other = foreign(filling, PUT, -2 * LOT), foreign(filling, PUT, -LOT, 2)
    kill(filling, short)
    filling.turns(12)
    assert net(filling, PUT) == 0
    assert net(filling, PUT, 2) == other.units, "not ticked, not touched"
    (adoption,) = filling.world.rows(Adoption)
    assert (adoption.units, adoption.account_id, adoption.symbol) == (-2 * LOT, 1, PUT.key.symbol)
    assert filling.world.run(run_id).state == filling.world.run(adoption.run_id).state == "CLOSED"
    (exit_,) = filling.world.intents("EXIT", adoption.run_id)
    assert (exit_.side, exit_.units, exit_.state) == ("BUY", 2 * LOT, "FILLED")
    assert filling.world.intents("ENTRY", adoption.run_id) == []
    assert [row.exit_wanted for row in filling.world.run(adoption.run_id).executions] == ["Kill switch by asha"]
    (along,) = standing(filling).along
    assert (along.ticked, along.run_id, along.refused) == (short, adoption.run_id, None)
    assert standing(filling).flat_at is not None
    answer = next(row.answer for row in filling.world.rows(CommandRow) if row.kind == "KILL")
    assert answer == "1 run is on the way out. 1 foreign position goes along once the books are read."
    assert f"Foreign positions that go along: {short.name}." in filling.said("kill.ask")[0]


def test_it_is_not_called_flat_before_what_goes_along_is(filling: Switched) -> None:
    short = foreign(filling, PUT, -LOT)
    kill(filling, short)
    filling.intake.step()
    filling.watch.step()
    assert standing(filling).flat_at is None
    assert [each.waits for each in standing(filling).along] == [True]
    filling.world.clock.advance(31)
    filling.watch.step()
    assert filling.said("kill.alarm") == [
        f"Not flat 30 s after the kill switch: foreign and not taken along yet: {short.name}."
    ]
    filling.turns(10)
    assert standing(filling).flat_at is not None
    assert net(filling, PUT) == 0


def test_a_long_waits_until_the_shorts_of_its_account_are_bought_back(filling: Switched) -> None:
    long, short = foreign(filling, HEDGE, LOT), foreign(filling, PUT, -LOT)
    filling.world.broker.fills_at_once = False
    kill(filling, long, short)
    filling.turns(12)
    assert [row.symbol for row in filling.world.rows(Adoption)] == [PUT.key.symbol], "the hedge is still foreign"
    filling.world.broker.fills_at_once = True
    filling.turns(14)
    assert (net(filling, PUT), net(filling, HEDGE)) == (0, 0)
    sold = [intent.id for intent in filling.world.intents("EXIT") if intent.side == "SELL"]
    bought = [intent.id for intent in filling.world.intents("EXIT") if intent.side == "BUY"]
    assert min(sold) > max(bought)


def test_a_long_waits_for_our_own_shorts_too(filling: Switched) -> None:
    long = foreign(filling, HEDGE, LOT)
    filling.world.start((PUT, Side.SELL, 1))
    filling.world.turns(3)
    filling.world.broker.fills_at_once = False
    kill(filling, long)
    filling.turns(8)
    assert filling.world.rows(Adoption) == []
    filling.world.broker.fills_at_once = True
    filling.turns(14)
    assert (net(filling, PUT), net(filling, HEDGE)) == (0, 0)


def test_the_hedge_of_a_short_that_stays_stays_too(filling: Switched) -> None:
    long, short = foreign(filling, HEDGE, LOT), foreign(filling, PUT, -2 * LOT)
    kill(filling, long, ticked(PUT, -LOT))
    filling.turns(8)
    refused = {each.ticked.symbol: each.refused or "" for each in standing(filling).along}
    assert refused[PUT.key.symbol].startswith("ADOPT_CHANGED: ")
    assert refused[HEDGE.key.symbol].startswith("ADOPT_SHORT_STAYS: ")
    assert (net(filling, PUT), net(filling, HEDGE)) == (short.units, long.units)
    assert filling.world.rows(Intent) == []
    (flat,) = filling.said("kill.flat")
    assert f"Foreign and not taken along: {ticked(PUT, -LOT).name} (ADOPT_CHANGED: " in flat


def test_beside_our_own_exit_in_that_contract_it_waits_until_the_books_tell_whose_is_whose(filling: Switched) -> None:
    run_id = held(filling)
    beyond = foreign(filling, CALL, LOT)
    kill(filling, beyond)
    filling.turns(6)
    assert filling.world.run(run_id).state == "CLOSED"
    assert filling.world.rows(Adoption) == [], "our exit ended moments ago"
    filling.turns(16)
    assert net(filling, CALL) == 0
    (adoption,) = filling.world.rows(Adoption)
    assert (adoption.average_from, adoption.average) == ("price", PRICE), "their average is ours and theirs mixed"
    sold = [intent.units for intent in filling.world.intents("EXIT") if intent.account_id == 1]
    assert sold == [2 * LOT, LOT]


def test_without_a_price_it_waits_and_in_the_end_stays_and_is_told(filling: Switched) -> None:
    held(filling)
    beyond = foreign(filling, CALL, LOT)
    kill(filling, beyond)
    filling.turns(6)
    filling.world.pricing.trouble = NoFreshPrice("Nobody tells a price.")
    filling.turns(20)
    assert standing(filling).along[0].waits
    filling.world.clock.advance(ALONG_PATIENCE_S)
    filling.turns(3)
    assert (standing(filling).along[0].refused or "").startswith("ADOPT_NO_PRICE: ")
    assert net(filling, CALL) == LOT
    assert standing(filling).flat_at is not None


def test_books_that_nobody_reads_end_in_a_refusal_and_nothing_is_sent(filling: Switched) -> None:
    short = foreign(filling, PUT, -LOT)
    kill(filling, short)
    filling.intake.step()
    for _ in range(3):
        filling.intake.step()
        filling.world.clock.advance(ALONG_PATIENCE_S / 2)
    filling.intake.step()
    assert (standing(filling).along[0].refused or "").startswith("ADOPT_UNREAD: ")
    assert filling.world.rows(Intent) == []


@BOTH
def test_an_engine_that_begins_anew_takes_it_along_once(filling: Switched) -> None:
    short = foreign(filling, PUT, -LOT)
    kill(filling, short)
    filling.intake._kills.do(filling.command().id)  # done, and not marked as done
    filling.world.restart()
    world = filling.world
    filling.intake = Intake(world.database, world.clock, world.executor, world.adopter, no_feed)
    filling.turns(4)
    world.restart()
    filling.intake = Intake(world.database, world.clock, world.executor, world.adopter, no_feed)
    filling.turns(12)
    assert net(filling, PUT) == 0
    assert len(world.rows(Adoption)) == len(world.rows(Run)) == len(world.intents("EXIT")) == 1
    assert len(world.rows(FillRow)) == 2, "what was adopted, and what closed it"


def test_its_exit_is_latched_with_it(filling: Switched) -> None:
    """A crash between the two would leave a run that stays."""
    short = foreign(filling, PUT, -LOT)
    kill(filling, short)
    for _ in range(4):
        filling.intake.step()
        filling.world.clock.advance(1.0)
        filling.world.read()
    (run,) = filling.world.rows(Run)
    assert run.state == "EXITING"
    assert [row.exit_wanted for row in filling.world.run(run.id).executions] == ["Kill switch by asha"]


def test_the_same_key_with_other_ticks_is_no_second_kill(filling: Switched) -> None:
    short = foreign(filling, PUT, -LOT)
    first = kill(filling, short)
    assert kill(filling, short) == first
    with pytest.raises(Conflict):
        kill(filling)


def test_it_goes_along_in_an_account_that_is_not_halted(filling: Switched) -> None:
    short = foreign(filling, PUT, -LOT, 2)
    kill(filling, short, target=Target(Scope.ACCOUNT, 1))
    filling.turns(8)
    assert net(filling, PUT, 2) == 0
    assert filling.states() == {("ACCOUNT", 1): "HALTED"}


def test_nobody_takes_along_what_they_may_not_see_and_then_nothing_is_halted(filling: Switched) -> None:
    short = foreign(filling, PUT, -LOT)
    mine = Target(Scope.USER, 2)
    with pytest.raises(NotFound):
        filling.switch.kill(mine, actor=TRADER, key="kill-00009", ticked=[short])
    with pytest.raises(NotFound):
        kill(filling, ticked(PUT, -LOT, 99))
    with pytest.raises(InvalidInput, match="twice"):
        kill(filling, short, ticked(PUT, -2 * LOT))
    with pytest.raises(InvalidInput, match=f"At most {MOST}"):
        kill(filling, *(ticked(PUT, -number, 1) for number in range(1, MOST + 2)))
    assert filling.states() == {}
    assert filling.world.rows(CommandRow) == []
