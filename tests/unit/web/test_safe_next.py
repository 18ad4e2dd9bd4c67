"""Only paths of this site are followed after signing in."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.security import safe_next


@pytest.mark.parametrize("path", ["/", "/accounts/?x=1", "/trading/chain?underlying=NIFTY&expiry=2026-12-01", "/a/b#c"])
def test_a_path_of_this_site_is_followed(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize(
    "target",
    [None, "", "accounts", "//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example",
     "javascript:alert(1)", " /x", "/x\r\nSet-Cookie: a=b", "/\t/evil.example", "http:/evil"],
)  # fmt: skip
def test_anything_else_is_not(target: str | None) -> None:
    assert safe_next(target) is None


@given(st.text(alphabet="/\\:.@?#ahtps \t\r\n", max_size=12))
def test_what_is_followed_stays_on_this_site(target: str) -> None:
    followed = safe_next(target)
    if followed is not None:
        assert urlsplit(urljoin("https://desk.example/auth/login", followed)).netloc == "desk.example"
