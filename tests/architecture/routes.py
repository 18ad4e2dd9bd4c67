"""The addresses of the application, with a sample of each that reaches its endpoint."""

import re
from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

SAMPLES = {"int": "1", "float": "1.5", "uuid": "12345678-1234-5678-1234-567812345678"}  # by converter; else "x"
CONVERTER = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>")


def rules_of(app: Flask, only: set[str] | None = None) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if only is None or method in only:
                yield rule, method


def address_of(rule: Rule) -> str:
    return CONVERTER.sub(lambda match: SAMPLES.get(match.group(1) or "", "x"), rule.rule)
