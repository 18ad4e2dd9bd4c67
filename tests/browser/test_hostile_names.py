"""Names that try to be more than names: on every page they are text, run nothing and break no layout."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import create_engine, text

from tests.architecture.sources import list_of
from tests.browser.witness import Witness
from tests.desk_people import add_person
from tests.desk_process import DeskProcess, desk_process
from tests.desk_visitor import PASSWORD, SOON_S, Visitor, within
from tests.simulator_process import SimulatorProcess

USER = '<script>window.ran=1</script> o\'brien "أحمد" 😀' + "w" * 18
ACCOUNTS = (
    'O\'Brien & "Sons" <b>bold</b> {{ 7 * 7 }} --',
    "</title></script><script>window.ran = 1</script>",
    '<img src=x onerror="window.ran=1"> <style>*{display:none}</style>',
    "حساب التداول 😀🚀 चाचा का खाता 買賣 e\u0301\u0302\u0303",
    "W" * 100,
)
STRATEGY = "'\"><svg onload=window.ran=1>" + "M" * 51
WIDTHS = (1440, 390)
NEXT_FRAME = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@dataclass(frozen=True)
class Named:
    """A desk whose people and things bear hostile names, and the pages that show them."""

    url: str
    cookie: str
    paths: tuple[str, ...]


@pytest.fixture(scope="module")
def named(simulator_process: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Named]:
    simulator_process.reset()
    folder = tmp_path_factory.mktemp("hostile")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with desk_process(simulator_process, folder, port, "gunicorn") as desk:
        visitor = _signed_in(desk, folder)
        visitor.add_simulator()
        for number, name in enumerate(ACCOUNTS, 1):
            _rename(visitor, number, name)
        run = visitor.send_straddle(STRATEGY)
        within(SOON_S, lambda: "1 / 1" in visitor.get(f"{run}/live").data.decode(), "the straddle is filled")
        for path in ("/accounts/2/pause", "/accounts/3/test"):
            visitor.post(path)
        yield Named(desk.url, visitor.cookie, _paths(run))


def _signed_in(desk: DeskProcess, folder: Path) -> Visitor:
    """As the user of the hostile name, which no form would have taken."""
    Visitor(desk.url).register(desk.token, "asha")
    url = f"sqlite:///{folder / 'desk.sqlite3'}"
    number = add_person(url, "brien", "admin")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET username = :name WHERE id = :id"), {"name": USER, "id": number})
    engine.dispose()
    visitor = Visitor(desk.url)
    assert visitor.sign_in(USER, PASSWORD).status == 303
    return visitor


def _rename(visitor: Visitor, number: int, name: str) -> None:
    page = visitor.get(f"/accounts/{number}/edit").data.decode()
    addresses = {
        field: page.split(f'name="{field}"')[1].split('value="')[1].split('"')[0]
        for field in ("host_url", "websocket_url")
    }
    form = {"name": name, "api_key": "", "notes": f"{name}\n{name}", **addresses}
    assert visitor.post(f"/accounts/{number}/edit", form).status == 303, name


def _paths(run: str) -> tuple[str, ...]:
    accounts = [f"/accounts/{number}" for number in range(1, 6)]
    return (
        "/",
        "/activity",
        "/accounts/",
        *accounts,
        "/accounts/5/edit",
        "/strategies/",
        "/strategies/new",
        "/strategies/1/edit",
        "/strategies/previews/1",
        "/trading/runs",
        run,
        "/trading/chain/NIFTY",
        "/trading/orders",
        "/trading/trades",
        "/trading/positions",
        "/trading/holdings",
        "/trading/funds",
        "/accounts/987",
    )


def test_hostile_names_are_text_on_every_page(chromium: Browser, witness: Witness, named: Named) -> None:
    witness.expect("/accounts/987.*404")
    context = chromium.new_context(locale="en-IN")
    name, _, value = named.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": named.url}])
    witness.watch(context)
    page = context.new_page()
    page.on("dialog", lambda dialog: witness.complaints.append(f"a dialog: {dialog.message}"))
    wrong, seen = [], ""
    for path in named.paths:
        page.goto(named.url + path)
        page.wait_for_load_state("load")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(NEXT_FRAME)  # a table's own observer answers on a later one
            wrong += [f"{path} at {width}: {complaint}" for complaint in _broken(page)]
        seen += page.locator("body").text_content() or ""
    context.close()
    assert not wrong, list_of(wrong)
    missing = [text for text in (*ACCOUNTS, STRATEGY, USER) if text not in seen]
    assert not missing, "shown as typed"


def _broken(page: Page) -> list[str]:
    """What a name has done to the page."""
    found = []
    if page.evaluate("window.ran !== undefined"):
        found.append("a script ran")
    if page.evaluate(
        "[...document.querySelectorAll('b, img[onerror], svg[onload]')].some("
        "e => e.localName !== 'b' || e.textContent === 'bold')"
    ):
        found.append("a name became markup")
    wide = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth && "
        "[document.documentElement.scrollWidth, ...[...document.querySelectorAll('body *')].filter("
        "e => e.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(e).position !== 'fixed')"
        ".slice(0, 4).map(e => `${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 20)}`)].join(' ')"
    )
    if wide:
        found.append(f"scrolls sideways: {wide}")
    return found
