"""A real Chromium for the tests of this folder, and pages in it that are watched."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.gallery_server import gallery, gallery_app  # noqa: F401  fixtures of the page tests
from tests.browser.witness import Witness
from tools import browser
from tools.steps import SetupError

SCREENSHOTS = Path(__file__).parent / "screenshots"
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

expect.set_options(timeout=20_000)  # a busy machine is no fault of a page: what is waited for comes or does not


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, started once. Tests take `page`, or make contexts of their own here and give them to a Witness."""
    try:
        program, reason = browser.find(), browser.NOT_FOUND
    except SetupError as problem:
        program, reason = None, str(problem)
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()  # Chromium's sandbox refuses root
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(program), args=[*FLAGS, *sandbox])
        yield started
        started.close()


@pytest.fixture
def witness() -> Iterator[Witness]:
    """Fails the test when a page complained of something the test did not announce."""
    watching = Witness()
    yield watching
    assert not watching.complaints, "\n".join(["the pages complained:", *watching.complaints])


@pytest.fixture
def page(chromium: Browser, witness: Witness, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a desktop-sized window with an empty profile, watched; a failing test leaves a picture of it."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-IN", timezone_id="Asia/Kolkata")
    witness.watch(context)
    opened = context.new_page()
    failed_before = request.session.testsfailed
    yield opened
    if request.session.testsfailed > failed_before:
        SCREENSHOTS.mkdir(exist_ok=True)
        name = re.sub(r"\W+", "-", request.node.name)
        opened.screenshot(path=SCREENSHOTS / f"failed-{name}.png")
    context.close()


@pytest.fixture
def push(gallery_app: Flask) -> Any:  # noqa: F811  a fixture by its name
    """Emits to every page that is connected."""
    return gallery_app.extensions["socketio"].emit


@pytest.fixture
def chain(page: Page, gallery: str) -> Page:  # noqa: F811  a fixture by its name
    """The chain page with its push connection up."""
    with page.expect_websocket() as opening:
        page.goto(f"{gallery}/gallery/chain")
    opening.value.wait_for_event("framesent", lambda frame: "watch" in str(frame) and "chain:" in str(frame))
    expect(page.locator("[data-module]:not([data-attached])")).to_have_count(0)
    return page
