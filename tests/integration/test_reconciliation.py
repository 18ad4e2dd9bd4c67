"""The page of the reconciler: each pair of positions by its word, and an account nobody could read never as flat."""

import html
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.books import BrokerPosition
from app.domain.money import Units
from app.persistence.tables import ActivityLog, CommandRow, Position
from app.ports.gateway import TimedOut
from tests.desk_app import CE, MONDAY_1030, Bench, bench
from tests.integration.test_books import FOREIGN, fill_of, intent_of, run_of, viewer


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


def test_what_the_broker_has_stands_beside_what_our_fills_say(desk: Bench) -> None:
    account_id, gateway = desk.account()
    ids = run_of(desk, account_id)
    fill_of(desk, intent_of(desk, ids, account_id, "FILLED", "900"), ids[1], 130, "52.00")
    gateway.positions = [
        BrokerPosition(CE, "MIS", Units(-65), None, None, None),
        BrokerPosition(FOREIGN, "NRML", Units(30), None, None, None),
    ]
    book = desk.desk.reconciliation.lines(viewer(desk))
    told = [(row.agreement, row.ours, row.broker, row.difference, row.run_id) for row in book.rows]
    assert told == [("short", -130, -65, 65, ids[0]), ("foreign", 0, 30, 30, None)]
    assert "65 units less" in desk.admin().get("/trading/reconciliation").text
    answer: Any = desk.admin().get("/api/reconciliation").json
    assert [(row["agreement"], row["broker"]) for row in answer["rows"]] == [("short", -65), ("foreign", 30)]
    assert answer["accounts"][0]["read"] is True


def test_an_account_that_cannot_be_read_is_unread_and_never_flat(desk: Bench) -> None:
    account_id, gateway = desk.account()
    ids = run_of(desk, account_id)
    fill_of(desk, intent_of(desk, ids, account_id, "FILLED", "900"), ids[1], 130, "52.00")
    gateway.broken = TimedOut("no book")
    (row,) = desk.desk.reconciliation.lines(viewer(desk)).rows
    assert (row.agreement, row.ours, row.broker, row.age_s) == ("unread", -130, None, None)
    assert "not read" in desk.admin().get("/trading/reconciliation").text


def test_what_our_fills_have_and_the_broker_does_not_list_is_missing(desk: Bench) -> None:
    account_id, gateway = desk.account()
    ids = run_of(desk, account_id)
    fill_of(desk, intent_of(desk, ids, account_id, "FILLED", "900"), ids[1], 130, "52.00")
    gateway.positions = []
    (row,) = desk.desk.reconciliation.lines(viewer(desk)).rows
    assert (row.agreement, row.broker) == ("missing", 0)


def somebodys(units: int = -130, average: str | None = "101.3333333") -> list[BrokerPosition]:
    return [BrokerPosition(CE, "MIS", Units(units), None if average is None else Decimal(average), None, None)]


def place(account_id: int, **more: str) -> dict[str, str]:
    return {"account_id": str(account_id), "exchange": CE.exchange, "symbol": CE.symbol, "product": "MIS", **more}


def test_a_foreign_position_is_offered_as_it_is_with_the_brokers_average(desk: Bench) -> None:
    account_id, gateway = desk.account()
    gateway.positions = somebodys()
    (row,) = desk.desk.reconciliation.lines(viewer(desk)).rows
    assert (row.agreement, row.foreign, row.average, row.adopt_no) == ("foreign", -130, Decimal("101.3333"), None)
    page = desk.admin().get("/trading/reconciliation").text
    assert "Adopt short 2 lots (130) NIFTY 01 DEC 26 26,400 CE" in page
    assert 'name="average" value="101.3333"' in page
    assert 'name="side" value="short"' in page
    assert account_id


@pytest.mark.parametrize(
    ("positions", "no"),
    [
        ([BrokerPosition(FOREIGN, "NRML", Units(30), None, None, None)], "not in today's list"),
        ([BrokerPosition(None, "NRML", Units(30), None, None, None)], "cannot name"),
        ([BrokerPosition(CE, "CNC", Units(65), None, None, None)], "CNC is not a product"),
        (somebodys(-100), "no whole lots of 65"),
    ],
)
def test_what_cannot_be_adopted_says_why_and_offers_no_button(
    desk: Bench, positions: list[BrokerPosition], no: str
) -> None:
    _, gateway = desk.account()
    gateway.positions = positions
    page = desk.admin().get("/trading/reconciliation").text
    assert no in html.unescape(page)
    assert "Adopt " not in page


def test_where_the_broker_gives_no_average_it_is_asked_for(desk: Bench) -> None:
    _, gateway = desk.account()
    gateway.positions = somebodys(average=None)
    page = desk.admin().get("/trading/reconciliation").text
    assert "Average that these units were opened at" in page
    assert 'name="average" value' not in page


def test_an_ask_is_stored_once_for_the_engine_and_told_on_the_page(desk: Bench) -> None:
    account_id, gateway = desk.account()
    gateway.positions = somebodys()
    form = place(account_id, side="short", units="130", average="101.3333", idempotency_key="adopt-0001")
    admin = desk.admin()
    for _ in range(2):
        assert admin.post("/trading/reconciliation/adopt", form).status_code == 303
    with desk.database.reading() as session:
        (command,) = session.query(CommandRow).all()
        assert (command.kind, command.state, command.run_id) == ("ADOPT", "ASKED", None)
        assert (command.payload["units"], command.payload["average"], command.payload["by"]) == (
            -130,
            "101.3333",
            "asha",
        )
    page = admin.get("/trading/reconciliation").text
    assert "asha asked to adopt -130 NIFTY 01 DEC 26 26,400 CE in Zerodha 1" in page
    assert "being adopted" in page
    assert "Adopt short" not in html.unescape(page).split("<dialog")[0], "no button for what is asked already"
    with desk.database.transaction() as session:
        row = session.query(CommandRow).one()
        row.state, row.answer = "REFUSED", "ADOPT_CHANGED: There are -65 now."
    assert "Not adopted: -130" in admin.get("/trading/reconciliation").text
    told: Any = admin.get("/api/reconciliation").json
    assert told["adoptions"][0]["sentence"] == "ADOPT_CHANGED: There are -65 now."
    assert desk.trader().get("/api/reconciliation").json == {"rows": [], "accounts": [], "adoptions": []}
    changed = {**form, "units": "65"}
    assert admin.post("/api/reconciliation/adopt", changed).status_code == 409, "the key stands for something else"


def test_an_ignored_position_is_quiet_until_its_units_change_and_can_be_taken_back(desk: Bench) -> None:
    account_id, gateway = desk.account()
    gateway.positions = somebodys()
    admin = desk.admin()

    def ignored_by() -> str | None:
        (row,) = desk.desk.reconciliation.lines(viewer(desk)).rows
        assert row.agreement == "foreign", "it is shown all the same"
        return row.ignored_by

    for _ in range(2):
        admin.post("/trading/reconciliation/ignore", place(account_id, side="short", units="130"))
    assert ignored_by() == "asha"
    page = admin.get("/trading/reconciliation").text
    assert "Ignored by asha, as long as it is -130." in page
    assert "row-warn" not in page
    for units in (-65, 130, -195):
        gateway.positions = somebodys(units)
        assert ignored_by() is None, units
    gateway.positions = somebodys()
    admin.post("/trading/reconciliation/unignore", place(account_id))
    assert ignored_by() is None
    assert admin.post("/api/reconciliation/unignore", place(account_id)).status_code == 409
    with desk.database.reading() as session:
        said = [row.action for row in session.query(ActivityLog).all() if row.action.startswith("position.")]
    assert said == ["position.ignore", "position.unignore"]


@pytest.mark.parametrize(("shown", "why"), [("65", "there are -130 now"), ("195", "there are -130 now")])
def test_only_what_is_there_is_ignored(desk: Bench, shown: str, why: str) -> None:
    account_id, gateway = desk.account()
    gateway.positions = somebodys()
    answer = desk.admin().post("/api/reconciliation/ignore", place(account_id, side="short", units=shown))
    told: Any = answer.json
    assert (answer.status_code, why in told["detail"]) == (409, True)
    gateway.broken = TimedOut("no book")
    answer = desk.admin().post("/api/reconciliation/ignore", place(account_id, side="short", units="130"))
    assert answer.status_code == 503


def test_what_is_beyond_ours_is_foreign_and_its_average_is_for_its_trader_to_say(desk: Bench) -> None:
    account_id, gateway = desk.account()
    ids = run_of(desk, account_id)
    fill_of(desk, intent_of(desk, ids, account_id, "FILLED", "900"), ids[1], 130, "52.00")
    gateway.positions = somebodys(-195)
    (row,) = desk.desk.reconciliation.lines(viewer(desk)).rows
    assert (row.agreement, row.ours, row.foreign, row.average, row.adopt_no) == ("over", -130, -65, None, None)


def test_while_an_order_of_ours_is_open_nothing_there_can_be_adopted(desk: Bench) -> None:
    account_id, gateway = desk.account()
    ids = run_of(desk, account_id)
    intent_of(desk, ids, account_id, "UNKNOWN")
    gateway.positions = somebodys(-65)
    (row,) = desk.desk.reconciliation.lines(viewer(desk)).rows
    assert row.foreign == -65
    assert "under way" in (row.adopt_no or "")


def test_other_pages_say_what_is_foreign_until_it_is_ours_or_ignored(desk: Bench) -> None:
    account_id, gateway = desk.account()
    gateway.positions = somebodys()
    admin = desk.admin()

    def told() -> list[bool]:
        return ["1 foreign position" in admin.get(path).text for path in ("/", f"/accounts/{account_id}")]

    assert told() == [False, False]
    with desk.database.transaction() as session:
        session.add(
            Position(
                account_id=account_id, exchange=CE.exchange, symbol=CE.symbol, product="MIS", net=-130,
                seen_at=MONDAY_1030,
            )
        )  # fmt: skip
    assert told() == [True, True]
    for path in ("/", f"/accounts/{account_id}"):
        assert 'href="/trading/reconciliation"' in admin.get(path).text
    admin.post("/trading/reconciliation/ignore", place(account_id, side="short", units="130"))
    assert told() == [False, False]
    admin.post("/trading/reconciliation/unignore", place(account_id))
    ids = run_of(desk, account_id)
    fill_of(desk, intent_of(desk, ids, account_id, "FILLED", "900"), ids[1], 130, "52.00")
    desk.desk.run_board.changed(ids[0])
    assert told() == [False, False]
