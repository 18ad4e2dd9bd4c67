"""Both themes keep the contrast that people need: 4.5 for text, 3 for graphics (WCAG 2.2, level AA)."""

import re
from pathlib import Path

import pytest

THEMES = Path(__file__).parents[3] / "app/static/src/css/themes.css"
GROUNDS = ("color-base-100", "color-base-200", "lift")
TEXTS = ("hi", "mid", "low", "up", "down", "buy", "sell", "warn", "bad", "color-primary", "color-accent")
GRAPHICS = ("call", "put")
FILLS = (
    ("color-primary-content", "color-primary"),
    ("color-warning-content", "color-warning"),
    ("color-error-content", "color-error"),
    ("live-ink", "live-ground"),
)


def tokens(theme: str) -> dict[str, str]:
    """Name -> #rrggbb of everything the theme sets, from both of its blocks."""
    source = THEMES.read_text()
    blocks = re.findall(rf'(?:name: "desk-{theme}";|\[data-theme="desk-{theme}"\] \{{)(.*?)\}}', source, re.DOTALL)
    assert len(blocks) == 2
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", "".join(blocks)))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it, 0 to 1."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_every_text_colour_reads_on_every_ground(theme: str, ground: str) -> None:
    found = tokens(theme)
    weak = {name: round(contrast(found[name], found[ground]), 2) for name in TEXTS}
    assert not {name: ratio for name, ratio in weak.items() if ratio < 4.5}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_bars_are_seen_and_words_on_fills_read(theme: str) -> None:
    found = tokens(theme)
    assert all(contrast(found[name], found["color-base-100"]) >= 3 for name in GRAPHICS)
    assert all(contrast(found[ink], found[fill]) >= 4.5 for ink, fill in FILLS)
