"""Nothing in the product can send an order, or a change of one, twice by itself: no loop, no retry, no resending."""

import ast
import re
from pathlib import Path

from tests.architecture.sources import functions_of, last_name, list_of, place, python_files, tree_of

CREATES_AN_ORDER = {"place", "place_order", "placeorder"}
CHANGES_AN_ORDER = {"modify", "modify_order", "modifyorder"}
LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
RETRIES_BY_ITSELF = {
    "PoolManager",
    "ProxyManager",
    "HTTPConnectionPool",
    "HTTPSConnectionPool",
    "connection_from_url",
    "urlopen",
}


def test_one_place_of_the_services_creates_orders() -> None:
    """Were the call renamed, the rule about loops would hold for want of anything to look at."""
    assert _where(CREATES_AN_ORDER) == ["app/services/order_desk.py"]


def test_one_place_of_the_services_changes_orders() -> None:
    """The executor names the order to the lanes; only the modify desk calls a gateway."""
    assert _where(CHANGES_AN_ORDER) == ["app/services/modify_desk.py", "app/services/strategy_executor.py"]


def test_no_loop_around_order_creation() -> None:
    loops = [
        place(path, call)
        for path in python_files("app")
        for loop in ast.walk(tree_of(path))
        if isinstance(loop, LOOPS)
        for call in _calls(loop, CREATES_AN_ORDER | CHANGES_AN_ORDER)
        if not _hands_over(path, call)
    ]
    assert not loops, f"an order is created and changed once, by a call no loop repeats:{list_of(loops)}"


def _hands_over(path: Path, call: ast.Call) -> bool:
    """The executor names each intent to the lanes, which queue the same one only once."""
    return place(path) == "app/services/strategy_executor.py" and ast.unparse(call.func) == "self.lanes.modify"


def _where(names: set[str]) -> list[str]:
    return [place(path) for path in python_files("app/services", "app/engine") if _calls(tree_of(path), names)]


def _calls(within: ast.AST, names: set[str]) -> list[ast.Call]:
    return [
        call
        for call in ast.walk(within)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in names
    ]


def test_no_retry_decorator() -> None:
    retried = [
        f"{place(path, function)}: {function.name}"
        for path in python_files("app")
        for function in functions_of(path)
        if any(re.search(r"retr(y|ie)", ast.unparse(decorator), re.IGNORECASE) for decorator in function.decorator_list)
    ]
    assert not retried, f"say in the service which read is tried again and when:{list_of(retried)}"


def test_no_connection_retries_by_itself() -> None:
    calls = {
        place(path, node): node
        for path in python_files("app")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and last_name(node.func) in RETRIES_BY_ITSELF
    }
    assert calls
    eager = [where for where, node in calls.items() if not _retries_off(node)]
    assert not eager, f"urllib3 resends three times unless told retries=False:{list_of(eager)}"


def _retries_off(call: ast.Call) -> bool:
    return any(
        word.arg == "retries" and isinstance(word.value, ast.Constant) and word.value.value is False
        for word in call.keywords
    )
