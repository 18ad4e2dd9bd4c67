"""The settings of the feed: named defaults, and a refusal to start with what cannot be meant."""

import pytest

from app.domain.errors import Misconfigured
from config import from_environment


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("SECRET_KEY", "guards nothing")
    monkeypatch.setenv("ENCRYPTION_KEYS", "k1:guards-nothing")
    return monkeypatch


def test_the_defaults(set_up: pytest.MonkeyPatch) -> None:
    set_up.delenv("FEED_IDLE_S", raising=False)
    settings = from_environment("development")
    assert (settings.feed_connections, settings.feed_connect_timeout_s, settings.feed_idle_s) == (10, 5, 300)
    assert (settings.feed_keepalive_s, settings.feed_standby_keepalive_s) == (5, 30)
    assert settings.subscription_budget == 200


def test_the_environment_changes_them(set_up: pytest.MonkeyPatch) -> None:
    set_up.setenv("FEED_CONNECTIONS", "2")
    set_up.setenv("FEED_STANDBY_KEEPALIVE_S", "12.5")
    set_up.setenv("FEED_SUBSCRIPTIONS", "1000")
    set_up.setenv("GUARD_MEMORY_MB", "800")
    set_up.setenv("GUARD_CPU_PERCENT", "90")
    settings = from_environment("development")
    assert (settings.feed_connections, settings.feed_standby_keepalive_s) == (2, 12.5)
    assert (settings.guard_memory_mb, settings.guard_cpu) == (800, 0.9)
    assert settings.subscription_budget == 1000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FEED_CONNECTIONS", "11"),
        ("FEED_CONNECTIONS", "0"),
        ("FEED_CONNECTIONS", "2.5"),
        ("FEED_CONNECT_TIMEOUT_S", "nan"),
        ("FEED_IDLE_S", "soon"),
        ("FEED_KEEPALIVE_S", "0"),
        ("FEED_SUBSCRIPTIONS", "19"),
        ("FEED_SUBSCRIPTIONS", "200.5"),
        ("GUARD_MEMORY_MB", "50"),
        ("GUARD_CPU_PERCENT", "much"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(set_up: pytest.MonkeyPatch, name: str, value: str) -> None:
    set_up.setenv(name, value)
    with pytest.raises(Misconfigured, match=name):
        from_environment("development")
