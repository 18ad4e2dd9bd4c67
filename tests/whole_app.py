"""The real application on a database with people and things that belong to them; nothing of it is started."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import create_app
from app.bootstrap import Runtime, runtime_of
from app.persistence.database import Database, Table
from app.persistence.tables import (
    AccountGroup,
    AccountTariff,
    ActivityLog,
    CalendarOverride,
    DayLock,
    FillRow,
    GroupMember,
    Intent,
    MarketRuleRow,
    Order,
    Position,
    Preview,
    Run,
    RunEvent,
    StrategyExecution,
    TradingAccount,
)
from app.services.previews import freeze
from app.services.strategies import SavedStrategy
from app.web.desk import EXTENSION, Desk
from app.web.signed_in import SignedIn
from config import testing_settings
from tests.desk_app import PASSWORD, TOKEN, Browser
from tests.empty_database import never_wait_for_the_disk, put_tables
from tests.trading_desk import CE, LEGS, WEEK, account_plan, plan_for, straddle

ADMIN, OWNER, STRANGER = "asha", "ravi", "mira"
NAMES = {
    "account": "Ravi account at Zerodha",
    "strategy": "Ravi strategy of Mondays",
    "template": "Ravi template of Fridays",
    "order": "order-of-ravi-77",
    "event": "Ravi sold a call",
    "log": "Ravi did something",
    "group": "Ravi group of brothers",
    "username": OWNER,
}
"""Words that stand on pages of the owner and of admins, and on nobody else's."""

KEY = "canary-api-key-of-ravi-5d41402abc4b"

Snapshot = dict[str, list[tuple[object, ...]]]


@dataclass
class Whole:
    """An application with an admin, a trader who owns one thing of each kind, and a trader who owns nothing.

    `override_day` is a date that may be overridden.
    `ids` maps the arguments of addresses to the owner's things: `account_id`, `strategy_id`, `preview_id`, `run_id`.
    """

    app: Flask
    ids: dict[str, int]
    digest: str = ""
    override_day: str = ""
    _seats: dict[str, tuple[Browser, str]] = field(default_factory=dict)

    @property
    def runtime(self) -> Runtime:
        return runtime_of(self.app)

    @property
    def desk(self) -> Desk:
        found: Desk = self.app.extensions[EXTENSION]
        return found

    @property
    def database(self) -> Database:
        return self.desk.database

    def stranger(self) -> Browser:
        """Somebody who is not signed in."""
        return Browser(self.app.test_client())

    def signed_in(self, name: str) -> Browser:
        browser = self.stranger()
        answer = browser.sign_in(name)
        assert answer.status_code == 303, answer.text
        return browser

    def seat(self, name: str | None, page: str) -> tuple[Browser, str]:
        """A browser and a form token. A person signs in once and has the same again; who is nobody gets new ones."""
        if name is None:
            browser = self.stranger()
            return browser, browser.token(page)
        if name not in self._seats:
            browser = self.signed_in(name)
            self._seats[name] = browser, browser.token("/strategies/new")
        return self._seats[name]

    def rows(self) -> Snapshot:
        """Every row of every table, as SQLite has it: this is asked thousands of times."""
        connection = self.database.engine.raw_connection()
        try:
            cursor = connection.cursor()
            return {name: cursor.execute(sql).fetchall() for name, sql in _every_row().items()}
        finally:
            connection.close()


@cache
def _every_row() -> dict[str, str]:
    """What reads each table in the order of its key."""
    key = {table.name: ", ".join(column.name for column in table.primary_key) for table in Table.metadata.sorted_tables}
    return {name: f"SELECT * FROM {name} ORDER BY {columns}" for name, columns in key.items()}


def whole_app(folder: Path, *, people: bool = True) -> Whole:
    """`people=False` leaves it as it is before the first visit."""
    url = f"sqlite:///{folder / 'desk.sqlite3'}"
    put_tables(url)
    app = create_app(testing_settings().with_(database_url=url))
    whole = Whole(app, {})
    never_wait_for_the_disk(whole.database.engine)
    if people:
        whole.desk.people.register_first(TOKEN, ADMIN, PASSWORD)
        owner = whole.desk.people.create(OWNER, PASSWORD, "trader").id
        whole.desk.people.create(STRANGER, PASSWORD, "trader")
        with whole.database.transaction() as session:
            account = _account(whole, session, owner)
            _group(whole, session, owner)
            _override(whole, session)
        _trade(whole, owner, account)
    return whole


def _account(whole: Whole, session: Session, owner: int) -> int:
    account = TradingAccount(
        owner_id=owner,
        name=NAMES["account"],
        broker="simulator",
        host_url="http://127.0.0.1:1",  # nothing listens there
        websocket_url="ws://127.0.0.1:1",
        locked_key="",
        expected_mode="live",
        state="ACTIVE",
        feed_rank=0,
        created_at=whole.desk.clock.now(),
    )
    session.add(account)
    session.flush()
    account.locked_key = whole.runtime.ground.vault.lock(KEY, owner=f"account:{account.id}")
    whole.ids["account_id"] = account.id
    return account.id


def _group(whole: Whole, session: Session, owner: int) -> None:
    now = whole.desk.clock.now()
    row = AccountGroup(owner_id=owner, name=NAMES["group"], created_at=now, changed_at=now)
    row.members = [GroupMember(account_id=whole.ids["account_id"])]
    session.add(row)
    session.flush()
    whole.ids["group_id"] = row.id


def _override(whole: Whole, session: Session) -> None:
    """An admin's word on a day that is still to come."""
    day = whole.desk.clock.now().date() + timedelta(days=30)
    whole.override_day = (day + timedelta(days=1)).isoformat()  # one that has none yet
    row = CalendarOverride(
        day=day,
        exchange="NFO",
        reason="a circular",
        user_id=1,
        actor=ADMIN,
        at=whole.desk.clock.now(),
    )
    session.add(row)
    session.flush()
    whole.ids["override_id"] = row.id
    rule = MarketRuleRow(
        kind="gst", underlying=None, value=Decimal(18), valid_from=date(2030, 1, 1), source="a law to come"
    )
    session.add(rule)
    session.flush()
    whole.ids["rule_id"] = rule.id
    tariff = AccountTariff(
        account_id=whole.ids["account_id"], valid_from=date(2030, 1, 1), flat=Decimal(20), user_id=1, actor=ADMIN,
        at=whole.desk.clock.now(),
    )  # fmt: skip
    session.add(tariff)
    session.flush()
    whole.ids["tariff_id"] = tariff.id
    lock = DayLock(
        account_id=whole.ids["account_id"], trading_date=date(2026, 11, 20), rule="day_loss", threshold=Decimal(5000),
        value=Decimal(-5001), leaves=False, prices={}, sentence="Day loss reached.", at=whole.desk.clock.now(),
        ended_at=whole.desk.clock.now(),
    )  # fmt: skip
    session.add(lock)
    session.flush()
    whole.ids["lock_id"] = lock.id


def _trade(whole: Whole, owner: int, account: int) -> None:
    spec = straddle(NAMES["strategy"])
    strategy = whole.desk.strategies.save(spec, {account: Decimal(1)}, user_id=owner, username=OWNER)
    saved: SavedStrategy = whole.desk.strategies.one(strategy, owner)
    keeper = SignedIn(owner, OWNER, "trader", "")
    whole.ids["template_id"] = whole.desk.templates.keep(saved.spec, NAMES["template"], keeper)
    text, whole.digest = freeze(plan_for(saved, (account_plan(account, NAMES["account"]),)))
    now = whole.desk.clock.now()
    later = now + timedelta(hours=1)
    with whole.database.transaction() as session:
        previews = [
            Preview(strategy_id=strategy, user_id=owner, made_at=now, expires_at=later, digest=whole.digest, plan=text)
            for _ in range(2)
        ]
        session.add_all(previews)
        session.flush()
        run = Run(
            strategy_id=strategy,
            preview_id=previews[0].id,
            user_id=owner,
            name=NAMES["strategy"],
            mode="live",
            state="OPEN",
            requested_at=now,
            started_at=now,
        )
        session.add(run)
        session.flush()
        whole.ids |= {"strategy_id": strategy, "run_id": run.id, "preview_id": previews[1].id}
        session.add_all(_of_the_run(whole, run.id, account, owner))


def _of_the_run(whole: Whole, run_id: int, account: int, owner: int) -> list[Table]:
    now = whole.desk.clock.now()
    execution = StrategyExecution(
        run_id=run_id,
        account_id=account,
        leg=1,
        underlying="NIFTY",
        exchange="NFO",
        symbol=CE.key.symbol,
        kind="CE",
        expiry=WEEK.isoformat(),
        strike=CE.strike,
        side=LEGS[0].side.value,
        product="MIS",
        lots=1,
        units=65,
        lot_size=65,
        tick=Decimal("0.05"),
        freeze=1800,
    )
    order = Order(
        account_id=account,
        trading_date=now.date(),
        order_id=NAMES["order"],
        side="SELL",
        units=65,
        product="MIS",
        price_type="LIMIT",
        price=Decimal(100),
        status="COMPLETE",
        filled=65,
        placed_at="09:20:00",
        seen_at=now,
    )
    position = Position(account_id=account, exchange="NFO", symbol=CE.key.symbol, product="MIS", net=-65, seen_at=now)
    event = RunEvent(run_id=run_id, account_id=account, at=now, kind="attention", sentence=NAMES["event"])
    log = ActivityLog(
        at=now,
        user_id=owner,
        actor=OWNER,
        action="run.start",
        subject=f"run:{run_id}",
        sentence=NAMES["log"],
        detail={},
    )
    return [execution, order, position, event, log]


def add_fill(whole: Whole) -> None:
    """A fill of today in the owner's run."""
    now = whole.desk.clock.now()
    with whole.database.transaction() as session:
        execution = session.scalars(select(StrategyExecution)).one()
        intent = Intent(
            execution_id=execution.id,
            run_id=execution.run_id,
            account_id=execution.account_id,
            purpose="ENTRY",
            generation=1,
            slice=1,
            exchange=execution.exchange,
            symbol=execution.symbol,
            product="MIS",
            side="SELL",
            units=65,
            state="FILLED",
            created_at=now,
        )
        session.add(intent)
        session.flush()
        fill = FillRow(
            intent_id=intent.id,
            execution_id=execution.id,
            order_id=NAMES["order"],
            traded_at="09:20:01",
            ordinal=1,
            side="SELL",
            units=65,
            price=Decimal(100),
            at=now,
        )
        session.add(fill)
