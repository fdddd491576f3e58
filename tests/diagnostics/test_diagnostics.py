"""Malformed formulas and what is said about each, word for word.

CODE.rf or CODE-what.rf holds a text that is wrong, CODE.txt or CODE-what.txt all that a person
reads of it when the text is read and unrolled at depth 16, as `recform check` does.
"""

from pathlib import Path

import pytest

from recform.errors import FormulaError, lines_of
from recform.formula import load
from recform.tape import unroll

FOLDER = Path(__file__).parent
MALFORMED = sorted(FOLDER.glob("*.rf"))
DEPTH = 16


def mistakes_in(path: Path) -> FormulaError:
    """What is wrong with the text of a file."""
    with pytest.raises(FormulaError) as caught:
        unroll(load(path), DEPTH)
    return caught.value


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_the_message_is(path: Path):
    message = str(mistakes_in(path)).replace(str(path), path.name)
    expected = path.with_suffix(".txt").read_text(encoding="utf-8")
    assert message + "\n" == expected


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_the_file_is_named_after_its_code(path: Path):
    if path.stem != "several":
        assert path.stem.startswith(mistakes_in(path).code)


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_each_mistake_has_a_place_in_the_text_and_a_hint(path: Path):
    lines = lines_of(path.read_text(encoding="utf-8"))
    for diagnostic in mistakes_in(path).diagnostics:
        span = diagnostic.span
        assert span is not None
        assert 1 <= span.line <= len(lines)
        # one behind the end of the line is where something is missing
        assert 1 <= span.column < span.end <= len(lines[span.line - 1]) + 2
        assert diagnostic.hint


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_the_fact_is_one_sentence_without_a_full_stop(path: Path):
    for diagnostic in mistakes_in(path).diagnostics:
        assert not diagnostic.message.endswith(".")
        assert (
            diagnostic.message[0] in "`"
            or not diagnostic.message[0].isupper()
            or (diagnostic.message.startswith(tuple("FGH")))
        )


def test_every_message_belongs_to_a_text():
    texts = {path.stem for path in FOLDER.glob("*.rf")}
    assert {path.stem for path in FOLDER.glob("*.txt")} == texts


def test_several_mistakes_in_one_text_are_all_told():
    codes = [diagnostic.code for diagnostic in mistakes_in(FOLDER / "several.rf").diagnostics]
    assert codes == ["missing-operand", "division-by-value", "bad-init"]
