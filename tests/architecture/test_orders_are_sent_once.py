"""Nothing in the product can send one order twice by itself: no loop, no retry decorator, no retrying connection."""

import ast
import re

from tests.architecture.sources import functions_of, last_name, list_of, place, python_files, tree_of

CREATES_AN_ORDER = {"place", "place_order", "placeorder"}
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
    creating = [path for path in python_files("app/services", "app/engine") if _order_creations(tree_of(path))]
    assert [place(path) for path in creating] == ["app/services/order_desk.py"]


def test_no_loop_around_order_creation() -> None:
    loops = [
        place(path, call)
        for path in python_files("app")
        for loop in ast.walk(tree_of(path))
        if isinstance(loop, LOOPS)
        for call in _order_creations(loop)
    ]
    assert not loops, f"an order is created once, by a call no loop repeats:{list_of(loops)}"


def _order_creations(within: ast.AST) -> list[ast.Call]:
    return [
        call
        for call in ast.walk(within)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in CREATES_AN_ORDER
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
