"""What the pages' modules do in a real browser: live cells, toasts, dialogs, forms that send once, legs, tables."""

import csv
import re
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.witness import Witness

RUN = "/gallery/run-trouble"
TOUCH = "document.dispatchEvent(new CustomEvent('desk:touch', {detail: {topic: 'run:1182'}}))"


def visit(page: Page, address: str) -> None:
    """Open a page and wait until its modules are attached: before that a button is a plain form control."""
    page.goto(address)
    expect(page.locator("[data-module]:not([data-attached])")).to_have_count(0)


def test_a_lost_connection_is_said(chain: Page, witness: Witness) -> None:
    witness.expect("ERR_INTERNET_DISCONNECTED")
    witness.expect("htmx:(afterRequest|sendError)")  # the strip of alarms asks every three seconds
    notice = chain.locator("[data-link-lost]")
    expect(notice).to_be_hidden()
    chain.context.set_offline(True)
    chain.evaluate("() => window.dispatchEvent(new Event('offline'))")
    expect(notice).to_be_visible(timeout=10_000)


def test_facts_become_toasts_and_only_three_show(chain: Page, push: Any) -> None:
    for number in range(5):
        push("fact", {"tone": "bad", "title": f"Order {number} rejected", "detail": "<b>RMS</b>"})
    expect(chain.locator(".toast-more")).to_have_text("and 2 more")
    shown = chain.locator(".toast-card:not(.toast-more):visible")
    expect(shown).to_have_count(3)
    expect(shown.last.locator("p")).to_have_text("<b>RMS</b>")
    shown.last.get_by_label("Dismiss").click()
    expect(chain.locator(".toast-more")).to_have_text("and 1 more")


def test_an_exit_asks_first_with_focus_on_the_safe_button(page: Page, gallery: str) -> None:
    visit(page, gallery + RUN)
    page.get_by_role("button", name="Exit all, 9 accounts").click()
    dialog = page.get_by_role("dialog", name="Exit all of Iron condor NIFTY")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Cancels 3 open orders and closes 36 positions")
    expect(dialog.get_by_role("button", name="Keep trading")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_an_exit_posts_its_scope_its_key_and_its_token_once(page: Page, gallery: str) -> None:
    visit(page, gallery + RUN)
    page.get_by_role("button", name="Exit leg").first.click()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    confirm = page.get_by_role("dialog").get_by_role("button", name="Close 5")
    confirm.evaluate("(button) => { button.click(); button.click(); button.form.requestSubmit(); }")
    expect(page.get_by_role("dialog").get_by_role("button", name="Exiting")).to_be_disabled()
    assert len(sent) == 1
    assert "scope=leg" in sent[0]
    assert "leg_id=1" in sent[0]
    assert "idempotency_key=sample-key-" in sent[0]
    assert "csrf_token=sample-token" in sent[0]


def test_a_fragment_is_fetched_when_its_topic_is_touched_but_not_under_a_dialog(
    page: Page, gallery: str, push: Any
) -> None:
    with page.expect_websocket() as opening:
        page.goto(gallery + RUN)
    opening.value.wait_for_event("framesent", lambda frame: "run:1182" in str(frame))
    with page.expect_request("**/trading/runs/1182/live"):
        push("touch", {"topic": "run:1182"})
    page.get_by_role("button", name="Exit all").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    push("touch", {"topic": "run:1182"})
    page.wait_for_timeout(1200)  # twice the pause between fetches: nothing may be asked for in it
    assert not [url for url in asked if url.endswith("/runs/1182/live")]  # alarms and charts ask by the clock


def test_an_answer_under_way_takes_no_open_question_away(page: Page, gallery: str) -> None:
    visit(page, gallery + RUN)
    held: list[Route] = []
    page.route("**/live", lambda route: held.append(route))  # noqa: PLW0108  Playwright marks what it is given
    with page.expect_request("**/live"):
        page.evaluate(TOUCH)
    page.get_by_role("button", name="Exit all, 9 accounts").click()
    dialog = page.get_by_role("dialog", name="Exit all of Iron condor NIFTY")
    expect(dialog).to_be_visible()
    with page.expect_response("**/live"):
        held[0].continue_()
    expect(dialog.get_by_role("button", name="Cancel 3, close 36")).to_be_visible()


def test_a_button_that_is_being_pressed_is_not_replaced(page: Page, gallery: str) -> None:
    visit(page, gallery + RUN)
    page.get_by_role("button", name="Exit all, 9 accounts").hover()
    page.mouse.down()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(TOUCH)
    page.wait_for_timeout(1200)  # twice the pause between fetches: nothing may be asked for in it
    page.mouse.up()
    expect(page.get_by_role("dialog", name="Exit all of Iron condor NIFTY")).to_be_visible()
    assert not [url for url in asked if url.endswith("/live")]


def test_a_filter_and_an_order_outlive_a_refresh(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/desk")
    page.get_by_role("searchbox").fill("zerodha")
    page.get_by_role("button", name="MTM", exact=True).click()
    page.evaluate("document.querySelector('#dashboard-live table').dataset.old = 'yes'")
    with page.expect_response("**/live"):
        page.evaluate("document.dispatchEvent(new CustomEvent('desk:touch', {detail: {topic: 'dashboard'}}))")
    expect(page.locator("#dashboard-live table[data-old]")).to_have_count(0)
    expect(page.locator("tbody tr:visible")).to_have_count(2)
    expect(page.get_by_role("searchbox")).to_have_value("zerodha")
    expect(page.get_by_role("columnheader", name="MTM")).to_have_attribute("aria-sort", "ascending")


def test_a_filtered_table_is_never_seen_whole_while_it_is_refreshed(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/desk")
    page.get_by_role("searchbox").fill("zerodha")
    page.evaluate(
        """() => {
            window.seen = [];
            const rows = '#dashboard-live tbody tr:not([hidden])';
            const count = () => window.seen.push(document.querySelectorAll(rows).length);
            new MutationObserver(count).observe(document.body, {childList: true, subtree: true});
        }"""
    )
    with page.expect_response("**/live"):
        page.evaluate("document.dispatchEvent(new CustomEvent('desk:touch', {detail: {topic: 'dashboard'}}))")
    page.wait_for_function("window.seen.length > 0")
    assert set(page.evaluate("window.seen")) == {2}


def test_a_table_is_taken_along_as_it_is_shown(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/desk")
    page.get_by_role("searchbox").fill("zerodha")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert re.fullmatch(r"desk-\d{4}-\d\d-\d\d-\d{4}\.csv", download.value.suggested_filename)
    heads, *rows = csv.reader(download.value.path().read_text("utf-8-sig").splitlines())
    assert heads[:2] == ["Account", "State"]
    expect(page.locator("tbody tr:visible")).to_have_count(2)
    shown = page.locator("tbody tr:visible").all_inner_texts()
    assert [row[0] for row in rows] == [text.split("\n")[0].split("\t")[0].strip() for text in shown]
    figures = [f"{int(row[heads.index('MTM')]):,}".replace("-", "−") for row in rows]
    assert all(figure in text.replace("+", "") for figure, text in zip(figures, shown, strict=True)), (figures, shown)


def test_the_curve_outlives_a_refresh_and_takes_its_new_points(page: Page, gallery: str) -> None:
    visit(page, gallery + RUN)
    expect(page.locator("#run-curve canvas")).to_be_visible()
    page.evaluate("document.querySelector('#run-curve canvas').dataset.old = 'yes'")
    page.evaluate("document.getElementById('run-points').dataset.old = 'yes'")
    with page.expect_response("**/live"):
        page.evaluate("document.dispatchEvent(new CustomEvent('desk:touch', {detail: {topic: 'run:1182'}}))")
    expect(page.locator("#run-points[data-old]")).to_have_count(0)
    expect(page.locator("#run-curve canvas[data-old]")).to_be_visible()


def test_a_refresh_that_fails_is_said_and_one_that_works_ends_it(page: Page, gallery: str, witness: Witness) -> None:
    witness.expect("500")
    visit(page, f"{gallery}/gallery/desk")
    touch = "document.dispatchEvent(new CustomEvent('desk:touch', {detail: {topic: 'dashboard'}}))"
    page.route("**/live", lambda route: route.fulfill(status=500, body="broken"))
    notice = page.get_by_text("This page could not be refreshed")
    page.evaluate(touch)
    expect(notice).to_be_visible()
    page.unroute("**/live")
    page.evaluate(touch)
    expect(notice).to_be_hidden()


def test_a_refresh_after_the_session_ended_leaves_the_page(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/desk")
    page.route("**/live", lambda route: route.fulfill(status=302, headers={"Location": "/gallery/login"}))
    with page.expect_event("framenavigated"):
        page.evaluate("document.dispatchEvent(new CustomEvent('desk:touch', {detail: {topic: 'dashboard'}}))")
    expect(page.get_by_role("heading", name="Sign in")).to_have_count(0)


def test_a_preview_that_runs_out_cannot_be_sent(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/preview-ending")
    send = page.get_by_role("button", name="Send SIM, 20 orders")
    expect(send).to_be_disabled()
    expect(page.get_by_role("timer")).to_have_text("expired")
    expect(page.get_by_text("This preview has expired.")).to_be_visible()


def test_a_preview_is_sent_with_what_was_shown_and_once(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/preview")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    page.get_by_role("button", name="Send SIM, 20 orders").evaluate("(button) => { button.click(); button.click(); }")
    expect(page.get_by_role("button", name="Sending")).to_be_disabled()
    assert len(sent) == 1
    assert "preview_id=41" in sent[0]
    assert "digest=8f2a1c77d90b4e55a1" in sent[0]
    assert "idempotency_key=sample-key-" in sent[0]


def test_a_preview_that_is_refused_cannot_be_sent(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/preview-live")
    expect(page.get_by_role("button", name="Send LIVE, 12 orders")).to_be_disabled()


def test_legs_are_added_and_removed_with_names_of_their_own(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/builder-wrong")
    page.get_by_role("button", name="Leg", exact=True).click()
    rows = page.locator("[data-leg-row]")
    expect(rows).to_have_count(3)
    assert rows.nth(2).locator('[data-part="side"]').get_attribute("name") == "legs-3-side"
    assert rows.nth(2).locator('[data-part="underlying"]').input_value() == "BANKNIFTY"
    rows.nth(0).get_by_label("Remove this leg").click()
    expect(rows).to_have_count(2)
    expect(page.locator(".leg-errors")).to_have_count(1)
    expect(rows.nth(0).locator(".leg-number")).to_have_text("1")


def test_a_future_has_no_strike_rule_and_an_index_its_own_expiries(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/builder")
    row = page.locator("[data-leg-row]").first
    row.get_by_label("Type", exact=True).select_option("FUT")
    expect(row.get_by_label("Strike rule", exact=True)).to_be_disabled()
    expect(row.get_by_label("Strike rule value")).to_be_disabled()
    row.get_by_label("Index").select_option("BANKNIFTY")
    assert row.get_by_label("Expiry").locator("option").all_inner_texts() == ["This month, 29 DEC 26 Tue"]


def test_a_leg_offers_the_prices_that_its_price_type_has(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/builder")
    row = page.locator("[data-leg-row]").first
    limit, trigger = row.get_by_label("Limit price"), row.get_by_label("Trigger price")
    for price_type, has_limit, has_trigger in (
        ("LIMIT", True, False),
        ("SL", True, True),
        ("SL-M", False, True),
        ("MARKET", False, False),
    ):
        row.get_by_label("Price type").select_option(price_type)
        for field, shown in ((limit, has_limit), (trigger, has_trigger)):
            expect(field).to_be_visible(visible=shown)
            expect(field).to_be_enabled(enabled=shown)


def test_a_table_filters_by_words_and_says_when_nothing_is_left(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/orders")
    box = page.get_by_role("searchbox")
    box.fill("dhan rejected")
    expect(page.locator("tbody tr:visible")).to_have_count(1)
    box.fill("nobody")
    expect(page.get_by_text("No row matches the filter.")).to_be_visible()


def test_a_table_orders_by_number_with_unknown_last(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/desk")
    head = page.get_by_role("button", name="MTM", exact=True)
    head.click()
    expect(page.get_by_role("columnheader", name="MTM")).to_have_attribute("aria-sort", "ascending")
    first, last = page.locator("tbody tr").first, page.locator("tbody tr").last
    expect(first).to_contain_text("Kotak 1")
    expect(last).to_contain_text("unknown")
    head.click()
    expect(last).to_contain_text("unknown")


def test_the_theme_is_remembered(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/desk")
    page.get_by_role("button", name="Theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "desk-light")
    visit(page, f"{gallery}/gallery/chain")
    assert page.locator("html").get_attribute("data-theme") == "desk-light"


def test_a_refresh_leaves_the_reader_where_they_were(page: Page, gallery: str) -> None:
    """The control with the focus keeps it, and a list stays scrolled: whoever works by keyboard is not thrown out."""
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, f"{gallery}/gallery/run-trouble")
    # In one turn of the page, on what is in it then: the page refreshes by itself when its push connection is up.
    page.evaluate(
        """() => {
            document.querySelector('[commandfor="exit-account-5"]').focus({preventScroll: true});
            const matrix = document.querySelector('[data-keep="matrix"]');
            matrix.scrollLeft = 60;
            matrix.dataset.old = "yes";
        }"""
    )
    with page.expect_response("**/live"):
        page.evaluate("document.dispatchEvent(new CustomEvent('desk:touch', {detail: {topic: 'run:1182'}}))")
    expect(page.locator("[data-old]")).to_have_count(0)
    expect(page.locator('[commandfor="exit-account-5"]').first).to_be_focused()
    expect(page.locator('[data-keep="matrix"]')).to_have_js_property("scrollLeft", 60)


def test_a_slider_asks_the_server_and_shows_what_it_answers(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/builder")
    answer = "<div id='payoff-data'></div><p>Worked out anew</p>"
    page.route("**/strategies/payoff", lambda route: route.fulfill(status=200, body=answer))
    panel = page.get_by_role("region", name="Payoff")
    expect(panel.locator("canvas")).to_be_visible()
    with page.expect_request("**/strategies/payoff") as asking:
        panel.get_by_role("slider", name="Volatility").fill("2.5")
    sent = asking.value.post_data or ""
    assert "whatif_iv=2.5" in sent
    assert "legs-0-side=SELL" in sent
    assert "csrf_token=sample-token" in sent
    expect(panel.get_by_text("+2.5 points")).to_be_visible()
    expect(panel.get_by_text("Worked out anew")).to_be_visible()
    expect(panel.locator("canvas")).to_have_count(0)
