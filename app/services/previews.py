"""Previews: a plan made once, frozen with its hash, alive for a minute, and found again unchanged when it is sent."""

import hashlib

import msgspec

from app.domain.errors import Conflict
from app.domain.plan import Plan
from app.persistence.tables import Preview

_PLAN = msgspec.json.Decoder(Plan)
"""Made before any thread needs it: two threads that decode a type for the first time at once end the process."""


def freeze(plan: Plan) -> tuple[str, str]:
    """The plan as canonical JSON text, and the SHA-256 of that text."""
    text = msgspec.json.encode(plan, order="deterministic").decode()
    return text, hashlib.sha256(text.encode()).hexdigest()


def plan_of(preview: Preview) -> Plan:
    """The plan a preview froze. Raises Conflict when the stored text is not the one that was hashed."""
    if hashlib.sha256(preview.plan.encode()).hexdigest() != preview.digest:
        raise Conflict("The stored preview does not match its hash and is not used. Make a new one.")
    return _PLAN.decode(preview.plan)
