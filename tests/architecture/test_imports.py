"""Who may import whom, and which packages nobody imports."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.architecture.sources import ROOT, list_of, place, python_files, tree_of

SECOND_HTTP_CLIENTS = {"requests", "httpx"}  # the gateway client is built on urllib3, and is the only one
SLOW_TO_IMPORT = {"openalgo", "pandas"}  # half a second and more: imported inside the function that needs them


def test_the_layers_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_one_http_client() -> None:
    found = [f"{where}: {name}" for where, name in _imports(ast.walk) if name in SECOND_HTTP_CLIENTS]
    assert not found, f"use the gateway client:{list_of(found)}"


def test_slow_packages_are_imported_where_used() -> None:
    found = [f"{where}: {name}" for where, name in _imports(ast.iter_child_nodes) if name in SLOW_TO_IMPORT]
    assert not found, f"import these inside the function that needs them:{list_of(found)}"


def _imports(nodes_of: Callable[[ast.AST], Iterator[ast.AST]]) -> list[tuple[str, str]]:
    """Where each package is imported: with ast.walk anywhere, with ast.iter_child_nodes at the top of the module."""
    found = []
    for path in python_files():
        for node in nodes_of(tree_of(path)):
            if isinstance(node, ast.Import):
                found += [(place(path, node), alias.name.split(".")[0]) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.append((place(path, node), (node.module or "").split(".")[0]))
    return found
