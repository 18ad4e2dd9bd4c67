"""What decodes into types is made when its module is: msgspec learns a type on first use, and not for two threads."""

import ast

from tests.architecture.sources import functions_of, last_name, list_of, place, python_files

LEARNS = {"Decoder", "convert"}


def test_no_type_is_learnt_while_threads_run() -> None:
    late = {
        place(path, node)
        for path in python_files("app")
        for function in functions_of(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and _learns_a_type(node)
    }
    assert not late, f"make a msgspec Decoder where the module begins:{list_of(sorted(late))}"


def _learns_a_type(call: ast.Call) -> bool:
    whole = ast.unparse(call.func)
    typed = last_name(call.func) == "decode" and any(word.arg == "type" for word in call.keywords)
    return whole.startswith("msgspec.") and (typed or last_name(call.func) in LEARNS)
