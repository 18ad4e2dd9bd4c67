"""What others may know of the price feed: who serves it, how well, and what happened to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.domain.contracts import ContractKey
from app.ports.feed import Drop


class FeedPhase(StrEnum):
    """OFF: nothing is wanted, or there is no account. LOST: no socket just now; it is being tried again.

    LIVE: prices come, or the market is closed. LATE: the socket stands, the market is open and no price comes, or
    only late ones.
    """

    OFF = "off"
    LOST = "lost"
    LIVE = "live"
    LATE = "late"


class FeedFault(StrEnum):
    """How a feed dies. SECOND_LOGIN: the gateway let go of its broker, whose login was taken over or renewed.

    LOGIN_EXPIRED: the gateway is not let in by its broker any more. WITHDRAWN: we do not want it from there any more.
    LATE: its prices come, and all are late by their own time, while those of the backup are not.
    """

    CUT = "cut"
    HALF_OPEN = "half_open"
    SILENT = "silent"
    LATE = "late"
    UNCONFIRMED = "unconfirmed"
    SECOND_LOGIN = "second_login"
    LOGIN_EXPIRED = "login_expired"
    WRONG_KEY = "wrong_key"
    UNREACHABLE = "unreachable"
    WITHDRAWN = "withdrawn"


class MoveKind(StrEnum):
    """FAILOVER: to another account because one failed. MANUAL: because somebody chose it. RETURN: to the preferred one.

    RECONNECT: the same account again, after a gap.
    """

    FAILOVER = "failover"
    MANUAL = "manual"
    RETURN = "return"
    RECONNECT = "reconnect"


@dataclass(frozen=True, slots=True)
class FeedState:
    """A picture of one moment. `account_id` and `account_name` are None while no account serves.

    `since` is when this phase began. `last_tick_age_s` is None until a first price. `wanted` and `confirmed` count
    contracts; `refused` are those the gateway will not serve, with its words. `last_cause` is why the feed was lost
    the last time, empty if it never was, and `last_fault` what that is called. `chosen` is the account that `chosen_by`
    wants prices from before all others, None while the order of the accounts holds. `drops` counts since the
    start what came and was not used, by kind. `late_by_s`: by so much all ticks of late are behind the exchange's time,
    or ahead of it where it is negative; None while they agree within the limit.
    """

    account_id: int | None
    account_name: str | None
    phase: FeedPhase
    since: datetime
    last_tick_age_s: float | None
    wanted: int
    confirmed: int
    refused: tuple[tuple[ContractKey, str], ...]
    failovers: int
    last_cause: str
    last_fault: FeedFault | None = None
    chosen: int | None = None
    chosen_by: str = ""
    drops: Mapping[Drop, int] = field(default_factory=dict)
    late_by_s: float | None = None


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """One open socket for market data. Ages in seconds, None where there is nothing yet.

    `role` is serving, warm (may take over at any moment) or on_trial (has not proven yet that prices come).
    `rate` is ticks a second of late.
    """

    account_id: int
    account_name: str
    role: str
    open_s: float
    tick_age_s: float | None
    pong_age_s: float | None
    asked: int
    confirmed: int
    rate: float
    accepted: int


@dataclass(frozen=True, slots=True)
class Failover:
    """The feed moved to another account, or came back on the same one.

    `lost_s` is how long no price came, or none on time; 0 when it moved unbroken. `took_s` is how long it took from the
    decision to leave the old feed until everything was confirmed on the new one.
    """

    at: datetime
    kind: MoveKind
    fault: FeedFault | None
    from_account: int
    from_name: str
    to_account: int
    to_name: str
    cause: str
    lost_s: float
    took_s: float
    confirmed: int
    wanted: int

    def __str__(self) -> str:
        missed = "any on time" if self.fault is FeedFault.LATE else "any"
        gap = f"after {self.lost_s:.1f} s without {missed}" if self.lost_s else "without a gap"
        moved = f"from {self.to_name} instead of {self.from_name}"
        where = f"from {self.to_name} again" if self.kind is MoveKind.RECONNECT else moved
        restored = f"{self.confirmed} of {self.wanted} contracts confirmed in {self.took_s:.1f} s"
        return f"Prices come {where}, {gap}; {restored}. {self.cause}"
