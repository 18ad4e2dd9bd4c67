"""How the states of a run and its events are called on pages."""

RUN_STATES = {
    "REQUESTED": "starting",
    "ENTERING": "entering",
    "OPEN": "running",
    "EXITING": "exiting",
    "CLOSED": "closed",
    "REFUSED": "failed",
    "ATTENTION": "attention",
}

_TONES = {
    "started": "ok",
    "open": "ok",
    "closed": "ok",
    "filled": "ok",
    "rule": "warn",
    "exit": "warn",
    "leg_failed": "bad",
    "attention": "bad",
    "refused": "bad",
    "denied": "bad",
    "rejected": "bad",
    "unknown": "warn",
    "not_sent": "warn",
    "cancelled": "warn",
    "parked": "warn",
    "given_up": "warn",
    "override": "warn",
    "expired": "warn",
    "retry": "warn",
    "alarm": "bad",
    "alarm_over": "ok",
    "account_back": "ok",
    "found": "info",
    "pending": "info",
    "size_learnt": "info",
    "adopted": "info",
    "rules": "info",
}


def run_state(state: str) -> str:
    """A state without a word is shown as it is, never as a good one."""
    return RUN_STATES.get(state, state.lower())


def event_tone(kind: str) -> str:
    return _TONES.get(kind, "info")


def known_events() -> set[str]:
    """Kinds of events that have a tone."""
    return set(_TONES)
