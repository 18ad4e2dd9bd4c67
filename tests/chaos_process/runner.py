"""Plays scenarios on rigs of their own processes, side by side, and gives what each of them showed."""

import contextlib
import logging
import multiprocessing
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.queues import Queue

from sqlalchemy.exc import SQLAlchemyError

from app.domain.errors import DeskError
from tests.chaos_process.judge import judge
from tests.chaos_process.rig import RefusedError, Rig, rig
from tests.chaos_process.scenarios import AT_RANDOM, EVERY, NotReachedError, Phase, Scenario, Start

LOG_SHOWN = 3000
TRIES = 3


@dataclass(frozen=True)
class Task:
    """`seed` decides the moments and the strategy; what processes make of them is up to the machine."""

    seed: int
    scenario: str
    phase: Phase
    database: str


@dataclass(frozen=True)
class Shown:
    """`led_s` None where nobody had stopped leading. `settled_s` from the strike until nothing was under way."""

    task: Task
    took_s: float
    led_s: float | None = None
    settled_s: float | None = None
    orders: int = 0
    duplicates: int = 0
    lost: int = 0
    over_closed: int = 0
    troubles: list[str] = field(default_factory=list)


def tasks(count: int, seed: int = 1) -> list[Task]:
    """Each scenario in each of its phases, then kills at random moments; anew from the start when there are more."""
    round_ = [(scenario, phase) for scenario in EVERY for phase in scenario.phases]
    round_ += [(AT_RANDOM, phase) for phase in AT_RANDOM.phases * 2]
    made = []
    for number in range(count):
        scenario, phase = round_[number % len(round_)]
        database = scenario.database or ("sqlite", "postgresql")[(number // 2 + number) % 2]
        made.append(Task(seed + number, scenario.name, phase, database))
    return made


def play(rig_: Rig, task: Task) -> Shown:
    """One scenario on a rig that is at rest, judged when it rests again."""
    began = time.monotonic()
    dice = random.Random(task.seed)
    scenario = next(each for each in EVERY if each.name == task.scenario)
    before = judge(rig_.desk).orders
    try:
        led_s, settled_s = _until_it_began(rig_, scenario, task.phase, dice)
        verdict = judge(rig_.desk)
    except (AssertionError, DeskError, SQLAlchemyError) as trouble:
        log = rig_.log.read_text(encoding="utf-8")[-LOG_SHOWN:]
        return Shown(task, time.monotonic() - began, lost=1, troubles=[f"{trouble}", f"the engines wrote:\n{log}"])
    return Shown(
        task,
        time.monotonic() - began,
        led_s,
        settled_s,
        verdict.orders - before,
        verdict.duplicates,
        verdict.lost,
        verdict.over_closed,
        verdict.troubles,
    )


def _until_it_began(rig_: Rig, scenario: Scenario, phase: Phase, dice: random.Random) -> tuple[float | None, float]:
    """A market that moved away, or gave no price in time, refuses a run before anything was sent: once more then."""
    for _ in range(TRIES - 1):
        with contextlib.suppress(RefusedError):
            return _strike(rig_, scenario, phase, dice)
    return _strike(rig_, scenario, phase, dice)


def _strike(rig_: Rig, scenario: Scenario, phase: Phase, dice: random.Random) -> tuple[float | None, float]:
    rig_.simulator.clear_faults()
    preview = rig_.preview(dice)
    runs: list[int] = []
    if phase == "entry":
        led_s, settled_s = _measured(rig_, scenario, dice, lambda: runs.append(rig_.send(preview)), runs, "OPEN")
        rig_.leave(runs[0])
        return led_s, settled_s
    rig_.ready()
    runs.append(rig_.send(preview))
    rig_.settled(runs[0], "OPEN")
    return _measured(rig_, scenario, dice, lambda: rig_.exit(runs[0]), runs, "CLOSED")


def _measured(
    rig_: Rig, scenario: Scenario, dice: random.Random, start: Start, runs: list[int], state: str
) -> tuple[float | None, float]:
    try:
        led_s = scenario.strike(rig_, dice, start)
    except NotReachedError as never:
        if runs and rig_.desk.view(runs[0]).state == "REFUSED":
            raise RefusedError(f"{never}: {rig_.desk.stored(runs[0]).reason}") from None
        raise NotReachedError(f"{never}\n{rig_.desk.story(runs[0]) if runs else 'no run was asked for'}") from None
    struck = time.monotonic() - (led_s or 0.0)
    rig_.settled(runs[0], state)
    rig_.simulator.clear_faults()
    return led_s, time.monotonic() - struck


def play_all(wanted: Sequence[Task], rigs: int, *, quick: bool) -> Iterator[Shown]:
    """In any order, as they come; `rigs` at the same time for each database."""
    spawn = multiprocessing.get_context("spawn")
    shown: Queue[Shown] = spawn.Queue()
    queues, workers = [], []
    for database in sorted({task.database for task in wanted}):
        queue: Queue[Task | None] = spawn.Queue()
        queues.append(queue)  # a worker that has not begun yet does not keep it alive
        mine = [task for task in wanted if task.database == database]
        for task in [*mine, *[None] * rigs]:
            queue.put(task)
        workers += [
            spawn.Process(target=_work, args=(database, queue, shown, quick), daemon=True)
            for _ in range(min(rigs, len(mine)))
        ]
    for worker in workers:
        worker.start()
    for _ in wanted:
        yield shown.get()
    for worker in workers:
        worker.join()


def _work(database: str, queue: "Queue[Task | None]", shown: "Queue[Shown]", quick: bool) -> None:
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # with everything it started
    task = queue.get()
    while task is not None:
        try:
            with rig(database, quick=quick) as mine:
                task = _play_until_trouble(mine, task, queue, shown)
        except Exception as trouble:  # noqa: BLE001 - whatever it is, the others are still to be played
            if task is not None:
                why = f"no desk to play on: {type(trouble).__name__}: {trouble}"
                shown.put(Shown(task, 0.0, troubles=[why]))
            task = queue.get()


def _play_until_trouble(
    mine: Rig, task: Task | None, queue: "Queue[Task | None]", shown: "Queue[Shown]"
) -> Task | None:
    """The task that is to be played next, on new books: what went wrong stays in these."""
    while task is not None:
        said = play(mine, task)
        shown.put(said)
        task = queue.get()
        if said.troubles:
            break
    return task
