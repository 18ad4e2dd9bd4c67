"""What the run page is given: raw numbers and words; None is unknown and never 0."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class LineView:
    """What an exit sends in one account, in words."""

    account: str
    text: str


@dataclass(frozen=True, slots=True)
class ExitView:
    """The exact consequence of an exit as things stand."""

    cancels: int
    closes: int
    accounts: int
    lots: int
    units: int
    lines: list[LineView]
    warnings: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LegView:
    """A leg over all accounts."""

    id: int
    number: int
    side: str
    contract: str
    ltp: Decimal | None
    age_s: float | None
    can_exit: bool
    exit: ExitView


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """One leg in one account."""

    state: str
    filled_lots: int | None
    wanted_lots: int
    filled_units: int | None
    average: Decimal | None
    age_s: float | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """One account's part. `cells` stand in the order of the legs."""

    id: int
    name: str
    mode: str
    state: str
    reason: str | None
    mtm: Decimal | None
    can_exit: bool
    exit: ExitView
    cells: list[CellView | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """A rule of the run: `armed`, `fired` or `off`. `used_pct` is 0..100."""

    key: str
    name: str
    state: str
    threshold: Decimal
    distance: Decimal | None
    used_pct: int | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """One intent, and what became of it."""

    at: datetime
    account: str
    side: str
    contract: str
    purpose: str
    lots: int
    units: int
    filled_units: int
    price: Decimal | None
    average: Decimal | None
    state: str
    broker_id: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class EventView:
    at: datetime
    tone: str
    title: str
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPageView:
    """The whole run. `marks`: fresh, stale or incomplete; `curve` is None until it is kept."""

    id: int
    strategy_id: int
    strategy_name: str
    state: str
    mode: str | None
    underlying: str
    expiry: date | None
    started_at: datetime | None
    ended_at: datetime | None
    as_of: datetime
    mtm: Decimal | None
    realised: Decimal | None
    unrealised: Decimal | None
    marks: str
    marks_note: str | None
    lots: int
    units: int
    accounts_total: int
    accounts_ok: int
    unknown_count: int
    can_exit: bool
    exit: ExitView
    legs: list[LegView]
    accounts: list[AccountView]
    rules: list[RuleView]
    orders: list[OrderView]
    events: list[EventView]
    curve: None
