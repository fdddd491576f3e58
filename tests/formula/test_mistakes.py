"""The table of syntax mistakes: every example is told as its row says, wherever it stands."""

import pytest

from recform.errors import FormulaError
from recform.formula import parse
from recform.formula.mistakes import CHARACTERS, MISTAKES, Mistake
from recform.formula.reserved import STATEMENTS

ROWS = [(mistake, example) for mistake in MISTAKES for example in mistake.examples]


def first_mistake(text: str):
    with pytest.raises(FormulaError) as caught:
        parse(text)
    return caught.value.diagnostics[0]


@pytest.mark.parametrize(("mistake", "example"), ROWS, ids=[example for _, example in ROWS])
def test_an_example_is_told_as_its_row_says(mistake: Mistake, example: str):
    told = first_mistake(example)
    assert (told.code, told.message, told.hint) == (mistake.code, mistake.message, mistake.hint)


@pytest.mark.parametrize(("mistake", "example"), ROWS, ids=[example for _, example in ROWS])
def test_another_line_before_it_changes_nothing(mistake: Mistake, example: str):
    told = first_mistake(f"z[l] = x[l]; {example}")
    assert (told.code, told.message) == (mistake.code, mistake.message)


def _inside_calls() -> list[tuple[Mistake, str]]:
    """Right sides whose mistake stays the same one behind a plus and inside a call."""
    return [
        (mistake, example.removeprefix("x[l+1] = "))
        for mistake, example in ROWS
        if example.startswith("x[l+1] = ") and example.endswith((")", "]"))
        and mistake.code in ("missing-operand", "missing-operator", "wrong-arguments")
    ]  # fmt: skip


@pytest.mark.parametrize(("mistake", "right"), _inside_calls())
def test_a_mistake_is_known_again_inside_a_call(mistake: Mistake, right: str):
    told = first_mistake(f"x[l+1] = x[l] - F(2*F[l]({right}))")
    assert told.code == mistake.code


@pytest.mark.parametrize("sign", [sign for signs in CHARACTERS for sign in signs])
def test_a_character_without_meaning_is_told_with_its_cure(sign: str):
    told = first_mistake(f"x[l+1] = x[l] {sign} F(x[l])")
    assert told.code == "bad-character"
    assert told.hint == next(hint for signs, hint in CHARACTERS.items() if sign in signs)
    assert told.span is not None
    assert told.span.column == 15


def test_mistakes_of_a_kind_of_statement_are_known_by_its_first_word():
    assert {text.split()[0] for _, text in ROWS} >= set(STATEMENTS)
