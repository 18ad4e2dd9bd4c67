"""What the frame of every page shows: mode, indices, clock, feed and today's MTM."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from flask import Flask, g
from flask_login import current_user

from app.domain import wording
from app.domain.calendar import IST, Closed, Phase, Session
from app.domain.contracts import UNDERLYINGS, Underlying
from app.services.accounts import AccountRow
from app.web.desk import Desk, desk
from app.web.idempotency import new_key
from app.web.market_time import market_now, on_page
from app.web.modes import joint_mode, mode_called
from app.web.signed_in import SignedIn, user


@dataclass(frozen=True, slots=True)
class IndexView:
    """`change_pct` against the previous close."""

    name: str
    ltp: Decimal | None
    change_pct: Decimal | None


@dataclass(frozen=True, slots=True)
class ClockView:
    now: datetime | None
    phase: str
    note: str


@dataclass(frozen=True, slots=True)
class FeedView:
    """`state`: live, late, lost or off. `source` is the account it comes from, None when there is none.

    `missing` stands in the place of an age that is not known.
    """

    state: str
    age_s: float | None
    source: str | None
    missing: str


@dataclass(frozen=True, slots=True)
class HaltView:
    """What holds entries back. `at` is when it was set, or how long ago where the market's time is another."""

    sentence: str
    at: datetime | str


@dataclass(frozen=True, slots=True)
class AlarmView:
    """What a person has to know of at once, and the run it is about. `at` as in HaltView."""

    sentence: str
    run_id: int
    at: datetime | str


@dataclass(frozen=True, slots=True)
class SetbackView:
    """The database may be older than the brokers. `at` as in HaltView; `by` None: nobody has acknowledged it."""

    id: int
    sentence: str
    at: datetime | str
    by: str | None


@dataclass(frozen=True, slots=True)
class FrameView:
    """`mode` is LIVE as soon as one account of real money is there, then PAPER, then SIM."""

    mode: str
    indices: tuple[IndexView, ...]
    clock: ClockView
    feed: FeedView
    mtm: Decimal | None
    halts: tuple[HaltView, ...] = ()
    alarms: tuple[AlarmView, ...] = ()
    damage: str | None = None
    setback: SetbackView | None = None


BLANK = FrameView(
    "PAPER", (), ClockView(None, "unknown", "Session unknown"), FeedView("off", None, None, wording.UNKNOWN), None
)
"""For whoever is not signed in, and for pages about errors: nobody's figures."""


def install_context(app: Flask) -> None:
    app.jinja_env.globals["idempotency_key"] = new_key
    app.context_processor(_frame)


def _frame() -> dict[str, object]:
    if g.get("bare_page") or not current_user.is_authenticated:
        return {"desk": BLANK}
    return {"desk": frame_view(desk(), user())}


def frame_view(services: Desk, viewer: SignedIn) -> FrameView:
    """The frame as this user sees it now. Costs five small reads of the database."""
    accounts = services.accounts.shown_to(viewer)
    return FrameView(
        mode=desk_mode(accounts, simulated=services.simulator is not None),
        indices=tuple(_index(services, underlying) for underlying in UNDERLYINGS),
        clock=_clock(services),
        feed=_feed(services, any_account=bool(accounts)),
        mtm=services.today.worth(services.today.runs(viewer)).total,
        halts=tuple(
            HaltView(each.sentence, on_page(services, each.at)) for each in services.kill_switch.standings(viewer)
        ),
        alarms=alarm_views(services, viewer),
        damage=services.damage(),
        setback=_setback(services),
    )


def _setback(services: Desk) -> SetbackView | None:
    found = services.setbacks.standing()
    return None if found is None else SetbackView(found.id, found.sentence, on_page(services, found.at), found.by)


def alarm_views(services: Desk, viewer: SignedIn) -> tuple[AlarmView, ...]:
    return tuple(
        AlarmView(each.sentence, each.run_id, on_page(services, each.raised_at))
        for each in services.alarms.standing(viewer)
    )


def desk_mode(accounts: Sequence[AccountRow], *, simulated: bool) -> str:
    """LIVE when one account trades real money, else PAPER when one is in analyzer mode, else SIM.

    Without accounts it is what the first one would be: the simulator's where there is one.
    """
    found = joint_mode(mode_called(account.broker, account.expected_mode) for account in accounts)
    return found or ("SIM" if simulated else "PAPER")


def _index(services: Desk, underlying: Underlying) -> IndexView:
    latest = services.prices.latest(underlying.spot)
    if latest is None:
        return IndexView(underlying.name, None, None)
    before = latest.previous_close
    change = (latest.ltp - before) * 100 / before if before else None
    return IndexView(underlying.name, latest.ltp, change)


def _clock(services: Desk) -> ClockView:
    now = market_now(services)
    if now is None:
        return ClockView(None, "unknown", "Market time unknown")
    exchange = UNDERLYINGS[0].exchange
    session, phase = services.hours.session(exchange), services.hours.phase(exchange)
    return ClockView(now, phase.value, clock_note(phase, session, now))


def clock_note(phase: Phase, session: Session | Closed | None, now: datetime) -> str:
    """What the clock means for trading, in a few words."""
    if isinstance(session, Session):
        if phase is Phase.PRE_OPEN:
            return f"Pre-open, opens at {session.opens.astimezone(IST):%H:%M}"
        if phase in {Phase.LIVE, Phase.CLOSING}:
            return f"{'Live' if phase is Phase.LIVE else 'Closing'}, closes in {_span(session.closes - now)}"
        if phase is Phase.CLOSED and now < session.opens:
            return f"Closed, opens at {session.opens.astimezone(IST):%H:%M}"
    return "Market closed" if phase is Phase.CLOSED else "Session unknown"


def _span(left: timedelta) -> str:
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m"


def _feed(services: Desk, *, any_account: bool) -> FeedView:
    state = services.feed_news.state()
    missing = "no price" if any_account else "no account yet"
    return FeedView(state.phase.value, state.last_tick_age_s, state.account_name, missing)
