"""The codes, their sections in docs/errors.md and the texts in this folder are one list."""

import re
from pathlib import Path

import pytest

from recform import errors
from recform.errors import CODES

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
# The formula is right and can be analyzed; only a network needs an output, a closed form a
# recurrence.
TOLD_LATER = {"absent-output", "no-recurrence"}


def groups() -> dict[str, list[str]]:
    """The codes under the comments that group them in errors.py."""
    found: dict[str, list[str]] = {}
    text = Path(errors.__file__).read_text(encoding="utf-8")
    table = text[text.index("CODES = {") : text.index("\n}", text.index("CODES = {"))]
    heading = ""
    for line in table.splitlines():
        if match := re.match(r"    # (.+)", line):
            heading = match[1]
        elif match := re.match(r'    "([a-z-]+)":', line):
            found.setdefault(heading, []).append(match[1])
    return found


def codes_of_formulas() -> list[str]:
    names = list(groups())
    before = names[: names.index("files and other arguments")]
    return [code for name in before for code in groups()[name] if code not in TOLD_LATER]


def section_of(code: str) -> str:
    return re.split(r"^##", DOCS.split(f"### `{code}`\n")[1], flags=re.MULTILINE)[0]


def test_the_groups_hold_every_code():
    assert [code for group in groups().values() for code in group] == list(CODES)


def test_every_code_has_a_section_in_the_docs_in_the_same_order():
    assert re.findall(r"^### `([a-z-]+)`$", DOCS, re.MULTILINE) == list(CODES)


def test_the_docs_are_grouped_as_the_codes_are():
    assert [title.lower() for title in re.findall(r"^## (.+)$", DOCS, re.MULTILINE)] == list(
        groups()
    )


@pytest.mark.parametrize("code", CODES)
def test_a_section_says_what_a_code_means_in_the_words_of_the_table(code: str):
    assert CODES[code].lower() in section_of(code).replace("\n", " ").lower()


@pytest.mark.parametrize("code", codes_of_formulas())
def test_a_section_shows_the_text_that_is_tested(code: str):
    text = (Path(__file__).parent / f"{code}.rf").read_text(encoding="utf-8")
    assert f"```text\n{text}```\n" in section_of(code)


@pytest.mark.parametrize("code", codes_of_formulas())
def test_every_code_about_formulas_is_shown_by_a_text(code: str):
    assert (Path(__file__).parent / f"{code}.rf").exists()


def test_every_text_shows_a_code():
    stems = {path.stem for path in Path(__file__).parent.glob("*.rf")} - {"several"}
    shown = {
        code for code in CODES for stem in stems if stem == code or stem.startswith(f"{code}-")
    }
    assert all(any(stem == c or stem.startswith(f"{c}-") for c in shown) for stem in stems)
    assert shown >= set(codes_of_formulas())


def test_every_code_is_told_by_the_program():
    """A code that no line of recform names would be a promise that nobody keeps."""
    program = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "recform").rglob("*.py")
        if path.name != "errors.py"
    )
    assert [code for code in CODES if f'"{code}"' not in program] == []
