"""Settings: everything that may differ between two installations, read once from the environment."""

import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from app.domain.errors import Misconfigured

EngineMode = Literal["auto", "off"]

ROOT = Path(__file__).resolve().parent

LIVE_PAGES = 120
LIVE_PAGES_PER_USER = 40
THREADS_OF_A_PAGE = 1
"""Of the server's pool that one live page keeps; three more are made for it elsewhere (docs/live-pages.md)."""
REQUEST_THREADS = 16
"""Kept apart for whatever is no live page: when all of those are open, exits and pages get through on these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Immutable. Secrets are hidden from the repr.

    `engine`: `auto` leads when this process gets the lease, `off` never does. `live_sending` False refuses to send to
    any gateway that is neither the simulator nor in analyzer mode. `encryption_keys` is `id:key,id:key`, first in use.
    `simulator_url` is the simulator's control port; with it the market clock follows the simulator. `quiet_open_s` and
    `quiet_answered_s` are how long an order without an answer, or with a doubtful one, may still appear: no environment
    sets them, a gateway may need all of it.
    `feed_*`: market data uses at most so many connections; one must stand within the time-out, is closed when nothing
    was wanted of it for `feed_idle_s`, and is pinged as often as that: the one that serves, and the warm backup. A tick
    further than `feed_late_after_s` behind the exchange's time is late.
    `live_pages`: so many pages of this process may be live at once, `live_pages_per_user` of one user; each keeps a
    thread of the server (`server_threads`).
    `guard_*`: above so many MB of memory or that share of a core for `guard_after_s`, comfort is given up step by step,
    and taken back when all was calm for `guard_calm_s`.
    `reserve_bytes` are kept beside the database for the day its disk is full; after `deaths_that_lock` deaths of the
    engine within ten minutes no entries are sent.
    `crash_at` and `stop_at` are for tests: see app/services/crash_points.py.
    """

    name: Literal["development", "testing", "production"]
    secret_key: str = field(repr=False)
    encryption_keys: str = field(repr=False)
    setup_token: str = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str | None = field(default=None, repr=False)
    simulator_url: str | None = None
    engine: EngineMode = "auto"
    live_sending: bool = False
    secure_cookies: bool = False
    preview_life_s: int = 60
    price_max_age_s: float = 1.0
    lane_workers: int = 4
    subscription_budget: int = 200
    feed_connections: int = 10
    feed_connect_timeout_s: float = 5.0
    feed_idle_s: float = 300.0
    feed_keepalive_s: float = 5.0
    feed_standby_keepalive_s: float = 30.0
    feed_late_after_s: float = 10.0
    live_pages: int = LIVE_PAGES
    live_pages_per_user: int = LIVE_PAGES_PER_USER
    guard_memory_mb: float = 500.0
    guard_cpu: float = 0.70
    guard_after_s: float = 10.0
    guard_calm_s: float = 60.0
    place_timeout_s: float = 125.0
    rate_limits: bool = True
    lock_path: str = str(ROOT / "instance" / "engine.lock")
    chase_after_s: float = 3.0
    orders_per_second: int = 8
    quiet_open_s: float = 150.0
    quiet_answered_s: float = 20.0
    reserve_bytes: int = 0
    deaths_that_lock: int = 3
    crash_at: str | None = None
    stop_at: str | None = None

    def with_(self, **changes: object) -> "Settings":
        """A copy with some values changed; for tests."""
        return replace(self, **changes)  # type: ignore[arg-type]


def _needed(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise Misconfigured(f"{name} is not set. `make run` writes one into .env; in production set it yourself.")
    return value


def _flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def _engine_mode() -> EngineMode:
    value = os.environ.get("ENGINE", "auto")
    if value == "off":
        return "off"
    if value == "auto":
        return "auto"
    raise Misconfigured(f"ENGINE is {value!r}; it can be auto or off.")


def _number(name: str, default: float, least: float, most: float) -> float:
    """A number of the environment between two others. Raises Misconfigured."""
    text = os.environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise Misconfigured(f"{name} is {text!r}; it must be a number from {least:g} to {most:g}.")
    return value


def _whole(name: str, default: int, least: int, most: int) -> int:
    """A whole number of the environment. Raises Misconfigured."""
    value = _number(name, default, least, most)
    if not value.is_integer():
        raise Misconfigured(f"{name} is {value:g}; it must be a whole number.")
    return int(value)


def server_threads(live_pages: int) -> int:
    """Threads that a web server of this process needs for so many live pages and for requests beside them."""
    return live_pages * THREADS_OF_A_PAGE + REQUEST_THREADS


def live_pages_of_environment() -> int:
    """How many live pages a process may have. Raises Misconfigured. Asked by gunicorn.conf.py, before any secret is."""
    return _whole("LIVE_PAGES", LIVE_PAGES, 1, 1000)


def _page_settings() -> dict[str, int]:
    most = live_pages_of_environment()
    of_one = _whole("LIVE_PAGES_PER_USER", min(LIVE_PAGES_PER_USER, most), 1, most)
    return {"live_pages": most, "live_pages_per_user": of_one}


def _feed_settings() -> dict[str, float]:
    return {
        "feed_connections": _whole("FEED_CONNECTIONS", 10, 1, 10),
        "feed_connect_timeout_s": _number("FEED_CONNECT_TIMEOUT_S", 5, 1, 60),
        "feed_idle_s": _number("FEED_IDLE_S", 300, 10, 86_400),
        "feed_keepalive_s": _number("FEED_KEEPALIVE_S", 5, 1, 60),
        "feed_standby_keepalive_s": _number("FEED_STANDBY_KEEPALIVE_S", 30, 1, 300),
        "feed_late_after_s": _number("FEED_LATE_AFTER_S", 10, 2, 300),
        "subscription_budget": _whole("FEED_SUBSCRIPTIONS", 200, 20, 3000),
    }


def _guard_settings() -> dict[str, float]:
    return {
        "guard_memory_mb": _number("GUARD_MEMORY_MB", 500, 100, 1_000_000),
        "guard_cpu": _number("GUARD_CPU_PERCENT", 70, 5, 10_000) / 100,
    }


def from_environment(name: str) -> Settings:
    """The settings of one of the three profiles. Raises Misconfigured naming what is missing."""
    if name == "testing":
        return testing_settings()
    if name not in {"development", "production"}:
        raise Misconfigured(f"There is no profile {name!r}; choose development, testing or production.")
    production = name == "production"
    default_database = f"sqlite:///{ROOT / 'instance' / 'desk.sqlite3'}"
    return Settings(
        name="production" if production else "development",
        secret_key=_needed("SECRET_KEY"),
        encryption_keys=_needed("ENCRYPTION_KEYS"),
        setup_token=os.environ.get("SETUP_TOKEN", ""),
        database_url=_needed("DATABASE_URL") if production else os.environ.get("DATABASE_URL", default_database),
        redis_url=os.environ.get("REDIS_URL") or None,
        simulator_url=os.environ.get("SIMULATOR_URL") or None,
        engine=_engine_mode(),
        live_sending=_flag("LIVE_SENDING"),
        secure_cookies=production,
        **_page_settings(),  # type: ignore[arg-type]
        **_feed_settings(),  # type: ignore[arg-type]
        **_guard_settings(),  # type: ignore[arg-type]
        reserve_bytes=64 * 1024 * 1024,
        lock_path=os.environ.get("LOCK_PATH") or str(ROOT / "instance" / "engine.lock"),
        crash_at=os.environ.get("CRASH_AT") or None,
        stop_at=os.environ.get("STOP_AT") or None,
    )


def testing_settings() -> Settings:
    """Settings of a test: in-memory database, fixed secrets that guard nothing, no engine, no limits."""
    return Settings(
        name="testing",
        secret_key="testing-secret-key-that-guards-nothing",  # noqa: S106 - guards nothing
        encryption_keys="test:PYRhkkjvxuXPVGc0nDfGkYmMSXxUCjdFvWKJzNMHl7o=",
        setup_token="testing-setup-token",  # noqa: S106 - guards nothing
        database_url="sqlite://",
        engine="off",
        rate_limits=False,
        guard_memory_mb=1e6,  # what runs the tests takes as much as it likes
        guard_cpu=100.0,
    )
