"""Whatever is typed is a formula or a mistake with its place: no crash, no hang.

Valid formulas with random edits, and words of the language in random order.
"""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recform.errors import Diagnostic, FormulaError, lines_of
from recform.formula import example_names, parse, resolve
from recform.tape import unroll
from tests.fuzz import fuzz
from tests.laws.formulas import formulas
from tests.laws.whole import whole_formulas

PRINTED = """
    x y z F G l L s i [ ] [ ] ( ) ( ) x[l] F(x[l]) x[l+1] = + - * / % ^ == < <= != = 0 1 2 1/2 0.1
    1e9 10000 99999999 sum mean act relu norm softmax for in .. if else and or not init input output
    block param absent ; , # . · × − σ Σ _ @ { } : " ' ² é 𝑥 → \\
"""
BLANK = ("\n", "\t", "\r", "\x00", "\x0c", "\ufeff", "\u2028", " ", " ")
WORDS = (*PRINTED.split(), *BLANK)
FILES = [path.read_text() for path in sorted(Path(__file__).parents[1].glob("diagnostics/*.rf"))]
KNOWN = [resolve(name).source.text for name in example_names()] + FILES  # type: ignore[union-attr]
LIMIT_SECONDS = 1.0


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A text that was a formula, or nearly one, before a few keys were hit."""
    text = draw(st.one_of(st.sampled_from(KNOWN), formulas(), whole_formulas()))
    for _ in range(draw(st.integers(1, 4))):
        first, last = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        near = min(last, first + draw(st.integers(1, 5)))
        match draw(st.integers(0, 4)):
            case 0:
                text = text[:first] + text[near:]
            case 1 | 2:
                text = text[:first] + draw(st.sampled_from(WORDS)) + text[first:]
            case 3:
                text = text[:first] + text[first : first + 2][::-1] + text[first + 2 :]
            case 4:
                text = text[:last] + text[first:near] + text[last:]
    return text


@st.composite
def soups(draw: st.DrawFn) -> str:
    words = draw(st.lists(st.sampled_from(WORDS), max_size=30))
    start = draw(st.sampled_from(["", "x[l+1] = ", "x[l+1] = F(", "init x[-1] = ", "output "]))
    return start + draw(st.sampled_from(["", " "])).join(words)


def mistakes_in(text: str) -> tuple[Diagnostic, ...]:
    """What is wrong with a text; one that is right is unrolled and printed."""
    try:
        formula = parse(text)
        assert parse(str(formula)) == formula
        formula._repr_latex_()
        str(unroll(formula, 4))
    except FormulaError as error:
        str(error)
        return error.diagnostics
    return ()


def holds_for(text: str) -> None:
    """A formula, or mistakes whose places lie in the text; soon."""
    started = time.process_time()
    mistakes = mistakes_in(text)
    assert time.process_time() - started < LIMIT_SECONDS
    lines = lines_of(text)
    for span in (mistake.span for mistake in mistakes if mistake.span is not None):
        assert 1 <= span.line <= len(lines)
        # a caret may stand one behind the end, where something is missing
        assert 1 <= span.column < span.end <= len(lines[span.line - 1]) + 2


@settings(max_examples=400)
@given(edited())
def test_an_edited_formula_is_a_formula_or_a_mistake(text: str):
    holds_for(text)


@settings(max_examples=300)
@given(soups())
def test_words_in_any_order_are_a_formula_or_a_mistake(text: str):
    holds_for(text)


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_any_text_is_a_formula_or_a_mistake(text: str):
    holds_for(text)


def test_two_thousand_texts_of_the_fuzzer_are_formulas_or_mistakes():
    taken = sorted(fuzz(2_000, None, seed=0))
    assert taken[len(taken) // 2] < 0.005


@pytest.mark.slow
def test_thirty_seconds_of_the_fuzzer():
    assert len(fuzz(None, 30, seed=1)) > 1_000
