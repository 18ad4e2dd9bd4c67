"""The witness of the browser tests sees what it has to see, or every page test would prove nothing."""

import http.server
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest
from playwright.sync_api import Browser

from tests.browser.witness import Witness


class _Pages(http.server.BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, str]] = {
        "/good": "<title>good</title><p>fine</p>",
        "/log": "<title>log</title><script>console.error('something is off')</script>",
        "/throw": "<title>throw</title><script>throw new Error('broken')</script>",
        "/inline": "<title>inline</title><p style='color: red'>styled</p>",
        "/foreign": "<title>foreign</title><img src='http://example.invalid/pixel.png'>",
    }

    def do_GET(self) -> None:
        page = self.pages.get(self.path)
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        if self.path == "/inline":
            self.send_header("Content-Security-Policy", "default-src 'self'")
        self.end_headers()
        self.wfile.write((page or "<title>none</title>").encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        """Says nothing: the test's output is for the test."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)  # noqa: TID251  the product's rule
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/log", "something is off"),
        ("/throw", "uncaught in the page"),
        ("/inline", "content security policy: style-src-attr"),
        ("/foreign", "request to another host: http://example.invalid/pixel.png"),
        ("/absent", "404"),
    ],
)
def test_what_the_witness_sees(chromium: Browser, address: str, path: str, complaint: str) -> None:
    assert any(complaint in said for said in _visit(chromium, Witness(), f"{address}{path}"))


def test_a_good_page_is_not_complained_about(chromium: Browser, address: str) -> None:
    witness = Witness()
    witness.expect("favicon")
    assert _visit(chromium, witness, f"{address}/good") == []


def test_an_announced_complaint_is_not_held_against_the_page(chromium: Browser, address: str) -> None:
    witness = Witness()
    witness.expect("404")
    assert _visit(chromium, witness, f"{address}/absent") == []


def _visit(chromium: Browser, witness: Witness, address: str) -> list[str]:
    context = chromium.new_context()
    witness.watch(context)
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    context.close()
    return witness.complaints
