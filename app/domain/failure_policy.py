"""What a trader wants to happen when a leg cannot be had: in its own account, and in the others of the run."""

from dataclasses import dataclass
from enum import StrEnum

MOST_RETRIES = 5


class LegPolicy(StrEnum):
    """What an account does when one of its legs fails.

    UNWIND  closes what it has, shorts first. RETRY: sends what was rejected again, then unwinds. KEEP: holds what it
    has, sends nothing that was not begun, and alerts.
    """

    UNWIND = "unwind"
    RETRY = "retry"
    KEEP = "keep"


class GroupPolicy(StrEnum):
    """What the other accounts do then: go on, begin no further leg, or close what they have as well."""

    KEEP_GOING = "keep_going"
    STOP = "stop"
    UNWIND = "unwind"


@dataclass(frozen=True, slots=True)
class FailurePolicy:
    """`retries` counts how often a rejected leg is sent again, 1 to MOST_RETRIES with RETRY, else 0."""

    leg: LegPolicy = LegPolicy.UNWIND
    retries: int = 0
    group: GroupPolicy = GroupPolicy.KEEP_GOING

    def words(self) -> str:
        """For the trader who sends it.

        >>> FailurePolicy(LegPolicy.RETRY, 2).words()
        'A rejected leg is sent again up to 2 times, then its account is closed. The other accounts go on.'
        """
        return f"{self._leg_words()} {_GROUP_WORDS[self.group]}"

    def _leg_words(self) -> str:
        if self.leg is LegPolicy.RETRY:
            times = "once" if self.retries == 1 else f"up to {self.retries} times"
            return f"A rejected leg is sent again {times}, then its account is closed."
        return _LEG_WORDS[self.leg]


DEFAULT = FailurePolicy()

_LEG_WORDS = {
    LegPolicy.UNWIND: "If a leg fails, its account is closed, shorts first.",
    LegPolicy.KEEP: "If a leg fails, its account keeps what it has and you are alerted.",
}
_GROUP_WORDS = {
    GroupPolicy.KEEP_GOING: "The other accounts go on.",
    GroupPolicy.STOP: "The other accounts begin no further leg.",
    GroupPolicy.UNWIND: "The other accounts are closed as well.",
}
