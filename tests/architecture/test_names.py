"""Words that hide what a thing is are not used, and each module says in its first line what it is for."""

import ast
import re

from tests.architecture.sources import functions_of, list_of, place, python_files, tree_of

NO_HOME = {"utils", "helpers", "common", "misc", "data", "info"}
NAMED_BY_SQLALCHEMY = {"process_bind_param", "process_result_value"}
VAGUE_VERB = re.compile(r"^_*(handle|process)_")


def test_no_module_is_named_after_nothing() -> None:
    everything = [*python_files(), *python_files("tests")]
    vague = sorted({place(path) for path in everything if {path.stem, *path.parent.parts[-3:]} & NO_HOME})
    assert not vague, f"a module is named after what it holds, not {sorted(NO_HOME)}:{list_of(vague)}"


def test_no_function_only_handles_or_processes() -> None:
    vague = [
        f"{place(path, function)}: {function.name}"
        for path in python_files()
        for function in functions_of(path)
        if VAGUE_VERB.match(function.name) and function.name not in NAMED_BY_SQLALCHEMY
    ]
    assert not vague, f"say what the function does to what:{list_of(vague)}"


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        place(path)
        for path in [*python_files(), *python_files("tests")]
        if path.read_text(encoding="utf-8").strip() and ast.get_docstring(tree_of(path)) is None
    ]
    assert not silent, f"begin the file with one docstring sentence that says what it is for:{list_of(silent)}"
