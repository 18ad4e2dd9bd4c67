"""The bench itself works: a small one has all its rows, its JSON can be read, and every order went exactly once."""

import json
from pathlib import Path

import pytest

from bench.__main__ import measure, table, write
from bench.frame_clients import PEERS as FRAME_PEERS
from bench.frame_rows import FrameSize, frames, ticks
from bench.rows import PEERS, Row, TickSize, percentile
from bench.trend_rows import trends


@pytest.mark.timeout(300)
def test_a_small_desk_is_measured(tmp_path: Path) -> None:
    found, odd = measure([2], 1, TickSize(runs=2, accounts=1, followed=10, per_second=50), 3.0)
    assert odd == []  # nothing unanswered, nothing sent twice, every stop hit
    write(found, tmp_path)
    last, cpu, beside, written, rest, *ticks = json.loads((tmp_path / "latest.json").read_text())
    assert last["row"] == "fan-out 4 legs x 2 accounts: last answer"
    assert last["ours"] > last["limit"] >= 100
    assert set(last["peers"]) == set(PEERS)
    assert cpu["ours"] > 0
    assert (beside["row"], beside["unit"]) == ("fan-out 4 legs x 2 accounts: beside 1640 ticks/s, of itself", "x")
    assert beside["ours"] > 0
    assert written["ours"] > written["limit"] > 0
    assert rest["ours"] > 0
    assert [tick["row"].endswith(end) for tick, end in zip(ticks, ("n=2: p50", "n=2: p99"), strict=True)] == [True] * 2
    assert all(tick["ours"] > 0 for tick in ticks)


def test_depth_frames_reach_the_board_and_the_other_clients() -> None:
    flood, burst = frames(1, FrameSize(frames=2000, bursts=3, every_s=0.001))
    assert flood.unit == "frames/s of a core"
    for row in (flood, burst):
        assert row.ours is not None
        assert row.limit is not None
        assert set(row.peers) == set(FRAME_PEERS)
        assert row.peers["websockets+json"] is not None
        assert row.peers["websockets+msgspec"] is not None
    assert (flood.ours or 0) > 1000


def test_a_tick_alone_reaches_the_board_and_a_plain_reader() -> None:
    half, late = ticks(1, FrameSize(bursts=20, every_s=0.001))
    assert [row.row for row in (half, late)] == ["tick to board: p50", "tick to board: p99"]
    for row in (half, late):
        assert row.peers["websockets+msgspec"] is not None
        assert row.ours is not None
        assert row.limit is not None
    assert 0 < (half.ours or 0) <= (late.ours or 0)


def test_the_supertrend_is_measured_beside_a_plain_one() -> None:
    short, longer, bar = trends(1, (1_000, 5_000))
    assert [row.row for row in (short, longer, bar)] == [
        "Supertrend, 1000 bars", "Supertrend, 5000 bars", "Supertrend, one more bar",
    ]  # fmt: skip
    assert "openalgo-rust" in short.peers, "missing is said"
    assert (short.peers["plain python"] or 0) > (short.ours or 0) > 0
    assert (bar.ours or 0) > 0


def test_more_is_better_where_it_is_said_so() -> None:
    said = table([Row("frames", "frames/s", 81_234.0, {"json": 10.0}, None, 80_000.0, at_least=True)])
    assert "81,234" in said
    assert ">= 80000" in said
    assert "yes" in said
    assert not Row("frames", "frames/s", 79_999.0, {}, None, 80_000.0, at_least=True).met


def test_a_missing_client_is_said_to_be_missing_and_a_missed_target_missed() -> None:
    said = table([Row("fan-out", "ms", 200.0, {"http.client": 131.0, "sdk": None}, 108.0, 170.0)])
    assert "missing" in said
    assert "NO" in said
    assert not Row("fan-out", "ms", None, {}, None, 170.0).met


def test_percentiles() -> None:
    assert percentile([float(n) for n in range(1, 101)], 99) == 99.0
    assert percentile([], 50) is None
