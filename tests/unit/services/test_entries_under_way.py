"""What runs are just entering, from when they were sent until their entries are settled."""

from pathlib import Path

from app.domain.contracts import Product, Side
from app.domain.planning import UnderWay
from app.services.entries_under_way import under_way
from tests.unit.services.order_world import OrderWorld
from tests.unit.services.pretend_broker import CALL


def entering(world: OrderWorld) -> dict[int, tuple[UnderWay, ...]]:
    with world.database.reading() as session:
        return dict(under_way(session))


def test_from_being_sent_until_it_has_filled(tmp_path: Path) -> None:
    world = OrderWorld(tmp_path, accounts=2)
    assert entering(world) == {}
    run_id = world.request((CALL, Side.SELL, 1))
    asked = entering(world)
    assert set(asked) == {1, 2}
    (entry,) = asked[1]
    assert (entry.contract, Product(entry.product), entry.side, entry.run_id) == (
        CALL.key,
        Product.MIS,
        Side.SELL,
        run_id,
    )
    world.read()
    world.executor.start(run_id)
    assert entering(world) == asked, "begun, not filled"
    for broker in world.brokers.values():
        broker.fills_at_once = True
    world.turns(4)
    assert entering(world) == {}, "now it is a position"
