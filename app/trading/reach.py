"""Accounts of a run that take no orders now, and what that means for whoever wants to get out of it."""

from collections.abc import Mapping, Sequence

from app.services.account_health import HealthState
from app.services.run_board import AccountView
from app.web.desk import Desk
from app.web.run_events import named

_WHY = {
    HealthState.UNREACHABLE: "cannot be reached",
    HealthState.LOGIN_EXPIRED: "not logged in at the broker",
    HealthState.WRONG_KEY: "the key is refused",
}

SETTLED_WITHIN = (
    "The broker gave no answer that settles it. Nothing is sent again; the books are read until they say what "
    "happened: usually within 16 s, up to 3 minutes where it has to be proven that no order arrived."
)


def out_of_reach(desk: Desk, accounts: Sequence[AccountView]) -> dict[int, str]:
    """Why each account that takes no orders does not, by its id; those of which nothing is wrong are not in it."""
    states = {account.account_id: desk.health.of(account.account_id).state for account in accounts}
    return {account_id: _WHY[state] for account_id, state in states.items() if state in _WHY}


def exit_warning(accounts: Sequence[AccountView], reasons: Mapping[int, str]) -> str | None:
    """What an exit of these accounts cannot do at once; None when all of them take orders."""
    away = [account for account in accounts if account.account_id in reasons]
    if not away:
        return None
    its, it = ("its", "it does") if len(away) == 1 else ("their", "they do")
    return (
        f"{_who(away, reasons)} no orders now: {its} positions stay open until {it}, and are closed then. "
        "If that cannot wait, close them at the broker: an exit never closes them a second time."
    )


def reach_note(accounts: Sequence[AccountView], reasons: Mapping[int, str]) -> tuple[str, str] | None:
    """For the page of a living run: who takes no orders, and what goes on all the same."""
    away = [account for account in accounts if account.account_id in reasons and _alive(account)]
    if not away:
        return None
    return (
        f"{_who(away, reasons)} no orders now.",
        (
            "It is tried again every few seconds. Nothing can be entered or closed there before it answers; an exit "
            "that is asked for goes on there by itself as soon as it does."
        ),
    )


def unknown_note(accounts: Sequence[AccountView], reasons: Mapping[int, str]) -> str:
    """How long it takes until the orders of unknown outcome are settled."""
    away = [
        account for account in accounts if account.account_id in reasons and any(cell.unknown for cell in account.cells)
    ]
    if not away:
        return SETTLED_WITHIN
    return (
        f"Nothing is sent again. What became of the orders in {_names(away)} can only be read from the broker's books, "
        "and those cannot be read now: it stays unknown until the gateway answers."
    )


def _alive(account: AccountView) -> bool:
    """Something is held there, or may come to be."""
    return any(cell.net or cell.open_orders or cell.unknown for cell in account.cells)


def _names(accounts: Sequence[AccountView]) -> str:
    return named([account.name for account in accounts])


def _who(away: Sequence[AccountView], reasons: Mapping[int, str]) -> str:
    """`Asha (cannot be reached) takes`, `Asha, Ravi take`."""
    if len(away) == 1:
        return f"{away[0].name} ({reasons[away[0].account_id]}) takes"
    return f"{_names(away)} take"
