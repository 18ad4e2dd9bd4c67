"""What the README tells people to type is what exists, and what continuous integration runs."""

import re
import subprocess

from tests.architecture.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
CODE_BLOCK = re.compile(r"```(?:sh|bash|console)\n(.*?)```", re.DOTALL)
MAKE = re.compile(r"^\s*(?:[A-Z_]+=\S+\s+)*make ([a-z-]+)", re.MULTILINE)
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


def _targets() -> set[str]:
    return set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))


def test_ci_runs_the_readmes_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    runs = re.findall(r"^exec (.+)$", script, re.MULTILINE)
    documented = [line.split("#")[0].strip() for block in CODE_BLOCK.findall(README) for line in block.splitlines()]
    assert runs == ["make test"]
    assert runs[0] in documented


def test_every_make_command_in_the_documents_exists() -> None:
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    blocks = [block for path in documents for block in CODE_BLOCK.findall(path.read_text(encoding="utf-8"))]
    named = {name for block in blocks for name in MAKE.findall(block)}
    assert {"run", "test"} <= named
    assert named <= _targets()


def test_make_help_lists_every_command() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"make ([a-z-]+)", said)) == _targets()
