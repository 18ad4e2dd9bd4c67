"""Candles of a process that leads, shown by one that does not."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.candles import Ohlc
from app.domain.errors import InvalidInput
from app.persistence.database import Database
from app.services.candle_series import Subject
from app.services.news_follower import LOOKED_AT_FOR_S
from app.services.shown_candles import ASKED as CANDLES_ASKED
from app.services.told_market import MOST_TOLD
from tests.empty_database import empty_database
from tests.unit.services.market_fakes import MONDAY_1030, option
from tests.unit.services.test_chain_figures import CALL, Quoted
from tests.unit.services.test_news_follower import Pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    engine = empty_database(f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    made = Pair(Quoted(), Database(engine))
    made.pass_()
    yield made
    engine.dispose()


PREMIUM = Subject(((CALL, 1.0), (option(25_100).key, -2.0)))


def test_candles_are_asked_for_made_there_and_told_with_what_they_lack(pair: Pair) -> None:
    first = pair.follower.candles.view(PREMIUM, 5, of_closes=True)
    assert (first.candles, first.trouble) == ((), CANDLES_ASKED)
    pair.pass_(1.0)
    told = pair.follower.candles.view(PREMIUM, 5, of_closes=True)
    assert (told.subject, told.size, told.note, told.trouble) == (PREMIUM, 5, "of closes", "")
    assert len(told.candles) == MOST_TOLD, "the newest alone"
    assert told.candles[-1].opens == MONDAY_1030 + timedelta(minutes=5 * MOST_TOLD)
    assert told.candles[-1].prices == Ohlc(1.0, 3.0, -0.5, 2.0)
    assert told.gaps == ((MONDAY_1030, MONDAY_1030 + timedelta(minutes=1)),)


def test_candles_are_told_while_somebody_looks_and_grow_old_where_nothing_comes(pair: Pair) -> None:
    pair.follower.candles.view(PREMIUM, 1)
    pair.pass_(1.0)
    asked = pair.leader.candles.asked
    pair.pass_(LOOKED_AT_FOR_S + 0.1)
    pair.pass_(2.0)
    assert pair.leader.candles.asked == asked, "nobody looks any more"
    assert "told this 22 s ago and nothing since" in pair.follower.candles.view(PREMIUM, 1).trouble


def test_candles_of_a_size_that_is_not_offered_are_refused_here(pair: Pair) -> None:
    with pytest.raises(InvalidInput, match="none of these"):
        pair.follower.candles.view(PREMIUM, 2)


def test_whoever_leads_shows_its_own_candles(pair: Pair) -> None:
    pair.follower.leads = True
    assert pair.follower.candles.view(PREMIUM, 1) is None, "what its own store says"
