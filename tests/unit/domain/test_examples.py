"""The examples in the domain's docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import app.domain

MODULES = sorted(m.name for m in pkgutil.walk_packages(app.domain.__path__, "app.domain."))


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(found) >= 7


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0
