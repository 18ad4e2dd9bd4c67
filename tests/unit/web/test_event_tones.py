"""Every kind of event that the product writes has a tone of its own: what is new is not shown as mere information."""

import ast
from pathlib import Path

import app
from app.web.run_words import event_tone, known_events

WRITERS = {"note": 2, "note_once": 2, "_tell": 2}
"""Calls that write an event, and where among their arguments its kind stands."""


def written_kinds() -> set[str]:
    """Kinds that stand in the code as they are; those of orders are made from the names of their states."""
    found = {"rejected", "cancelled", "parked", "unknown"}
    for path in Path(app.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITERS:
                arguments = node.args[WRITERS[node.func.attr] :][:1]
                found |= {str(each.value) for each in arguments if isinstance(each, ast.Constant)}
    return found


def test_every_kind_that_is_written_has_a_tone_and_no_other_has() -> None:
    assert written_kinds() == known_events()


def test_what_needs_a_person_is_shown_as_bad() -> None:
    assert {kind: event_tone(kind) for kind in ("alarm", "attention", "alarm_over")} == {
        "alarm": "bad",
        "attention": "bad",
        "alarm_over": "ok",
    }
