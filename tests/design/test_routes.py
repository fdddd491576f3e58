"""Routes: the words of the answer, walked one by one, are those of the expression, each once.

The words of random expressions are built as sets; those of the usual ones are what Python's `re`
accepts (which takes exponential time for some of the random ones).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import product
from random import Random

import pytest
from oracles.walk import walk

from recform.design import by_route
from recform.errors import FormulaError, UserError
from recform.formula import parse
from recform.paths import equal

DEEPEST = 8


Words = frozenset[str]


def followed(first: Words, rest: Words) -> Words:
    return frozenset(a + b for a in first for b in rest if len(a + b) <= DEEPEST)


def repeated(inner: Words) -> Words:
    found = frozenset({""})
    while not (more := followed(found, inner)) <= found:
        found |= more
    return found


def random_routes(random: Random, size: int) -> tuple[str, Words]:
    """An expression, often ambiguous, as (F|F s)* is; and its words to depth 8, as sets."""
    if size <= 1:
        letter = random.choice("FFs")
        return letter, frozenset({letter})
    match random.randrange(6):
        case 0:
            one, other = split(random, size)
            return f"({one[0]}|{other[0]})", one[1] | other[1]
        case 1:
            text, inner = random_routes(random, size - 1)
            return f"({text})*", repeated(inner)
        case 2:
            text, inner = random_routes(random, size - 1)
            sign = random.choice(("?", "+", "{2}", "{1,2}"))
            twice = followed(inner, inner)
            words = {
                "?": inner | {""},
                "+": followed(inner, repeated(inner)),
                "{2}": twice,
                "{1,2}": inner | twice,
            }
            return f"({text}){sign}", words[sign]
    one, other = split(random, size)
    return f"{one[0]} {other[0]}", followed(one[1], other[1])


def split(random: Random, size: int):
    left = random.randint(1, size - 1)
    return random_routes(random, left), random_routes(random, size - left)


def accepted(routes: str, depth: int) -> set[str]:
    """The words of a length that fully match, by Python."""
    pattern = re.compile(routes.replace(" ", ""))
    words = map("".join, product("Fs", repeat=depth))
    return {word for word in words if pattern.fullmatch(word)}


def walked(formula, depth: int) -> dict[str, object]:
    """The words of a formula, walked one by one, by the depths of their blocks."""
    found: dict[str, object] = {}
    for word, coefficient in walk(formula, depth).words.items():
        letters = ["s"] * depth
        for call in word:
            letters[depth - 1 - call.operation[2]] = "F"
        text = "".join(letters)
        found[text] = found.get(text, 0) + coefficient
    return {word: c for word, c in found.items() if c}


def assert_has_words(routes: str, wanted: Callable[[int], Iterable[str]]) -> None:
    answer = by_route(routes, depth=2)
    assert answer.refused is None
    for candidate in answer.candidates:
        for depth in range(DEEPEST + 1):
            assert walked(candidate.formula, depth) == dict.fromkeys(wanted(depth), 1), (
                f"{routes} at depth {depth}: {candidate.formula}"
            )


def assert_random_routes(seed: int) -> None:
    random = Random(seed)
    text, words = random_routes(random, random.randint(1, 8))
    assert_has_words(text, lambda depth: {word for word in words if len(word) == depth})


@pytest.mark.parametrize("seed", range(25))
def test_the_words_of_the_answer_are_those_of_the_expression(seed):
    assert_random_routes(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_the_words_of_200_answers(seed):
    assert_random_routes(seed)


@pytest.mark.parametrize(
    "routes",
    [
        "(F s)* F?",
        "s*|F F s*",
        "(F|s)*",
        "F*",
        "F* s*",
        "(F s)*",
        "s* F s* F s*",
        "F* s* F*",
        "(F|F|s|F s)*",
    ],
)
def test_the_words_of_the_usual_routes(routes):
    assert_has_words(routes, lambda depth: accepted(routes, depth))


def texts(routes: str, **limits) -> list[str]:
    return [str(candidate.formula) for candidate in by_route(routes, **limits).candidates]


def test_every_way_is_resnet():
    assert texts("(F|s)*") == ["x[l+1] = x[l] + F(x[l])"]


def test_through_every_block_is_plain():
    assert texts("F*") == ["x[l+1] = F(x[l])"]


def test_the_last_blocks_are_equations_20_and_21():
    assert texts("F* s*")[:2] == ["x[l+1] = x[l] + F(x[l]) - F(x[l-1])", "x[l+1] = x[0] + F(x[l])"]


def test_of_two_formulas_of_equal_cost_the_first_keeps_its_paths_from_later_states():
    answer = by_route("F* s*")
    assert [c.from_later for c in answer.candidates[:2]] == [True, False]
    compared = answer.candidates[1].against_first
    assert compared.equal == "from_start"
    assert (compared.witness.start, compared.witness.word) == (1, "1")


def test_every_second_block_says_that_odd_depths_have_no_path():
    answer = by_route("(F s)*")
    assert answer.wanted == "(F s)*: odd depths have no path"
    assert [sum(row) for row in answer.candidates[0].net] == [1, 0, 1, 0, 1, 0, 1, 0, 1]


def test_exactly_two_blocks_take_two_calls():
    answer = by_route("s* F s* F s*")
    assert (answer.least_calls, answer.candidates[0].cost.calls) == (2, 2)
    assert answer.candidates[0].formula == parse(
        "input z\nx[l+1] = x[l] + F(y[l])\ny[l+1] = y[l] + F(z[l])\nz[l+1] = z[l]\n"
        "init x[0] = absent\ninit y[0] = absent"
    )


def test_fewer_calls_than_the_rank_are_refused_with_proof():
    answer = by_route("s* F s* F s*", calls=1)
    assert answer.candidates == ()
    assert answer.refused == (
        "proved: the rank. F acts on 2 independent states of the smallest system, which has 3: "
        "each takes a call a step"
    )
    assert answer.instead == ("2 calls a step",)


def test_the_smallest_system_can_be_smaller_than_the_smallest_automaton():
    """The fourth from the end is F: 16 states tell it, 5 count it."""
    answer = by_route("(F|s)* F (F|s){3}")
    assert {candidate.cost.states_kept for candidate in answer.candidates} == {5, 16}
    assert answer.least_calls == 4


def test_the_simplest_formula_with_the_paths_of_another_is_a_candidate():
    first = by_route("(F|s F)* s?").candidates[0]
    assert first.formula == parse("x[l+1] = F(x[l]) + F(x[l-1])\ninit F(x[-1]) = x[0]")
    assert first.idea.startswith("the simplest with the paths of input x, y; ")


def test_an_ambiguous_expression_counts_each_word_once():
    assert by_route("(F|F|s|F s)*").candidates[0].net[3] == (1, 3, 3, 1)


def test_candidates_that_remember_are_equal_to_those_with_states():
    first, *others = by_route("F* s*").candidates
    assert {equal(first.formula, other.formula).equal for other in others} == {"from_start"}


def test_the_empty_word_is_a_route_of_depth_0_only():
    assert by_route("").candidates[0].net[:3] == ((1,), (0,), (0,))


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        ("(F s", "a bracket is opened and not closed"),
        ("F)", "`)` is not expected here"),
        ("F x", "`x` is neither F nor s"),
        ("*", "`*` is neither F nor s"),
        ("F{3", "a repeat is not closed"),
        ("F{}", "a repeat has no number"),
        ("F{2,1}", "a repeat is not between 0 and 32"),
        ("F{99}", "a repeat is not between 0 and 32"),
        ("(" * 50 + "F" + ")" * 50, "the expression is nested too deep"),
    ],
)
def test_what_is_no_expression_is_told_with_its_place(routes, message):
    with pytest.raises(FormulaError) as error:
        by_route(routes)
    assert error.value.diagnostics[0].message == message
    assert error.value.diagnostics[0].span is not None


def test_a_large_automaton_with_a_small_system_is_answered():
    assert by_route("(F|s)* F (F|s){4}").candidates[0].cost.states_kept == 6


def test_an_expression_of_too_many_states_is_refused():
    with pytest.raises(UserError) as error:
        by_route("(F|s)* F (F|s){6}")
    assert error.value.code == "too-large"
