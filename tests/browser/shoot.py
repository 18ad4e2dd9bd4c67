"""Takes pictures of the gallery in both themes and both widths: `python -m tests.browser.shoot [page ...]`."""

import sys
import threading
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from tests.browser.gallery import create_gallery
from tests.browser.gallery_pages import PAGES
from tools import browser as chromium

OUT = Path(__file__).parent / "screenshots"
WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}
THEMES = ("dark", "light")


def say(*words: object) -> None:
    sys.stderr.write(" ".join(map(str, words)) + "\n")


def shoot(browser: Browser, base: str, key: str, theme: str, width: str) -> None:
    w, h = WIDTHS[width]
    context = browser.new_context(viewport={"width": w, "height": h}, reduced_motion="reduce")
    context.add_cookies([{"name": "theme", "value": theme, "url": base}])
    page = context.new_page()
    page.on("console", lambda message: say(key, width, message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: say(key, width, "page error", error))
    page.goto(f"{base}/gallery/{key}", wait_until="load")
    page.wait_for_timeout(250)
    page.screenshot(path=OUT / f"{key}-{width}-{theme}.png", full_page=True)
    context.close()


def main(wanted: list[str]) -> None:
    OUT.mkdir(exist_ok=True)
    server = make_server("127.0.0.1", 0, create_gallery(), threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)  # noqa: TID251  a tool beside the product
    serving.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium.find()), args=["--no-sandbox", "--disable-gpu"]
        )
        for page in PAGES:
            if wanted and not any(page.key.startswith(name) for name in wanted):
                continue
            for theme in THEMES:
                for width in WIDTHS:
                    shoot(browser, f"http://127.0.0.1:{server.server_port}", page.key, theme, width)
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main(sys.argv[1:])
