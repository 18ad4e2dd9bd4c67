"""The project's own files, as the tests of this folder look at them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("app", "simulator", "tools", "bench")
TOP_LEVEL = ("config.py", "wsgi.py")
TEMPLATES = ROOT / "app" / "templates"
STATIC_SOURCES = ROOT / "app" / "static" / "src"

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: str) -> list[Path]:
    """Every Python file below these folders of the project, or of the whole product when none is named."""
    found = [path for folder in folders or PRODUCT for path in (ROOT / folder).rglob("*.py")]
    if not folders:
        found += [ROOT / name for name in TOP_LEVEL if (ROOT / name).is_file()]
    return sorted(found)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions_of(path: Path) -> Iterator[FunctionNode]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, FunctionNode):
            yield node


def place(path: Path, node: ast.AST | None = None) -> str:
    """`app/web/errors.py:12`, for messages."""
    line = f":{node.lineno}" if isinstance(node, ast.expr | ast.stmt | ast.ExceptHandler) else ""
    return f"{path.relative_to(ROOT)}{line}"


def last_name(node: ast.expr) -> str:
    """The last word of a dotted name (`a.b.Exception` gives `Exception`); empty for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def list_of(problems: list[str]) -> str:
    return "\n".join(["", *problems])
