"""Every page is built on the base, has a title, stays short, and holds nothing the content security policy forbids."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import STATIC_SOURCES, TEMPLATES, list_of, place

LINES = 200
BASE = "base.html"
PARTS = {"components", "fragments"}  # macros, and pieces of pages sent by themselves

COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
EXTENDS = re.compile(r"""\{%-?\s*extends\s+["']([^"']+)["']""")
TITLE = re.compile(r"\{%-?\s*block\s+title\b")
FORBIDDEN = {
    "inline script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=.application/json)", re.IGNORECASE),
    "inline style": re.compile(r"<style|\sstyle\s*=", re.IGNORECASE),
    "inline event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "file of another host": re.compile(
        r"<(?:script|link|img|iframe|source|video|audio|embed|object)\b[^>]*(?:src|href|data)\s*=\s*[\"']?(?:https?:)?//",
        re.IGNORECASE,
    ),
}
FROM_ANOTHER_HOST = re.compile(r"""(?:\burl\(|@import\s|\bfrom\s|\bimport\(?|\bfetch\()\s*["']?(?:https?:)?//""")

templates = sorted(TEMPLATES.rglob("*.html"))
pages = [path for path in templates if path != TEMPLATES / BASE and not PARTS & set(path.relative_to(TEMPLATES).parts)]


def test_there_are_pages() -> None:
    assert pages, "no page was found: the tests below would prove nothing"


@pytest.mark.parametrize("page", pages, ids=place)
def test_a_page_is_built_on_the_base_and_has_a_title(page: Path) -> None:
    chain = _ancestors(page)
    assert chain[-1] == TEMPLATES / BASE, f"{place(page)} does not extend {BASE}"
    assert any(TITLE.search(_source(path)) for path in chain[:-1]), f"{place(page)} has no title block"


def test_templates_are_short() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in templates}
    long = [f"{place(path)}: {lines} lines" for path, lines in lengths.items() if lines > LINES]
    assert not long, f"move what repeats into macros; at most {LINES} lines:{list_of(long)}"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_the_content_security_policy_forbids(what: str) -> None:
    found = [
        f"{place(path)}:{source[: match.start()].count(chr(10)) + 1}: {match.group()[:80]}"
        for path in templates
        for source in [_source(path)]
        for match in FORBIDDEN[what].finditer(source)
    ]
    assert not found, f"{what}:{list_of(found)}"


def test_scripts_and_styles_come_from_here() -> None:
    sources = [path for ending in ("*.js", "*.mjs", "*.css") for path in STATIC_SOURCES.rglob(ending)]
    found = [place(path) for path in sources if FROM_ANOTHER_HOST.search(path.read_text(encoding="utf-8"))]
    assert not found, f"nothing is fetched from another host at run time:{list_of(found)}"


def _source(path: Path) -> str:
    """The template without its comments, with its lines kept."""
    return COMMENT.sub(lambda match: "\n" * match.group().count("\n"), path.read_text(encoding="utf-8"))


def _ancestors(path: Path) -> list[Path]:
    """The template, what it extends, what that extends, and so on."""
    chain = [path]
    while (extends := EXTENDS.search(_source(chain[-1]))) is not None:
        chain.append(TEMPLATES / extends.group(1))
    return chain


@pytest.mark.parametrize(
    ("what", "caught", "let_through"),
    [
        ("inline script", "<script>go()</script>", '<script type="module" src="/static/desk.js"></script>'),
        ("inline script", '<script type="module">go()</script>', '<script type="application/json">{}</script>'),
        ("inline style", '<p style="color: red">', '<p class="style">'),
        ("inline style", "<style>p {}</style>", '<link rel="stylesheet" href="/static/desk.css">'),
        ("inline event attribute", '<button type="button" onclick="go()">', '<button data-only="on" name="online">'),
        ("javascript: address", '<a href="javascript:go()">', '<a href="/javascript">'),
        ("file of another host", '<script src="https://cdn.example/x.js">', '<a href="https://openalgo.in">'),
        ("file of another host", '<img src="//cdn.example/x.png">', '<img src="/static/x.png">'),
    ],
)
def test_the_patterns_find_what_they_are_for(what: str, caught: str, let_through: str) -> None:
    assert FORBIDDEN[what].search(caught)
    assert not FORBIDDEN[what].search(let_through)
