"""What the adapter tests share: a server to ask and a clock."""

from collections.abc import Iterator

import pytest

from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.replay_server import Replay, replaying


@pytest.fixture
def replay() -> Iterator[Replay]:
    with replaying() as server:
        yield server


@pytest.fixture
def clock() -> HandClock:
    return HandClock()
