"""The guard measures this process, puts one step after another into force, tells each, and takes all of it back."""

from app.adapters.process_usage import KernelUsage
from app.domain.relief import Relief, ReliefLimits
from app.services.resource_guard import LOOK_S, ResourceGuard
from tests.unit.services.market_fakes import FakeClock


class HandUsage:
    def __init__(self) -> None:
        self.memory: float | None = 100.0
        self.seconds = 0.0

    def memory_mb(self) -> float | None:
        return self.memory

    def cpu_s(self) -> float:
        return self.seconds


class World:
    def __init__(self) -> None:
        self.clock, self.usage = FakeClock(), HandUsage()
        self.steps: list[Relief] = []
        self.told: list[tuple[Relief, str]] = []
        self.guard = ResourceGuard(
            self.usage,
            self.clock,
            ReliefLimits(memory_mb=500, cpu=0.7, after_s=5, calm_s=20),
            relieve=self.steps.append,
            announce=lambda step, words: self.told.append((step, words)),
        )

    def run(self, seconds: int, cpu: float) -> None:
        for _ in range(seconds):
            self.clock.advance(LOOK_S)
            self.usage.seconds += cpu * LOOK_S
            assert self.guard.step() == LOOK_S


def test_a_busy_process_gives_up_one_thing_after_the_other_and_takes_them_back() -> None:
    world = World()
    world.run(30, cpu=0.9)
    assert world.steps == [Relief.SLOW_PAGES, Relief.NEAR_STRIKES, Relief.NO_IDLE_CHAINS]
    world.run(70, cpu=0.1)
    assert world.steps[3:] == [Relief.NEAR_STRIKES, Relief.SLOW_PAGES, Relief.NONE]
    assert [step for step, _ in world.told] == world.steps
    assert world.told[0][1] == "Pages are told of changes once a second. (CPU 90% of a core, limit 70%)"
    assert world.told[-1][1] == "Pages and chains are complete again. (calm for 20 s)"
    assert world.guard.state().words == ""


def test_the_state_says_what_was_measured() -> None:
    world = World()
    assert world.guard.state().usage is None
    world.usage.memory = None
    world.run(1, cpu=0.25)
    usage = world.guard.state().usage
    assert usage is not None
    assert (usage.memory_mb, usage.cpu) == (None, 0.25)


def test_the_kernel_tells_of_this_process() -> None:
    usage = KernelUsage()
    before = usage.cpu_s()
    kept = bytearray(64 * 1024 * 1024)
    kept[::4096] = b"x" * len(kept[::4096])
    with_it = usage.memory_mb()
    assert with_it is not None
    assert 64 < with_it < 10_000
    assert usage.cpu_s() > before
