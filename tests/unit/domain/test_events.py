"""Events carry aware UTC moments and cannot be changed."""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest

from app.domain.calendar import IST
from app.domain.events import Event, FeedFailedOver

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def test_an_event_is_frozen_and_equal_by_what_it_says() -> None:
    event = FeedFailedOver(event_id="e1", at=NOW, from_account_id=1, to_account_id=None, reason="No ticks for 10 s.")
    assert event == FeedFailedOver(event_id="e1", at=NOW, from_account_id=1, to_account_id=None, reason=event.reason)
    with pytest.raises(FrozenInstanceError):
        event.reason = "other"  # type: ignore[misc]


@pytest.mark.parametrize("at", [NOW.replace(tzinfo=None), NOW.astimezone(IST)])
def test_only_utc_moments(at: datetime) -> None:
    with pytest.raises(ValueError, match="aware UTC"):
        Event(event_id="e1", at=at)
