"""An error is caught by its name; only the outer edge of a thread may catch everything."""

import ast

from tests.architecture.sources import ROOT, last_name, list_of, place, python_files, tree_of

OUTER_EDGES = {"app/engine/supervisor.py"}
EVERYTHING = {"Exception", "BaseException"}


def test_only_the_outer_edges_catch_everything() -> None:
    broad = [
        place(path, node)
        for path in python_files()
        if str(path.relative_to(ROOT)) not in OUTER_EDGES
        for node in ast.walk(tree_of(path))
        if _catches_everything(node)
    ]
    assert not broad, f"name the errors; only {sorted(OUTER_EDGES)} may catch everything:{list_of(broad)}"


def _catches_everything(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        return node.type is None or _names_everything([node.type])
    return isinstance(node, ast.Call) and last_name(node.func) == "suppress" and _names_everything(node.args)


def _names_everything(kinds: list[ast.expr]) -> bool:
    single = [kind for group in kinds for kind in (group.elts if isinstance(group, ast.Tuple) else [group])]
    return any(last_name(kind) in EVERYTHING for kind in single)
