"""A witness of everything the pages of a test complain about."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request

OURS = {"127.0.0.1", "localhost", ""}  # "" is data: and blob:
# Chromium writes most violations to the console too, but not those of a policy that only reports.
WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`content security policy: ${event.violatedDirective} forbids ${event.blockedURI || "inline"}`);
});
"""


@dataclass
class Witness:
    """What the pages of one test complained about: console errors and warnings of the policy, exceptions, lost or
    foreign requests. `complaints` must be empty when the test ends, apart from those the test said it would cause.
    """

    complaints: list[str] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Announces that the test causes complaints that match the pattern, such as the 404 it asks for."""
        self._expected.append(re.compile(pattern))

    def watch(self, context: BrowserContext) -> None:
        context.add_init_script(WATCH_POLICY)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self._add(f"uncaught in the page: {error.error}"))
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_request_failed)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            page, source = message.page.url if message.page else "?", message.location["url"]
            self._add(f"console on {page}: {message.text} ({source})")

    def _on_request(self, request: Request) -> None:
        if (urlsplit(request.url).hostname or "") not in OURS:
            self._add(f"request to another host: {request.url}")

    def _on_request_failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what leaving a page does to the requests under way
            self._add(f"request failed: {request.url} ({request.failure})")

    def _add(self, complaint: str) -> None:
        if not any(pattern.search(complaint) for pattern in self._expected):
            self.complaints.append(complaint)
