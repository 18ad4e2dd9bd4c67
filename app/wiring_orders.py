"""Builds the way of an order: what the desk may know of the world, claims, calls, answers, lanes."""

from collections.abc import Callable
from datetime import datetime

from app.engine.book_turns import BookTurns
from app.engine.lanes import Lanes
from app.services.claims import ClaimDesk
from app.services.modify_desk import ModifyDesk
from app.services.order_answers import OrderAnswers
from app.services.order_desk import OrderDesk
from app.services.pace_settings import PaceSettings
from app.services.reconciler import Reconciler
from app.services.world import World
from app.wiring import Ground, MarketSide


def build_world(ground: Ground, market: MarketSide, turns: BookTurns, reconciler: Reconciler) -> World:
    return World(
        ground.clock,
        market.gateways,
        market.health,
        contracts=market.contracts,
        hours=market.hours,
        books=reconciler,
        read_soon=turns.ask,
        well=lambda: not ground.supervisor.unwell,
        locked=market.locks.of,
        unowned=market.doubt.leaving,
    )


def build_lanes(
    ground: Ground,
    market: MarketSide,
    world: World,
    acknowledged: Callable[[int, int], None],
    changed: Callable[[int, int], None],
    *,
    claimed: Callable[[int, datetime], None],
    going_out: Callable[[], None],
) -> Lanes:
    supervisor, settings = ground.supervisor, ground.settings
    claims = ClaimDesk(
        ground.database,
        ground.clock,
        ground.market_clock,
        market.gateways,
        market.pricing,
        ground.journal,
        world=world,
        epoch=lambda: ground.lease.epoch,
        live_sending=settings.live_sending,
        on_change=changed,
        claimed=claimed,
    )
    desk = OrderDesk(
        ground.database,
        ground.clock,
        market.gateways,
        claims,
        OrderAnswers(
            ground.database,
            ground.clock,
            ground.journal,
            read_soon=world.read_soon,
            acknowledged=acknowledged,
            on_change=changed,
        ),
        epoch=lambda: ground.lease.epoch,
        read_soon=world.read_soon,
        on_change=changed,
    )
    changes = ModifyDesk(
        ground.database,
        ground.clock,
        market.gateways,
        epoch=lambda: ground.lease.epoch,
        read_soon=world.read_soon,
        on_change=changed,
    )
    return Lanes(
        supervisor,
        ground.clock,
        desk,
        modify=changes.modify,
        paces=PaceSettings(ground.database, settings.orders_per_second, settings.lane_workers).now,
        workers=settings.lane_workers,
        on_claimed=going_out,
    )
