"""What a form, a script or a page calls the things that can be halted: `all`, or a scope with an id, as `account:3`."""

import re

from app.domain.errors import InvalidInput
from app.domain.trading_states import Scope
from app.services.kill_switch import Target

_TARGET = re.compile(r"(user|group|account|strategy):([0-9]{1,9})")


def target_named(text: str) -> Target:
    """Raises InvalidInput for any other text."""
    if text == "all":
        return Target()
    found = _TARGET.fullmatch(text)
    if found is None:
        raise InvalidInput(
            "target", "target must be all, or user, group, account or strategy with an id, as account:3."
        )
    return Target(Scope(found[1].upper()), int(found[2]))
