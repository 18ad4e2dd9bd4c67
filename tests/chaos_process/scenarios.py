"""What is done to running engines, each as a function of the rig, the dice and a run about to move.

A scenario strikes while a run goes in, or while it comes out, and leaves one engine that can lead. It gives the seconds
until somebody led again, None where nobody had stopped leading.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

from app.services.crash_points import Point
from tests.chaos_process.engines import EngineProcess
from tests.chaos_process.rig import LEADS_WITHIN_S, Rig, TooLateError

Phase = Literal["entry", "exit"]
Start = Callable[[], None]
Strike = Callable[[Rig, random.Random, Start], float | None]

BEYOND_LEASE_S = 6.0
LOST_CODE = 70
SLOW_S = 0.25
REACHED_ONCE = frozenset(
    {"after_start", "after_cancel", "before_claim_commit", "before_ack_commit", "after_ack_commit"}
)
"""One commit takes all orders that may go, or all answers that came: a second one may never be made."""


class NotReachedError(AssertionError):
    """The point was never reached: the scenario proved nothing."""


@dataclass(frozen=True)
class Scenario:
    """`database` None: on either. `phases` are those in which it can strike."""

    name: str
    strike: Strike
    database: str | None = None
    phases: tuple[Phase, ...] = ("entry", "exit")


def _at_point(point: Point, rig: Rig, dice: random.Random, start: Start) -> float:
    """The leader dies there, the first time or the second, and a new one is started."""
    if point == "after_cancel":  # nothing fills for a while, so what rests is cancelled
        rig.simulator.fault("no_fill", parameters={"rest_s": dice.uniform(6, 10)})
    turn = 1 if point in REACHED_ONCE else dice.choice((1, 1, 2))
    leader = rig.leader(CRASH_AT=f"{point}:{turn}")
    start()
    _reached(rig, lambda: not leader.lives, f"the leader dies {point}:{turn}")
    rig.simulator.clear_faults()
    return _again(rig)


def _at_random(rig: Rig, dice: random.Random, start: Start) -> float:
    leader = rig.ready()
    rig.slow_orders(dice.choice((0.0, SLOW_S)))
    start()
    _moment(dice)
    leader.kill()
    return _again(rig)


def _again_and_again(rig: Rig, dice: random.Random, start: Start) -> float:
    """Three leaders in a row die soon after they began to lead."""
    leader = rig.ready()
    rig.slow_orders(SLOW_S)
    start()
    began = time.monotonic()
    for _ in range(3):
        _moment(dice)
        leader.kill()
        before = rig.epoch
        leader = rig.engine()
        rig.led_since(before, began)
    return time.monotonic() - began


def _two_engines(rig: Rig, dice: random.Random, start: Start) -> float:
    """The one that waits takes over when the leader is killed."""
    rig.ready()
    _waiting(rig)
    rig.slow_orders(dice.choice((0.0, SLOW_S)))
    start()
    _moment(dice)
    before = rig.epoch
    rig.leading().kill()
    return rig.led_since(before, time.monotonic())


def _suspended_alone(rig: Rig, dice: random.Random, start: Start) -> None:
    """The machine sleeps for a while; nobody else is there."""
    leader = rig.ready()
    rig.slow_orders(SLOW_S)
    start()
    _moment(dice)
    leader.stop()
    threading.Event().wait(BEYOND_LEASE_S)
    leader.go_on()


def _suspended(rig: Rig, dice: random.Random, start: Start) -> float:
    """Stopped at any moment for longer than its lease lives while another waits, then continued."""
    rig.ready()
    _waiting(rig)
    rig.slow_orders(SLOW_S)
    start()
    _moment(dice)
    before, sleeper = rig.epoch, rig.leading()
    sleeper.stop()
    return _replaced(rig, sleeper, before, dice)


def _suspended_claim(rig: Rig, dice: random.Random, start: Start) -> float:
    """The same, stopped exactly between a claim and its call."""
    leader = rig.leader(STOP_AT="after_claim")
    _waiting(rig)
    before = rig.epoch
    start()
    _reached(rig, lambda: leader.is_stopped, "the leader stops after its claim")
    return _replaced(rig, leader, before, dice)


def _replaced(rig: Rig, sleeper: EngineProcess, before: int, dice: random.Random) -> float:
    led_s = rig.led_since(before, time.monotonic())
    threading.Event().wait(dice.uniform(0.0, 2.0))
    sleeper.go_on()
    _ended_itself(rig, sleeper)
    return led_s


def _ended_itself(rig: Rig, engine: EngineProcess) -> None:
    rig.until(lambda: not engine.lives, "the one that was replaced ends itself", LEADS_WITHIN_S)
    if engine.ended_by != LOST_CODE:
        raise AssertionError(f"the one that was replaced ended with {engine.ended_by}")


def _gateway_killed(rig: Rig, dice: random.Random, start: Start) -> None:
    """One account's gateway is killed while orders are under way, and comes back."""
    rig.ready()
    rig.slow_orders(SLOW_S)
    relay = dice.choice(rig.relays)
    start()
    _moment(dice)
    relay.kill()
    threading.Event().wait(dice.uniform(0.2, 5.0))
    relay.start()


def _database_cut(rig: Rig, dice: random.Random, start: Start) -> None:
    """All connections of the engine are ended, three times."""
    rig.ready()
    rig.slow_orders(dice.choice((0.0, SLOW_S)))
    start()
    for _ in range(3):
        _moment(dice)
        rig.cut_database()


def _database_cut_beside_another(rig: Rig, dice: random.Random, start: Start) -> float:
    """With the connections goes the lock by which a holder is known to live, and whoever is quicker has it next.

    Either the other one leads and this one ends itself, or this one goes on.
    """
    rig.ready()
    _waiting(rig)
    rig.slow_orders(SLOW_S)
    start()
    _moment(dice)
    before, ends, leader, began = rig.epoch, rig.lease_ends, rig.leading(), time.monotonic()
    rig.cut_database()
    rig.until(lambda: rig.epoch > before or rig.lease_ends > ends, "somebody leads", LEADS_WITHIN_S)
    led_s = time.monotonic() - began
    if leader is not rig.leading():
        _ended_itself(rig, leader)
    return led_s


def _waiting(rig: Rig) -> None:
    """A second engine that would lead if it could."""
    second = rig.engine()
    rig.until(lambda: second.is_up, "the second engine is up", LEADS_WITHIN_S)


def _again(rig: Rig) -> float:
    began, before = time.monotonic(), rig.epoch
    rig.clear()
    rig.engine()
    return rig.led_since(before, began)


def _reached(rig: Rig, point: Callable[[], bool], what: str) -> None:
    try:
        rig.until(point, what, LEADS_WITHIN_S)
    except TooLateError as never:
        raise NotReachedError(str(never)) from None


def _moment(dice: random.Random) -> None:
    """Any moment of the first three quarters of a second: before, between and after the orders of a wave."""
    threading.Event().wait(dice.uniform(0.0, 0.75))


AT_POINTS = tuple(
    Scenario(
        f"killed {point.replace('_', ' ')}",
        partial(_at_point, point),
        phases=("entry",) if point == "after_start" else ("entry", "exit"),
    )
    for point in get_args(Point)
)
AT_RANDOM = Scenario("killed at random", _at_random)
OTHERS = (
    AT_RANDOM,
    Scenario("killed three times", _again_and_again),
    Scenario("two engines, one killed", _two_engines),
    Scenario("suspended alone", _suspended_alone, "sqlite"),
    Scenario("suspended, replaced", _suspended, "postgresql"),
    Scenario("suspended with a claim", _suspended_claim, "postgresql"),
    Scenario("gateway killed", _gateway_killed),
    Scenario("database cut", _database_cut, "postgresql"),
    Scenario("database cut, two engines", _database_cut_beside_another, "postgresql"),
)
EVERY = (*AT_POINTS, *OTHERS)
