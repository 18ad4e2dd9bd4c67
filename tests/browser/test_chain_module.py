"""What the chain page does with messages, without them, and with what its reader chooses."""

from typing import Any

from flask import Flask
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.samples_chain import chain as chain_context
from tests.browser.witness import Witness

TOPIC = "chain:NIFTY:2026-12-01"
LAYOUT = 7
MIDDLE = 20
"""Place of the row at the money: its call is row 40 on the wire, its put row 41."""


def cell(page: Page, strike: int, side: str, name: str) -> Locator:
    return page.locator(f'tr[data-strike="{strike}"] td.{side}[data-f="{name}"], '
                        f'tr[data-strike="{strike}"] td.{side} [data-f="{name}"]')  # fmt: skip


def tell(push: Any, rows: str, topic: str = TOPIC, **more: object) -> None:
    push("patch", {"topic": topic, "cells": {}, "layout": LAYOUT, "rows": rows} | more)


def test_a_row_changes_where_it_stands(chain: Page, push: Any) -> None:
    tell(push, "40+|131.05|-2.10|131.00|131.10|12.3|0.55|1.30 L|9.99 L|250|-1.20 L")
    expect(cell(chain, 26_200, "call", "ltp")).to_have_text("131.05")
    shown = {"chg": "−2.10", "bid": "131.00", "ask": "131.10", "iv": "12.3", "delta": "0.55", "vol": "1.30 L",
             "oi": "9.99 L", "oichg": "−1.20 L"}  # fmt: skip
    for name, words in shown.items():
        expect(cell(chain, 26_200, "call", name)).to_have_text(words)
    expect(cell(chain, 26_200, "call", "chg")).to_have_class("down")
    expect(cell(chain, 26_200, "call", "bar")).to_have_attribute("width", "100")


def test_a_message_touches_nothing_but_what_changed(chain: Page, push: Any) -> None:
    chain.evaluate(
        """() => {
            window.touched = [];
            window.shifts = 0;
            new MutationObserver((changes) => window.touched.push(...changes.map((change) => change.target)))
                .observe(document.querySelector(".chain"), {childList: true, subtree: true, characterData: true});
            new PerformanceObserver((list) => (window.shifts += list.getEntries().length))
                .observe({type: "layout-shift"});
        }"""
    )
    same = cell(chain, 26_250, "call", "ltp").inner_text()
    boxes = [cell(chain, 26_300, "call", name).bounding_box() for name in ("ltp", "iv")]
    tell(push, f"42+|{same};44+|12,345.00||||13.7")
    expect(cell(chain, 26_300, "call", "ltp")).to_have_text("12,345.00")
    assert chain.evaluate("window.touched.length") == 2
    assert [cell(chain, 26_300, "call", name).bounding_box()["height"] for name in ("ltp", "iv")] == [  # type: ignore[index]
        box["height"] for box in boxes if box is not None
    ]
    assert chain.evaluate("window.shifts") == 0


def test_a_figure_that_is_not_known_any_more_is_a_dash(chain: Page, push: Any) -> None:
    tell(push, "41|?|?|||?|?")
    for name in ("ltp", "chg", "iv", "delta"):
        expect(cell(chain, 26_200, "put", name)).to_have_text("—")
    expect(cell(chain, 26_200, "put", "chg")).to_have_class("none")


def test_the_spot_line_and_the_atm_row_move(chain: Page, push: Any) -> None:
    assert chain.locator("tr.atm").get_attribute("data-strike") == "26200"
    push("patch", {"topic": TOPIC, "cells": {"totals.atm_iv": "12.0%"}, "atm": "26250", "spot_before": "26300"})
    expect(chain.locator("tr.atm")).to_have_attribute("data-strike", "26250")
    assert chain.locator(".spot-row + tr").get_attribute("data-strike") == "26300"
    expect(chain.locator('[data-key="totals.atm_iv"]')).to_have_text("12.0%")


def test_another_chain_moves_nothing(chain: Page, push: Any) -> None:
    tell(push, "40+|1.00", topic="chain:SENSEX:2026-12-01", atm="26300")
    push("patch", {"topic": TOPIC, "cells": {"spot.ltp": "2.00"}})
    expect(chain.locator('.page-head [data-key="spot.ltp"]')).to_have_text("2.00")
    assert chain.locator("tr.atm").get_attribute("data-strike") == "26200"
    assert cell(chain, 26_200, "call", "ltp").inner_text() != "1.00"


def test_the_chain_starts_with_the_money_in_view(chain: Page) -> None:
    expect(chain.locator("tr.atm .strike")).to_be_in_viewport()


def test_a_price_that_nobody_confirms_turns_stale_and_its_row_with_it(chain: Page, push: Any) -> None:
    tell(push, "41+9.5")
    price = chain.locator('tr[data-strike="26200"] td.put.ltp')
    expect(price).to_have_class("put mirror c-ltp ltp fresh late")
    expect(price).to_have_class("put mirror c-ltp ltp fresh stale")
    assert (price.get_attribute("title") or "").startswith("stale, ")
    colours = [
        cell(chain, 26_200, side, "bid").evaluate("(cell) => getComputedStyle(cell).color") for side in ("call", "put")
    ]
    assert colours[0] != colours[1]
    figures_alone = "41|||||14.0"
    tell(push, figures_alone)
    expect(cell(chain, 26_200, "put", "iv")).to_have_text("14.0")
    expect(price).to_have_class("put mirror c-ltp ltp fresh stale")
    tell(push, "41+")
    expect(price).to_have_class("put mirror c-ltp ltp fresh")


def test_other_columns_are_shown_and_hidden_and_remembered(chain: Page, push: Any) -> None:
    head = chain.locator(".chain thead")
    expect(head.locator("th.c-bid").first).to_be_visible()
    expect(head.locator("th.c-gamma").first).to_be_hidden()
    with chain.expect_event("console", lambda message: message.text == "want"):
        chain.evaluate("document.addEventListener('desk:want', () => console.log('want'))")
        chain.get_by_role("button", name="Greeks").click()
    expect(head.locator("th.c-gamma").first).to_be_visible()
    expect(head.locator("th.c-bid").first).to_be_hidden()
    chain.locator("[data-chain-columns] summary").click()
    chain.get_by_role("checkbox", name="Theta").uncheck()
    expect(head.locator("th.c-theta").first).to_be_hidden()
    tell(push, "40|0.00123|-9.99|8.88", topic=f"{TOPIC}:greeks")
    expect(cell(chain, 26_200, "call", "gamma")).to_have_text("0.00123")
    chain.reload()
    expect(head.locator("th.c-gamma").first).to_be_visible()
    expect(head.locator("th.c-theta").first).to_be_hidden()
    expect(chain.get_by_role("button", name="Greeks")).to_have_attribute("aria-pressed", "true")


def heads(chain: Page, side: int = 0) -> list[str]:
    """The labels that are shown, calls (0) or puts (1), from left to right."""
    words = chain.locator(".chain thead tr").nth(1).locator("th:visible").all_inner_texts()
    middle = words.index("Strike")
    return words[:middle] if side == 0 else words[middle + 1 :]


def test_columns_are_moved_by_keys_on_both_sides_and_stay_where_they_are(
    chain: Page, push: Any, gallery_app: Flask
) -> None:
    assert heads(chain)[:3] == ["OI", "OI chg", "Volume"]
    first = cell(chain, 26_200, "call", "iv").inner_text()
    chain.locator("[data-chain-columns] summary").press("Enter")
    chain.get_by_role("button", name="Move IV outwards").focus()
    for _ in range(4):
        chain.keyboard.press("Enter")
    expect(chain.get_by_role("button", name="Move IV outwards")).to_be_focused()
    expect(chain.locator("[data-said]")).to_have_text("IV is column 1 of 9, counted from the outside.")
    assert heads(chain)[:3] == ["IV", "OI", "OI chg"]
    assert heads(chain, 1)[-3:] == ["OI chg", "OI", "IV"]
    assert chain.locator('tr[data-strike="26200"] td').first.inner_text() == first
    boxes = [chain.locator(f".chain {what}").first.bounding_box() for what in ("thead th.c-iv", "tbody td.c-iv")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert (boxes[0]["x"], boxes[0]["width"]) == (boxes[1]["x"], boxes[1]["width"])
    tell(push, "40+|||||21.5")
    expect(cell(chain, 26_200, "call", "iv")).to_have_text("21.5")
    chain.route(
        "**/trading/chain/NIFTY/live*",
        lambda route: route.fulfill(body=rows_elsewhere(gallery_app), content_type="text/html"),
    )
    tell(push, "0+|1.00", layout=8)
    expect(chain.locator(".chain-box")).to_have_attribute("data-layout", "8")
    assert chain.locator("tr[data-strike] td:visible").first.get_attribute("data-f") == "iv"
    chain.reload()
    expect(chain.locator("[data-chain-columns]")).to_be_visible()
    assert heads(chain)[:2] == ["IV", "OI"]
    chain.locator("[data-chain-columns] summary").click()
    chain.get_by_role("button", name="As at first").click()
    assert heads(chain)[:2] == ["OI", "OI chg"]


def test_on_a_phone_the_strikes_stay_in_view_whatever_is_shown(chain: Page) -> None:
    chain.set_viewport_size({"width": 390, "height": 844})
    for name in ("Greeks", "Price"):
        chain.get_by_role("button", name=name).click()
        box = chain.locator("tr.atm .strike").bounding_box()
        assert box is not None
        assert abs(box["x"] + box["width"] / 2 - 390 / 2) < 20


def rows_elsewhere(gallery_app: Flask) -> str:
    """The fragment with another layout and another price at the money."""
    context = chain_context()
    view = context["chain"]
    view.layout = 8
    view.rows = view.rows[5:]
    return _fragment(gallery_app, context)


def _fragment(app: Flask, context: Any) -> str:
    with app.test_request_context():
        return app.jinja_env.get_template("trading/fragments/chain_live.html").render(context)


def test_other_strikes_are_fetched_and_the_reader_stays_where_they_were(
    chain: Page, push: Any, gallery_app: Flask
) -> None:
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body=rows_elsewhere(gallery_app), content_type="text/html")

    chain.route("**/trading/chain/NIFTY/live*", answer)
    box = chain.locator(".chain-box")
    scrolled = box.evaluate("(box) => box.scrollTop")
    tell(push, "0+|1.00", layout=8)
    expect(chain.locator("tr[data-strike]")).to_have_count(36)
    assert box.evaluate("(box) => box.scrollTop") == scrolled
    tell(push, "30+|77.00", layout=8)
    expect(cell(chain, 26_200, "call", "ltp")).to_have_text("77.00")
    assert len(asked) == 1


def test_without_the_push_connection_the_rows_are_polled(chain: Page, gallery_app: Flask, witness: Witness) -> None:
    witness.expect("WebSocket")
    chain.route("**/trading/chain/NIFTY/live*",
                lambda route: route.fulfill(body=rows_elsewhere(gallery_app), content_type="text/html"))  # fmt: skip
    chain.evaluate("document.dispatchEvent(new CustomEvent('desk:lost'))")
    expect(chain.locator("tr[data-strike]")).to_have_count(36)
    lose_a_row = "document.querySelector('tr[data-strike]').remove()"
    chain.evaluate(lose_a_row)
    expect(chain.locator("tr[data-strike]")).to_have_count(36)
    chain.evaluate(f"{lose_a_row}; document.dispatchEvent(new CustomEvent('desk:connected'))")
    expect(chain.locator("tr[data-strike]")).to_have_count(36)


def test_depth_opens_by_a_click_on_a_price_and_closes_by_escape(chain: Page, gallery_app: Flask) -> None:
    def answer(route: Route) -> None:
        assert "NFO%3ANIFTY01DEC2626200CE" in route.request.url
        with gallery_app.test_request_context():
            body = gallery_app.jinja_env.get_template("trading/fragments/chain_depth.html").render(
                name="NIFTY 26,200 CE",
                leg="NFO:NIFTY01DEC2626200CE",
                closes=True,
                depth={"bids": ((1, 2),)},
                levels=[((51.7, 975), (51.8, 0))],
                age_s=0.4,
            )
        route.fulfill(body=body, content_type="text/html")

    chain.route("**/trading/chain/depth*", answer)
    table = chain.locator(".chain-box").bounding_box()
    chain.get_by_role("button", name="Depth of 26,200 CE").click()
    panel = chain.get_by_label("Depth", exact=True)
    expect(panel).to_contain_text("975")
    expect(panel).to_contain_text("51.70")
    assert chain.locator(".chain-box").bounding_box() == table, "it lies over the page"
    chain.keyboard.press("Escape")
    expect(panel).to_be_hidden()
