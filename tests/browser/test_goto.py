"""The keys of every page, and the box that finds a page, run, strategy or account by words."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_modules import visit


@pytest.fixture
def box(page: Page, gallery: str) -> Locator:
    visit(page, f"{gallery}/gallery/positions")
    page.keyboard.press("Control+k")
    box = page.get_by_role("dialog", name="Go to")
    expect(box.get_by_role("option")).not_to_have_count(0)
    return box


def test_words_find_arrows_choose_and_enter_opens(page: Page, box: Locator) -> None:
    expect(box.get_by_role("option", selected=True)).to_have_text(re.compile("Iron condor NIFTY, run 1182"))
    page.keyboard.type("nifty chain")
    expect(box.get_by_role("option")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(box.get_by_role("option", selected=True)).to_have_text(re.compile("BANKNIFTY"))
    page.keyboard.press("ArrowDown")
    expect(box.get_by_role("option", selected=True)).to_have_text(re.compile("^NIFTY"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/gallery/chain"))


def test_nothing_of_that_name_is_said_and_enter_does_nothing(page: Page, box: Locator) -> None:
    page.keyboard.type("no such thing")
    expect(box.get_by_role("status")).to_have_text("Nothing is called that.")
    page.keyboard.press("Enter")
    expect(box).to_be_visible()
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()


def test_a_letter_after_g_goes_there_and_not_while_somebody_types(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/positions")
    page.keyboard.press("/")
    filter_box = page.get_by_role("searchbox")
    expect(filter_box).to_be_focused()
    page.keyboard.type("gk?")
    expect(filter_box).to_have_value("gk?")
    filter_box.blur()
    with page.expect_request("**/trading/kill"):
        page.keyboard.type("gk")


def test_the_sheet_of_keys_names_every_place_of_the_rail(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/positions")
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text("No key sends, changes, cancels or closes anything")
    for link in page.locator(".rail-item[data-go]").all():
        line = sheet.locator("dl > div").filter(has_text=re.compile(rf"g\s*{link.get_attribute('data-go')}"))
        expect(line.filter(has_text=link.inner_text())).to_have_count(1)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Go to")).to_be_hidden()


def test_a_confirmation_hears_no_keys(page: Page, gallery: str) -> None:
    visit(page, f"{gallery}/gallery/run-trouble")
    page.get_by_role("button", name="Exit all, 9 accounts").click()
    question = page.get_by_role("dialog", name="Exit all of Iron condor NIFTY")
    expect(question).to_be_visible()
    for keys in ("gd", "?", "/"):
        page.keyboard.type(keys)
    page.keyboard.press("Control+k")
    expect(question).to_be_visible()
    expect(page.locator("dialog[open]")).to_have_count(1)
