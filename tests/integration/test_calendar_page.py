"""The page Calendar: what the desk understands, and an admin who knows better; every word of theirs is written down."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.calendar import IST, Closed
from app.persistence.tables import ActivityLog, CalendarOverride
from tests.desk_app import bench
from tests.run_maker import read
from tests.whole_app import ADMIN, OWNER, Whole, whole_app

PAGE = "/trading/calendar"


@pytest.fixture
def whole(tmp_path: Path) -> Whole:
    return whole_app(tmp_path)


@pytest.fixture
def today(whole: Whole) -> date:
    return whole.desk.market_clock.now().astimezone(IST).date()


def form(day: date, **change: str) -> dict[str, str]:
    closed = {"day": day.isoformat(), "exchange": "NFO", "kind": "closed", "opens": "", "closes": "", "reason": "storm"}
    return {**closed, **change}


def kept(whole: Whole) -> list[tuple[str, str, int | None]]:
    with whole.database.reading() as session:
        rows = session.scalars(select(CalendarOverride).order_by(CalendarOverride.id))
        return [(f"{row.day}", row.exchange, row.opens_minute) for row in rows]


def said(whole: Whole) -> list[str]:
    with whole.database.reading() as session:
        wanted = select(ActivityLog.sentence).where(ActivityLog.action.like("calendar.%")).order_by(ActivityLog.id)
        return list(session.scalars(wanted))


def test_what_was_not_read_is_said_to_be_unknown_and_not_open(whole: Whole) -> None:
    text = read(whole.signed_in(ADMIN).get(PAGE).text)
    assert "Whether NFO and BFO trade today is not known." in text
    assert "Unknown is not open" in text
    assert "usually 09:15 to 15:40" in text
    assert "default weekdays" in text


def test_traders_look_and_have_nothing_to_change(whole: Whole, today: date) -> None:
    trader = whole.signed_in(OWNER)
    text = trader.get(PAGE).text
    assert "a circular" in read(text)
    assert "Set a day" not in text
    assert f'href="{PAGE}"' in trader.get("/").text
    assert trader.post(PAGE, form(today), page="/").status_code == 403
    assert len(kept(whole)) == 1


def test_an_admins_word_on_today_counts_at_once_and_is_written_down(whole: Whole, today: date) -> None:
    admin = whole.signed_in(ADMIN)
    assert admin.post(PAGE, form(today, exchange="both"), page=PAGE).status_code == 303
    whole.desk.hours.step()
    assert (whole.desk.hours.session("NFO"), whole.desk.hours.session("BFO")) == (Closed(), Closed())
    text = read(admin.get(PAGE).text)
    assert "It counts within a second." in text
    assert "asha set this: storm" in text
    assert "trade today is not known" not in text
    assert said(whole) == [
        f"Calendar: {name} on {today:%d %b %Y} is closed. storm" for name in ("NFO", "BFO")
    ]  # fmt: skip
    assert "Calendar set" in admin.get("/activity").text


def test_a_special_session_is_set_edited_and_removed(whole: Whole, today: date) -> None:
    admin, day = whole.signed_in(ADMIN), today + timedelta(days=3)
    evening = form(day, kind="hours", opens="18:00", closes="19:15")
    assert admin.post(PAGE, evening, page=PAGE).status_code == 303
    number = whole.desk.calendar_overrides.coming()[0].id
    page = admin.get(f"{PAGE}?change={number}").text
    assert 'value="18:00"' in page
    assert "Edit an override" in page
    later = {**evening, "opens": "18:15"}
    assert admin.post(f"{PAGE}/{number}/change", later, page=PAGE).status_code == 303
    assert kept(whole)[-1] == (f"{day}", "NFO", 18 * 60 + 15)
    assert admin.post(f"{PAGE}/{number}/remove", {}, page=PAGE).status_code == 303
    assert len(kept(whole)) == 1
    assert admin.post(f"{PAGE}/{number}/remove", {}, page=PAGE).status_code == 404
    date_words = f"NFO on {day:%d %b %Y}"
    assert said(whole) == [
        f"Calendar: {date_words} is 18:00 to 19:15. storm",
        f"Calendar: {date_words} is 18:15 to 19:15 (was {date_words}: 18:00 to 19:15). storm",
        f"Calendar: {date_words} is as a gateway says again; it was 18:15 to 19:15. storm",
    ]


def test_a_day_that_has_an_override_gets_no_second_one(whole: Whole, today: date) -> None:
    admin = whole.signed_in(ADMIN)
    taken = whole.desk.calendar_overrides.coming()[0].said.day
    answer = admin.post(PAGE, form(taken, exchange="both"), page=PAGE)
    assert (answer.status_code, "already. Edit or remove that one." in read(answer.text)) == (409, True)
    assert len(kept(whole)) == 1, "neither for the exchange that had none"
    assert admin.post(PAGE, form(today), page=PAGE).status_code == 303
    number = whole.desk.calendar_overrides.coming()[0].id
    moved = admin.post(f"{PAGE}/{number}/change", form(taken), page=PAGE)
    assert moved.status_code == 409


def test_what_makes_no_sense_is_shown_beside_its_field_and_changes_nothing(whole: Whole, today: date) -> None:
    admin = whole.signed_in(ADMIN)
    answer = admin.post(PAGE, form(today - timedelta(days=1)), page=PAGE)
    assert (answer.status_code, 'id="day-error"' in answer.text, "is over" in read(answer.text)) == (422, True, True)
    answer = admin.post(PAGE, form(today, kind="hours", opens="18:00", closes="18:05"), page=PAGE)
    assert (answer.status_code, 'id="closes-error"' in answer.text) == (422, True)
    assert admin.get(f"{PAGE}?change=999").status_code == 404
    assert admin.get(f"{PAGE}?change=x").status_code == 200
    assert len(kept(whole)) == 1


def test_either_database_keeps_what_was_said(tmp_path: Path, database_url: str) -> None:
    with bench(tmp_path, database_url) as desk:
        admin, overrides = desk.admin(), desk.desk.calendar_overrides
        day = desk.clock.now().date() + timedelta(days=2)
        assert admin.post(PAGE, form(day, exchange="both"), page=PAGE).status_code == 303
        assert admin.post(PAGE, form(day), page=PAGE).status_code == 409
        assert [each.said.exchange for each in overrides.coming()] == ["NFO", "BFO"]
        number = overrides.coming()[0].id
        evening = form(day, kind="hours", opens="18:00", closes="19:15")
        assert admin.post(f"{PAGE}/{number}/change", evening, page=PAGE).status_code == 303
        assert overrides.of(day)["NFO"].words == "18:00 to 19:15"
        assert admin.post(f"{PAGE}/{number}/remove", {}, page=PAGE).status_code == 303
        assert [each.said.exchange for each in overrides.coming()] == ["BFO"]


def test_an_override_survives_a_restart(whole: Whole) -> None:
    again = whole.desk.calendar_overrides.coming()
    assert [(each.said.exchange, each.said.words) for each in again] == [("NFO", "closed")]
