"""The builder's form as a browser sends it, and what its pages and the database hold afterwards."""

import html
import re
from typing import Any

from app.services.strategies import SavedStrategy
from tests.trading_desk import TradingBench


def fields(chosen: list[int], /, **changes: Any) -> dict[str, Any]:
    """A straddle as the builder sends it."""
    form: dict[str, Any] = {"name": "Straddle", "structures": "2", "max_loss": "22000", "max_profit": ""}
    for number, kind in enumerate(("CE", "PE")):
        form |= {
            f"legs-{number}-underlying": "NIFTY",
            f"legs-{number}-kind": kind,
            f"legs-{number}-expiry": "current_week",
            f"legs-{number}-strike_method": "ATM",
            f"legs-{number}-side": "SELL",
            f"legs-{number}-ratio": "1",
            f"legs-{number}-product": "MIS",
        }
    form |= {"accounts": [str(one) for one in chosen], "action": "save", "template_underlying": "NIFTY"}
    form |= {f"multiplier-{one}": "1" for one in chosen}
    return {name: text for name, text in {**form, **changes}.items() if text is not None}


def stored(desk: TradingBench, owner: str = "asha") -> list[SavedStrategy]:
    found: list[SavedStrategy] = desk.desk.strategies.all_of(desk.bench.somebody(owner).id)
    return found


def values(page: str, name: str) -> list[str]:
    """What the controls of that name hold."""
    boxes = re.findall(rf'<input[^>]*name="{re.escape(name)}"[^>]*value="([^"]*)"', page)
    select_box = re.search(rf'<select[^>]*name="{re.escape(name)}".*?</select>', page, re.DOTALL)
    chosen = re.findall(r'<option value="([^"]*)" selected', select_box[0]) if select_box else []
    return [html.unescape(text) for text in [*boxes, *chosen]]
