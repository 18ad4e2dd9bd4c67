"""What the tables promise on both databases: exact money, aware times, and rows that cannot be there twice."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.exc import IntegrityError, StatementError

from app.persistence.database import Database, Table, prepare_sqlite
from app.persistence.tables import (
    ActivityLog,
    CommandRow,
    FillRow,
    Intent,
    Order,
    Position,
    Preview,
    RiskEvent,
    Run,
    Strategy,
    StrategyAccount,
    StrategyExecution,
    StrategyLeg,
    TradingAccount,
    User,
)

NOW = datetime(2026, 11, 23, 5, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    engine = create_engine(database_url)
    prepare_sqlite(engine)
    Table.metadata.drop_all(engine)
    Table.metadata.create_all(engine)
    yield Database(engine)
    engine.dispose()


def add(database: Database, *rows: Table) -> None:
    for row in rows:
        with database.transaction() as session:
            session.add(row)


def user(name: str = "asha") -> User:
    return User(username=name, password_hash="$argon2id$", role="admin", created_at=NOW)


def account(name: str = "Zerodha 1", **changes: Any) -> TradingAccount:
    row: dict[str, Any] = {
        "owner_id": 1, "name": name, "broker": "zerodha", "host_url": "http://a:1", "websocket_url": "ws://a:2",
        "locked_key": "kid:x", "expected_mode": "live", "state": "ACTIVE", "feed_rank": 0, "created_at": NOW,
    }  # fmt: skip
    return TradingAccount(**(row | changes))


def strategy(name: str = "Straddle", **changes: Any) -> Strategy:
    row: dict[str, Any] = {"owner_id": 1, "name": name, "structures": 1, "created_at": NOW, "changed_at": NOW}
    return Strategy(**(row | changes))


def preview() -> Preview:
    return Preview(strategy_id=1, user_id=1, made_at=NOW, expires_at=NOW + timedelta(seconds=60), digest="d", plan="{}")


def run(**changes: Any) -> Run:
    row: dict[str, Any] = {
        "strategy_id": 1, "preview_id": 1, "user_id": 1, "name": "Straddle", "mode": "live", "state": "REQUESTED",
        "requested_at": NOW,
    }  # fmt: skip
    return Run(**(row | changes))


def execution(**changes: Any) -> StrategyExecution:
    row: dict[str, Any] = {
        "run_id": 1, "account_id": 1, "leg": 1, "underlying": "NIFTY", "exchange": "NFO", "symbol": "S", "kind": "CE",
        "expiry": "2026-12-01", "strike": Decimal(26400), "side": "SELL", "product": "MIS", "lots": 2, "units": 130,
        "lot_size": 65, "tick": Decimal("0.05"), "freeze": 1800,
    }  # fmt: skip
    return StrategyExecution(**(row | changes))


def intent(**changes: Any) -> Intent:
    row: dict[str, Any] = {
        "execution_id": 1, "run_id": 1, "account_id": 1, "purpose": "EXIT", "generation": 1, "slice": 0,
        "exchange": "NFO", "symbol": "S", "product": "MIS", "side": "BUY", "units": 130,
        "limit_price": Decimal("51.75"), "worst_price": Decimal("53.0001"), "state": "READY", "created_at": NOW,
    }  # fmt: skip
    return Intent(**(row | changes))


@pytest.fixture
def traded(database: Database) -> Database:
    """One run with one execution and one intent."""
    add(database, user(), account(), strategy(), preview(), run(), execution(), intent())
    return database


def test_money_comes_back_to_the_paisa_and_prices_to_four_places(traded: Database) -> None:
    add(traded, strategy("Rich", max_loss=Decimal("90000000000.01"), max_profit=Decimal("0.01")))
    with traded.reading() as session:
        rich = session.scalars(select(Strategy).where(Strategy.name == "Rich")).one()
        order = session.scalars(select(Intent)).one()
    assert (rich.max_loss, rich.max_profit) == (Decimal("90000000000.01"), Decimal("0.01"))
    assert (order.limit_price, order.worst_price) == (Decimal("51.75"), Decimal("53.0001"))
    assert order.answered_at is None


def test_money_that_would_be_rounded_is_refused(database: Database) -> None:
    add(database, user())
    with pytest.raises(StatementError, match="more than 2 decimal places"):
        add(database, strategy(max_loss=Decimal("0.001")))


def test_moments_come_back_aware_and_in_utc(database: Database) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    add(database, User(username="asha", password_hash="-", role="admin", created_at=NOW.astimezone(india)))
    with database.reading() as session:
        made = session.scalars(select(User.created_at)).one()
    assert made == NOW
    assert made.utcoffset() == timedelta(0)
    with pytest.raises(StatementError, match="without a time zone"):
        add(database, User(username="ravi", password_hash="-", role="admin", created_at=NOW.replace(tzinfo=None)))


def test_names_of_any_script_come_back_as_they_were(database: Database) -> None:
    add(database, user())
    for number, name in enumerate(["O'Brien & <b>", "حساب", "📈 चाचा", "x" * 100]):
        add(database, account(name, feed_rank=number))
    with database.reading() as session:
        names = session.scalars(select(TradingAccount.name).order_by(TradingAccount.id)).all()
    assert list(names) == ["O'Brien & <b>", "حساب", "📈 चाचा", "x" * 100]


def test_what_must_not_be_there_twice_cannot_be(traded: Database) -> None:
    order: dict[str, Any] = {
        "account_id": 1, "trading_date": date(2026, 11, 23), "order_id": "900", "side": "BUY", "units": 130,
        "product": "MIS", "price_type": "LIMIT", "price": Decimal(50), "status": "open", "filled": 0, "placed_at": "",
        "seen_at": NOW,
    }  # fmt: skip
    command: dict[str, Any] = {
        "user_id": 1,
        "key": "k" * 32,
        "kind": "START",
        "payload": {},
        "state": "ASKED",
        "asked_at": NOW,
    }
    fill: dict[str, Any] = {
        "intent_id": 1, "execution_id": 1, "order_id": "900", "traded_at": "10:00:01", "ordinal": 1, "side": "BUY",
        "units": 65, "price": Decimal(50), "at": NOW,
    }  # fmt: skip
    risk: dict[str, Any] = {
        "run_id": 1, "at": NOW, "rule": "max_loss", "threshold": Decimal(-1), "value": Decimal(-2), "prices": {},
        "action": "exit",
    }  # fmt: skip
    position: dict[str, Any] = {
        "account_id": 1, "exchange": "NFO", "symbol": "S", "product": "MIS", "net": -130, "seen_at": NOW,
    }  # fmt: skip
    add(traded, Order(**order), CommandRow(**command), FillRow(**fill), RiskEvent(**risk), Position(**position))
    add(traded, StrategyLeg(strategy_id=1, number=1, underlying="NIFTY", kind="FUT", expiry="current_week", side="BUY",
                            ratio=1, product="MIS"))  # fmt: skip
    twice: list[Table] = [
        user(),
        account(),
        strategy(),
        run(),  # two clicks on Send are one run
        execution(),
        intent(),  # four triggers in one millisecond are one exit
        Order(**order),
        CommandRow(**command),
        FillRow(**fill),
        RiskEvent(**risk),
        Position(**position),
        StrategyLeg(strategy_id=1, number=1, underlying="NIFTY", kind="FUT", expiry="current_week", side="SELL",
                    ratio=1, product="MIS"),
    ]  # fmt: skip
    for row in twice:
        with pytest.raises(IntegrityError):
            add(traded, row)


def test_one_broker_order_belongs_to_one_intent(traded: Database) -> None:
    day = date(2026, 11, 23)
    add(traded, intent(generation=2, order_id="900", trading_date=day))
    with pytest.raises(IntegrityError):
        add(traded, intent(generation=3, order_id="900", trading_date=day))
    add(traded, intent(generation=4, order_id="900", trading_date=day + timedelta(days=1)))


@pytest.mark.parametrize(
    "row",
    [
        intent(generation=9, units=0),
        intent(generation=9, units=-65),
        execution(leg=9, units=131),
        strategy("None", structures=0),
        StrategyLeg(strategy_id=1, number=7, underlying="NIFTY", kind="CE", expiry="current_week", side="BUY", ratio=0,
                    product="MIS"),
    ],
)  # fmt: skip
def test_sizes_that_cannot_be_are_refused(traded: Database, row: Table) -> None:
    with pytest.raises(IntegrityError):
        add(traded, _copy(row))


@pytest.mark.parametrize(
    "row",
    [
        account(owner_id=99),
        run(preview_id=99),
        execution(run_id=99),
        execution(account_id=99, leg=3),
        intent(execution_id=99, generation=9),
        StrategyAccount(strategy_id=1, account_id=99, multiplier=Decimal(1)),
    ],
)
def test_nothing_points_at_what_is_not_there(traded: Database, row: Table) -> None:
    with pytest.raises(IntegrityError):
        add(traded, _copy(row))


def test_an_account_with_a_record_cannot_be_deleted(traded: Database) -> None:
    """Archive, never delete: the record of what was traded stays."""
    with pytest.raises(IntegrityError), traded.transaction() as session:
        session.delete(session.get_one(TradingAccount, 1))


def test_a_transaction_is_all_or_nothing(traded: Database) -> None:
    def half() -> None:
        with traded.transaction() as session:
            session.add(ActivityLog(at=NOW, actor="engine", action="x", subject="y", sentence="z"))
            session.flush()
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        half()
    with traded.reading() as session:
        assert session.scalars(select(ActivityLog)).all() == []


def test_what_a_reading_session_changed_is_gone(traded: Database) -> None:
    with traded.reading() as session:
        session.get_one(Run, 1).state = "OPEN"
        session.flush()
    with traded.reading() as session:
        assert session.get_one(Run, 1).state == "REQUESTED"


def _copy(row: Any) -> Any:
    """A row for this database: a parameter is shared by both."""
    return type(row)(**{c.key: v for c in row.__table__.columns if (v := getattr(row, c.key)) is not None})
