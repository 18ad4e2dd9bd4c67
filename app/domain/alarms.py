"""What is an alarm: something that a person has to know of at once, because no machine can put it right alone."""

from dataclasses import dataclass
from enum import StrEnum

INCOMPLETE_ALARM_S = 10.0
"""So long a run may be incomplete, in an open market, before that is an alarm."""

OPPOSITE_ALARM_S = 6.0
"""So long a foreign trade stands against what we hold before that is an alarm: two reads of the books agree on it."""

REFUSALS_ALARM = 2
"""So many exits refused in a row are an alarm, and no entry of the strategy is sent any more."""


class AlarmKind(StrEnum):
    """Stable: icons, tests and the API go by it."""

    NAKED = "naked"
    EXIT_UNKNOWN = "exit_unknown"
    EXIT_PARKED = "exit_parked"
    EXIT_UNSEEN = "exit_unseen"
    EXIT_RESTS = "exit_rests"
    EXIT_WAITS = "exit_waits"
    EXIT_LATE = "exit_late"
    EXIT_REFUSED = "exit_refused"
    LEG_KEPT = "leg_kept"
    IP_REFUSED = "ip_refused"
    ODD_LOT = "odd_lot"
    RUN_INCOMPLETE = "run_incomplete"
    OPPOSITE = "opposite"
    UNNAMED = "unnamed"


STOPS_STRATEGY = frozenset({AlarmKind.EXIT_REFUSED})
"""After these the strategy takes no entries: it could not get out of them."""

STOPS_ACCOUNT = frozenset({AlarmKind.IP_REFUSED})
"""After these the account takes no entries: its broker refuses everything."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is an alarm now. `leg` None: of the whole account. `newest` is the newest order that shows it."""

    kind: AlarmKind
    account_id: int
    leg: int | None
    sentence: str
    newest: int = 0

    @property
    def place(self) -> tuple[str, int, int | None]:
        """Findings of one place are one alarm, however long it lasts."""
        return self.kind.value, self.account_id, self.leg
