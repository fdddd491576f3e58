"""What the docs say is so: formulas parse, code runs, commands exist, limits are the code's.

In every page, ```rf blocks are formulas, ```python blocks run one after the other, and
the `$ recform ...` lines of ```console blocks are parsed as the command line would.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
import typer

from recform.cli.main import app
from recform.formula import parse
from recform.formula.expressions import MAX_DIGITS
from recform.formula.library import BLOCKS, CONSTRAINTS, FUNCTIONS
from recform.formula.parse import MAX_HEIGHT
from recform.formula.reserved import KEYWORDS, STATEMENTS
from recform.formula.statements import MAX_BRACKETS, MAX_CHARACTERS
from recform.tape import unroll
from recform.tape.builder import MAX_VALUES
from recform.tape.scalar import MAX_BITS, MAX_RANGE
from recform.tape.unroll import MAX_DEPTH

ROOT = Path(__file__).parents[1]
PRINTED = tuple(
    f"$ recform {name}"
    for name in ("analyze", "check", "compare-formulas", "design", "equal", "mutate", "show")
)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCTESTED = [path for path in sorted(ROOT.glob("recform/**/*.py")) if ">>> " in path.read_text()]
LANGUAGE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")


def blocks(page: Path, kind: str) -> list[str]:
    """The code blocks of one kind in a page."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def numbered(kind: str) -> list:
    """Every block of a kind as a test of its own, named after its page."""
    return [
        pytest.param(block, id=f"{page.name}-{number}")
        for page in PAGES
        for number, block in enumerate(blocks(page, kind), start=1)
    ]


def commands() -> list[str]:
    """The command lines of the docs; a backslash continues one."""
    lines = [
        line.removeprefix("$ ")
        for page in PAGES
        for block in blocks(page, "(?:console|sh)")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    return [line for line in lines if line.startswith("recform ")]


@pytest.mark.parametrize("text", numbered("rf"))
def test_a_formula_in_the_docs_is_one(text: str):
    formula = parse(text)
    assert unroll(formula, 16).output is not None
    assert parse(str(formula)) == formula


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.name)
def test_the_code_in_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for number, block in enumerate(blocks(page, "python"), start=1):
        exec(compile(block, f"{page.name}, block {number}", "exec"), names)


@pytest.mark.parametrize("path", DOCTESTED, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_in_a_module_are_so(path: Path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = import_module(".".join(part for part in parts if part != "__init__"))
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0


def shown_outputs() -> list[tuple[str, str]]:
    """Console blocks that show a command about formulas alone, with what it prints."""
    shown = []
    for page in PAGES:
        for block in blocks(page, "console"):
            line, _, output = block.partition("\n")
            if line.startswith(PRINTED) and output and "$ " not in output:
                shown.append((line.removeprefix("$ "), output))
    return shown


@pytest.mark.parametrize(("line", "output"), shown_outputs(), ids=lambda text: text[:40])
def test_what_a_page_shows_is_what_is_printed(line: str, output: str):
    command = [sys.executable, "-m", "recform.cli.main", *shlex.split(line)[1:]]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == output


@pytest.mark.parametrize("line", commands())
def test_a_command_in_the_docs_is_understood(line: str):
    words = shlex.split(line, comments=True)[1:]
    command, parent = typer.main.get_command(app), click.Context(click.Command("recform"))
    while isinstance(command, click.Group):
        command = command.get_command(parent, words.pop(0))
    assert command is not None
    words = words[: words.index("|")] if "|" in words else words
    command.make_context("recform", words)


def test_the_language_page_shows_formulas_and_commands():
    assert len(blocks(ROOT / "docs" / "language.md", "rf")) > 10
    assert commands()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_language_page_knows_every_function(name: str):
    assert re.search(rf"`{name}[`(]", LANGUAGE.split("## Limits")[0])


@pytest.mark.parametrize("name", [*STATEMENTS, *CONSTRAINTS, *BLOCKS])
def test_the_language_page_knows_every_statement_constraint_and_block(name: str):
    assert re.search(rf"`(?:[^`]*\W)?{name}\b[^`]*`", LANGUAGE.split("## Limits")[0])


def test_the_language_page_lists_the_words_that_are_taken():
    taken = LANGUAGE.split("These words are taken:")[1].split("\n\n")[0]
    assert set(re.findall(r"\w+", taken)) == {*KEYWORDS, "F", "L"}


def test_the_limits_in_the_language_page_are_the_limits():
    table = LANGUAGE.split("## Limits")[1].split("\n\n")[1]
    told = [int(row.split("|")[2].replace(",", "")) for row in table.splitlines()[2:]]
    assert told == [
        MAX_CHARACTERS, MAX_BRACKETS, MAX_HEIGHT, MAX_DIGITS, MAX_BITS, MAX_DEPTH, MAX_RANGE,
        MAX_VALUES,
    ]  # fmt: skip


def test_the_page_of_names_is_that_of_the_docstrings():
    written = subprocess.run(
        [sys.executable, ROOT / "docs" / "make_api.py", "--print"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    again = "make it again: python docs/make_api.py"
    assert written.stdout == (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), again


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        for target in re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", re.sub(r"`[^`]*`", "", text)):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
