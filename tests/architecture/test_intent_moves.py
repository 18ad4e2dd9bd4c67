"""The state of an intent changes by the table of permitted moves, or by its one correction, and in no other way."""

import ast
import re

from tests.architecture.sources import FunctionNode, functions_of, list_of, place, python_files

OTHERS = {"account", "run", "row", "command", "self"}
"""What also has a state. Everything else that is given one is an intent."""

BY_THE_TABLE = re.compile(r"\b(move|correct)\(")
REMEMBERED = {"app/services/claim_facts.py"}
"""Keeps a copy in mind of what was just claimed by the table; nothing of it is written."""


def test_states_of_intents_are_written_through_the_table() -> None:
    found, wrong = 0, list[str]()
    for path in python_files("app/services", "app/engine", "app/persistence"):
        for function in functions_of(path):
            for node, value in _given_states(function):
                found += 1
                if place(path) not in REMEMBERED and not _is_by_the_table(function, value):
                    wrong.append(f"{place(path, node)}: {ast.unparse(node)}")
    assert found >= 8, "the states are written elsewhere now: look there"
    assert not wrong, f"say it with move() or correct() of app/domain/orders.py:{list_of(wrong)}"


def _given_states(function: FunctionNode) -> list[tuple[ast.Assign, ast.expr]]:
    """Assignments to the state of an intent, and what is assigned."""
    found: list[tuple[ast.Assign, ast.expr]] = []
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign):
            continue
        for target, value in _pairs(node):
            if isinstance(target, ast.Attribute) and target.attr == "state" and isinstance(target.value, ast.Name):
                found += [(node, value)] if target.value.id not in OTHERS else []
    return found


def _pairs(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    target = node.targets[0]
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        return list(zip(target.elts, node.value.elts, strict=True))
    return [(target, node.value)]


def _is_by_the_table(function: FunctionNode, value: ast.expr) -> bool:
    """Said there and then, or of a name that was given nothing else in this function."""
    if BY_THE_TABLE.search(ast.unparse(value)):
        return True
    name = value.value.id if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) else None
    given = [
        each
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target, each in _pairs(node)
        if isinstance(target, ast.Name) and target.id == name
    ]
    return bool(given) and all(BY_THE_TABLE.search(ast.unparse(each)) for each in given)
