"""Every template with every sample it is shown with: the list the gallery serves and the test walks."""

from dataclasses import dataclass, field
from typing import Any

import samples_accounts as accounts
import samples_desk as desk


@dataclass(frozen=True)
class Page:
    """One template with one sample. `mode` is the desk's; `trouble` breaks the feed; `visitor` is not signed in."""

    key: str
    template: str
    context: dict[str, Any]
    mode: str = "LIVE"
    trouble: bool = False
    visitor: bool = False
    flashes: tuple[tuple[str, str], ...] = field(default=())


PAGES = (
    Page("setup", "auth/setup.html", desk.SETUP, visitor=True),
    Page("setup-wrong", "auth/setup.html", desk.SETUP_WRONG, visitor=True),
    Page("login", "auth/login.html", desk.LOGIN, visitor=True),
    Page("login-wrong", "auth/login.html", desk.LOGIN_WRONG, visitor=True),
    Page("accounts-empty", "accounts/index.html", accounts.index(0), mode="SIM"),
    Page("accounts", "accounts/index.html", accounts.index(6)),
    Page("accounts-50", "accounts/index.html", accounts.index(50)),
    Page("accounts-read-only", "accounts/index.html", accounts.INDEX_READ_ONLY),
    Page("account-form", "accounts/form.html", accounts.FORM_NEW),
    Page("account-form-wrong", "accounts/form.html", accounts.FORM_WRONG),
    Page("account-form-edit", "accounts/form.html", accounts.FORM_EDIT),
    Page("account", "accounts/show.html", accounts.show(trouble=False)),
    Page("account-trouble", "accounts/show.html", accounts.show(trouble=True), trouble=True),
    Page("error", "errors/error.html", desk.ERROR),
    Page("error-visitor", "errors/error.html", desk.ERROR, visitor=True),
)
