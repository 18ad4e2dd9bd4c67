"""How an account's state and mode are called on pages, and what a trader must know about it."""

from app.domain.plan import Mode
from app.services.account_health import AccountHealth, HealthState
from app.services.accounts import AccountRow, AccountState
from app.web.modes import mode_called

ACCOUNT_WORDS = {
    HealthState.OK: "in_sync",
    HealthState.CATCHING_UP: "catching_up",
    HealthState.LOGIN_EXPIRED: "login_expired",
    HealthState.UNREACHABLE: "unreachable",
    HealthState.WRONG_KEY: "wrong_key",
    HealthState.HALTED: "halted",
    HealthState.UNKNOWN: "unknown",
}

_TROUBLE_FIRST = ("halted", "wrong_key", "login_expired", "unreachable", "unknown", "catching_up", "paused", "in_sync")


def state_word(account: AccountRow, health: AccountHealth) -> str:
    """A pause shows unless something worse does."""
    if account.state is AccountState.HALTED:
        return "halted"
    word = ACCOUNT_WORDS[health.state]
    paused = account.state is AccountState.PAUSED and word in {"in_sync", "catching_up"}
    return "paused" if paused else word


def trouble_rank(word: str) -> int:
    """Sorts the worst first."""
    return _TROUBLE_FIRST.index(word)


def mode_word(account: AccountRow, mode: Mode | None) -> str | None:
    """SIM, PAPER or LIVE; None while the mode is not known."""
    if mode is None and not account.is_simulator:
        return None
    return mode_called(account.broker, mode or account.expected_mode)


def latency_of(health: AccountHealth) -> int | None:
    """Of its newest answered call; None while it cannot be reached: then that one says nothing of the present."""
    return None if health.state is HealthState.UNREACHABLE else health.latency_ms


def reason_of(account: AccountRow, health: AccountHealth, *, live_sending: bool) -> str | None:
    """The most important thing to know about this account, None when there is nothing."""
    if health.mode is not None and health.mode is not account.expected_mode:
        return (
            f"The gateway is in {health.mode.name} mode, this account was added in {account.expected_mode.name} mode. "
            "Nothing is sent. Switch the gateway back, or type the key again under Edit to take the new mode."
        )
    if account.state is AccountState.HALTED:
        return (
            "Halted: a reply came in the other mode than this account's, its gateway holds orders for approval, or a "
            "position was closed beyond zero; the run's page says which. Put that right, then resume it."
        )
    if health.reason and health.state is not HealthState.OK:
        return health.reason
    if account.state is AccountState.PAUSED:
        return "Paused: no entries, exits go on."
    if not account.is_simulator and account.expected_mode is Mode.LIVE and not live_sending:
        return (
            "A live account: it is watched, and sending to it is refused. Only the simulator and gateways in analyzer "
            "mode are sent orders for now."
        )
    return None
