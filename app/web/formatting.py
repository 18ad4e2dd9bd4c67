"""Jinja's filters, and the addresses of built files."""

import json
from datetime import date
from pathlib import Path

from flask import Flask, url_for

from app.domain import wording
from app.domain.calendar import trading_date
from app.domain.errors import Misconfigured
from app.web.desk import desk
from app.web.market_time import market_now

MANIFEST = "build/manifest.json"


def _days_left(day: date | None) -> str:
    """A dash while the market's date is not known."""
    now = market_now(desk())
    return wording.UNKNOWN if now is None else wording.days_left(day, trading_date(now))


FILTERS = {
    "inr": wording.inr,
    "inr_short": wording.inr_short,
    "signed": wording.signed,
    "price": wording.price,
    "fixed": wording.fixed,
    "signed_price": wording.signed_price,
    "signed_short": wording.signed_short,
    "lots": wording.lots,
    "expiry": wording.expiry,
    "days_left": _days_left,
    "ist": wording.ist,
    "ist_date": wording.ist_date,
    "age": wording.age,
}


class Assets:
    """Built files by their logical names. Read once: a new build needs a new start, as the modules do."""

    def __init__(self, static: Path) -> None:
        self._path = static / MANIFEST
        self._files: dict[str, str] | None = None

    def file(self, name: str) -> str:
        """Path under `static` of the built file. Raises Misconfigured when it was not built."""
        if self._files is None:
            self._files = self._read()
        try:
            return f"build/{self._files[name]}"
        except KeyError:
            raise Misconfigured(f"{name} is not among the built files. Run `npm run build`.") from None

    def _read(self) -> dict[str, str]:
        try:
            files: dict[str, str] = json.loads(self._path.read_text())
        except FileNotFoundError:
            raise Misconfigured("The styles and modules are not built. Run `npm run build`, or `make run`.") from None
        return files


def install_formatting(app: Flask) -> None:
    assets = Assets(Path(app.static_folder or ""))
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals["asset"] = lambda name: url_for("static", filename=assets.file(name))
