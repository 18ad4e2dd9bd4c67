"""The examples in the domain's docstrings are true."""

import doctest
import importlib
import pkgutil

import pytest

import app.domain

MODULES = sorted(m.name for m in pkgutil.walk_packages(app.domain.__path__, "app.domain."))


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0
