"""Every error the product raises on purpose, named by what the program does about it.

DeskError
├── Refused                the user asked for something that cannot be; nothing was changed; say why and the fix
│   ├── InvalidInput       one field is wrong; names it
│   ├── NotFound           no such thing, or not yours: the two look the same from outside
│   ├── Conflict           it was true when the page was shown and is not any more; show it anew
│   └── Denied             the pre-trade gate says no; carries a stable code
├── Unavailable            nobody can say just now; try again later, decide nothing meanwhile
│   ├── NoFreshPrice       a decision needs a price and there is none fresh enough
│   └── GatewayError       an account's gateway; see app/ports/gateway.py for its children
├── Misconfigured          the program refuses to start, or one feature refuses to work, until a setting is right
└── IllegalMove            a state machine was asked for a move it does not have: a bug; stop this unit of work
"""


class DeskError(Exception):
    """Root of all errors raised on purpose. `str(error)` is a sentence that may be shown to the user."""


class Refused(DeskError):
    """The request cannot be done as asked. Nothing was changed."""


class InvalidInput(Refused):
    """One field is wrong. `field` is its name as the form or JSON body calls it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NotFound(Refused):
    """There is no such thing for this user."""


class Conflict(Refused):
    """The world moved on since the page was shown. Show it anew and let the user decide again."""


class Denied(Refused):
    """We decline to send an order. `code` is stable and shared by pages, API and exits."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Unavailable(DeskError):
    """Nobody can say just now. Never read as zero, flat, success or failure."""


class NoFreshPrice(Unavailable):
    """A decision needs a price of this contract and none is fresh enough."""


class Misconfigured(DeskError):
    """A setting is missing or wrong. The sentence names the setting and what it should hold."""


class IllegalMove(DeskError):
    """A state machine was asked for a move that it does not have. Always a bug."""
