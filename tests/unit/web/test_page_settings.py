"""The settings of live pages, and the one formula by which a server gets its threads."""

import runpy
from types import SimpleNamespace

import pytest

from app.domain.errors import Misconfigured
from config import REQUEST_THREADS, from_environment, server_threads
from tools.steps import ROOT


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("SECRET_KEY", "guards nothing")
    monkeypatch.setenv("ENCRYPTION_KEYS", "k1:guards-nothing")
    for name in ("LIVE_PAGES", "LIVE_PAGES_PER_USER"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_hundred_browsers_have_room_by_default(set_up: pytest.MonkeyPatch) -> None:
    settings = from_environment("development")
    assert (settings.live_pages, settings.live_pages_per_user) == (120, 40)


def test_one_user_never_gets_more_than_there_are(set_up: pytest.MonkeyPatch) -> None:
    set_up.setenv("LIVE_PAGES", "20")
    assert from_environment("development").live_pages_per_user == 20


@pytest.mark.parametrize(
    ("name", "value"),
    [("LIVE_PAGES", "0"), ("LIVE_PAGES", "1001"), ("LIVE_PAGES", "2.5"), ("LIVE_PAGES_PER_USER", "121"),
     ("LIVE_PAGES_PER_USER", "many")],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_name(set_up: pytest.MonkeyPatch, name: str, value: str) -> None:
    set_up.setenv(name, value)
    with pytest.raises(Misconfigured, match=name):
        from_environment("development")


def test_gunicorn_gets_a_thread_for_each_page_and_some_for_requests(set_up: pytest.MonkeyPatch) -> None:
    set_up.setenv("LIVE_PAGES", "200")
    served = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert served["threads"] == server_threads(200) == 200 + REQUEST_THREADS
    assert served["worker_connections"] > served["threads"]


@pytest.mark.parametrize(("threads", "worker"), [(215, "gthread"), (300, "gevent")])
def test_a_command_line_that_leaves_exits_no_thread_is_refused(
    set_up: pytest.MonkeyPatch, threads: int, worker: str
) -> None:
    set_up.setenv("LIVE_PAGES", "200")
    served = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    told = SimpleNamespace(cfg=SimpleNamespace(threads=threads, worker_class_str=worker))
    with pytest.raises(Misconfigured, match="216 of gthread"):
        served["on_starting"](told)
