"""What the frame of the pages says of the session, the mode and an account."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.calendar import Closed, Phase, Session
from app.domain.plan import Mode
from app.services.account_health import AccountHealth, HealthState
from app.services.accounts import AccountRow, AccountState
from app.web.account_words import mode_word, reason_of, state_word
from app.web.context import clock_note, desk_mode

OPENS = datetime(2026, 11, 23, 3, 45, tzinfo=UTC)  # 09:15 in India
SESSION = Session(OPENS, OPENS + timedelta(hours=6, minutes=15))

SIMULATED = AccountRow(
    id=1, owner_id=1, name="Simulator 1", broker="simulator", host_url="http://a:1", websocket_url="ws://a:2",
    expected_mode=Mode.LIVE, state=AccountState.ACTIVE, feed_rank=0, multiplier=Decimal(1), notes="", created_at=OPENS,
)  # fmt: skip
LIVE = replace(SIMULATED, broker="zerodha")
PAPER = replace(LIVE, expected_mode=Mode.PAPER)
WELL = AccountHealth(state=HealthState.OK, reason="", mode=Mode.LIVE)


@pytest.mark.parametrize(
    ("phase", "session", "after", "note"),
    [
        (Phase.PRE_OPEN, SESSION, timedelta(minutes=-10), "Pre-open, opens at 09:15"),
        (Phase.LIVE, SESSION, timedelta(hours=2, minutes=28), "Live, closes in 3h 47m"),
        (Phase.CLOSING, SESSION, timedelta(hours=6, minutes=10), "Closing, closes in 5m"),
        (Phase.CLOSED, SESSION, timedelta(hours=7), "Market closed"),
        (Phase.CLOSED, SESSION, timedelta(hours=-2), "Closed, opens at 09:15"),
        (Phase.CLOSED, Closed(), timedelta(), "Market closed"),
        (Phase.UNKNOWN, None, timedelta(), "Session unknown"),
    ],
)
def test_the_clock_says_what_it_means_for_trading(
    phase: Phase, session: Session | Closed | None, after: timedelta, note: str
) -> None:
    assert clock_note(phase, session, OPENS + after) == note


def test_one_account_of_real_money_makes_the_desk_live() -> None:
    assert desk_mode([], simulated=True) == "SIM"
    assert desk_mode([], simulated=False) == "PAPER"
    assert desk_mode([SIMULATED], simulated=False) == "SIM"
    assert desk_mode([SIMULATED, PAPER], simulated=True) == "PAPER"
    assert desk_mode([SIMULATED, PAPER, LIVE], simulated=True) == "LIVE"


def test_a_mode_that_was_not_read_is_not_guessed() -> None:
    assert mode_word(LIVE, None) is None
    assert mode_word(LIVE, Mode.PAPER) == "PAPER"
    assert mode_word(SIMULATED, None) == "SIM"


def test_a_pause_never_hides_something_worse() -> None:
    paused = replace(LIVE, state=AccountState.PAUSED)
    assert state_word(paused, WELL) == "paused"
    assert state_word(paused, AccountHealth(state=HealthState.LOGIN_EXPIRED)) == "login_expired"
    assert state_word(LIVE, AccountHealth()) == "unknown"
    assert state_word(replace(LIVE, state=AccountState.HALTED), WELL) == "halted"


def test_the_most_important_reason_comes_first() -> None:
    switched = replace(WELL, mode=Mode.PAPER, state=HealthState.UNREACHABLE, reason="Gone.")
    assert "PAPER mode" in (reason_of(LIVE, switched, live_sending=True) or "")
    assert reason_of(LIVE, replace(switched, mode=Mode.LIVE), live_sending=True) == "Gone."
    assert "sending to it is refused" in (reason_of(LIVE, WELL, live_sending=False) or "")
    assert reason_of(LIVE, WELL, live_sending=True) is None
    assert reason_of(SIMULATED, WELL, live_sending=False) is None
