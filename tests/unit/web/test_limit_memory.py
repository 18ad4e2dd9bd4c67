"""The counts behind the rate limits: moving windows, bounded, and no thread of their own."""

import pytest
from limits.storage import MemoryStorage

from app.web.limit_memory import QuietMemoryStorage
from tests.desk_app import HandClock


def test_a_window_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = QuietMemoryStorage()
    clock = HandClock()
    monkeypatch.setattr(storage, "_now", clock.monotonic)
    assert [storage.acquire_entry("k", 3, 60) for _ in range(4)] == [True, True, True, False]
    assert storage.get_moving_window("k", 3, 60)[1] == 3
    clock.advance(59)
    assert not storage.acquire_entry("k", 3, 60)
    clock.advance(2)
    assert storage.acquire_entry("k", 3, 60)
    assert storage.get("k") == 1


def test_keys_do_not_share_a_count() -> None:
    storage = QuietMemoryStorage()
    assert storage.acquire_entry("a", 1, 60)
    assert storage.acquire_entry("b", 1, 60)
    assert storage.incr("a", 60) == 2
    storage.clear("a")
    assert storage.get("a") == 0
    assert storage.reset() == 1


def test_it_starts_no_thread_and_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    def start(thread: object) -> None:
        started.append(thread)

    monkeypatch.setattr("threading.Thread.start", start)
    MemoryStorage()
    assert started, "the library's own storage would have been caught"
    started.clear()
    storage = QuietMemoryStorage()
    for number in range(25_000):
        storage.acquire_entry(f"address:{number}", 5, 60)
    assert started == []
    assert len(storage._hits) <= 20_000
