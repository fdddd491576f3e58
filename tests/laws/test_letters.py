"""Words, and what follows from them, where activations, norms and projections are letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles import routes
from oracles.tape_words import multiply_out
from oracles.values import Value
from oracles.walk import (
    Letter,
    TooManyWordsError,
    Words,
    walk,
    walk_from_blocks,
    walk_with_maps,
)

from laws.formulas import formulas
from recform.errors import UserError
from recform.formula import parse
from recform.paths import (
    analyze,
    cancels_across,
    distinct_keeping,
    gradient_words,
    parameter_gradients,
    through_block,
    widths_by_length,
    words,
)
from recform.paths.polynomials import NET, Coefficients
from recform.paths.start import sources_of
from recform.tape import Call, Map, Project, Stages, Tape, place, unroll

LAW = settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
MAX_DEPTH = 4
MAX_WORDS = 1_000
FUNCTIONS = {
    "act": frozenset({"act", "relu", "gelu", "silu", "tanh", "sigmoid"}),
    "norm": frozenset({"norm"}),
}
KEPT = (("act",), ("norm",), ("act", "norm"))
# Terms that are one word or its opposite without their maps.
TERMS = ("x[l]", "F(x[l])", "F(x[l-1])", "relu(x[l])", "norm(x[l])", "relu(norm(x[l]))",
         "norm(relu(x[l]))", "relu(F(x[l]))", "norm(F(x[l-1]))", "relu(x[l] + F(x[l]))",
         "relu(F(x[l]) + x[l])", "norm(relu(x[l] - F(x[l-1])))", "F(relu(x[l]))", "relu(-x[l])",
         "relu(2*(1/2*x[l]))", "norm(relu(F(x[l]) + x[l]))")  # fmt: skip


def sums_of_maps() -> st.SearchStrategy[str]:
    """x[l+1] = relu(x[l]) - x[l] + 2*F(x[l-1]) and the like: most cancel, across this or that."""
    terms = st.tuples(st.sampled_from(("+ ", "- ", "- ", "+ 2*", "- 2*")), st.sampled_from(TERMS))
    return st.lists(terms, min_size=2, max_size=6).map(
        lambda chosen: "x[l+1] = x[l] " + " ".join(sign + term for sign, term in chosen)
    )


@LAW
@given(formulas() | sums_of_maps(), st.integers(0, MAX_DEPTH), st.integers(0, 2),
       st.sampled_from(KEPT))  # fmt: skip
def test_kept_activations_are_letters(
    text: str, depth: int, start: int, kept: tuple[str, ...]
) -> None:
    for at_depth, found in _walked(text, depth, start, kept):
        tape = unroll(parse(text), at_depth)
        ours = words(tape, min(start, at_depth), kept)
        assert _spelled(ours, tape) == _spelled_by_walk(found)
        lengths = Counter(sum(isinstance(letter, Value) for letter in word) for word in found)
        distinct = distinct_keeping(tape, min(start, at_depth), kept)
        assert {k: count for k, count in enumerate(distinct) if count} == lengths


@LAW
@given(formulas(), st.integers(0, 7))
def test_with_nothing_kept_the_words_are_those_that_analyze_counts(text: str, depth: int) -> None:
    formula = parse(text)
    assert distinct_keeping(unroll(formula, depth), 0, ()) == analyze(formula, depth).distinct


@LAW
@given(formulas() | sums_of_maps(), st.integers(0, MAX_DEPTH), st.integers(0, 2))
def test_a_cancellation_crosses_what_keeps_words_of_both_signs_apart(
    text: str, depth: int, start: int
) -> None:
    for at_depth, found in _walked(text, depth, start, ("act", "norm")):
        formula, at_start = parse(text), min(start, at_depth)
        alone = tuple(
            kind
            for kind, functions in FUNCTIONS.items()
            if _has_both_signs(walk_with_maps(formula, at_depth, at_start, functions, MAX_WORDS))
        )
        both = ("act", "norm") if _has_both_signs(found) else ()
        assert cancels_across(unroll(formula, at_depth), at_start) == (alone or both)


@LAW
@given(formulas(), st.integers(0, MAX_DEPTH))
def test_words_of_a_gradient_end_at_an_application_of_the_block(text: str, depth: int) -> None:
    formula = parse(text)
    try:
        walked = walk_from_blocks(formula, depth, MAX_WORDS)
    except TooManyWordsError:
        return
    tape = unroll(formula, depth)
    found = gradient_words(tape)
    assert found.keys() == {f"{block}[{index}]" for block, index in walked}
    for (block, index), gradient in walked.items():
        ours = found[f"{block}[{index}]"]
        assert _spelled(ours, tape) == _spelled_by_walk(gradient.words)


@LAW
@given(formulas(), st.integers(1, MAX_DEPTH), st.integers(0, 2), st.integers(0, 2**32))
def test_widths_are_those_of_the_blocks_in_the_words(
    text: str, depth: int, start: int, seed: int
) -> None:
    formula, start = parse(text), min(start, depth)
    of_blocks = [1 + (seed >> 3 * block) % 5 for block in range(depth)]
    try:
        walked = walk(formula, depth, start, MAX_WORDS)
    except TooManyWordsError:
        return
    if not walked.unclear:
        found = widths_by_length(unroll(formula, depth), of_blocks, start)
        pairs = enumerate(zip(found.mean, found.least, strict=True))
        known = {length: pair for length, pair in pairs if pair != (None, None)}
        assert known == routes.widths(walked.words, of_blocks)


@LAW
@given(formulas(), st.lists(st.integers(1, 2), min_size=1, max_size=3), st.integers(0, 2))
def test_on_a_tape_with_stages_every_quantity_is_that_of_its_words(
    text: str, lengths: list[int], start: int
) -> None:
    try:
        stages = Stages(tuple(lengths), widens=True)
        tape = place(unroll(parse(text), sum(lengths), stages))
    except UserError:
        return  # this formula cannot cross a border
    start = min(start, tape.depth)
    sources = sources_of(tape, start)
    if len(multiply_out(tape, sources, (Project,), abs)) > MAX_WORDS:
        return
    kept = multiply_out(tape, sources, (Project,))
    assert words(tape, start, ("projection",)) == kept
    lengths_kept = Counter(_num_blocks(word, tape) for word in kept)
    distinct = distinct_keeping(tape, start, ("projection",))
    assert {k: count for k, count in enumerate(distinct) if count} == lengths_kept
    signs = _signs_by_blocks(kept, tape)
    assert ("projection" in cancels_across(tape, start)) == any(len(s) > 1 for s in signs)
    assert _nonzero(through_block(tape, start)) == _through(
        tape, multiply_out(tape, sources, (), abs)
    )
    assert _nonzero(through_block(tape, start, NET)) == _through(tape, multiply_out(tape, sources))
    assert _nonzero(parameter_gradients(tape)) == _gradients(tape)


# --- how both sides are compared ---------------------------------------------------------------


def _walked(
    text: str, depth: int, start: int, kept: Collection[str]
) -> Iterator[tuple[int, Words]]:
    """What walking finds, if it is little enough and clear."""
    formula, start = parse(text), min(start, depth)
    functions = frozenset().union(*(FUNCTIONS[kind] for kind in kept))
    try:
        found = walk_with_maps(formula, depth, start, functions, MAX_WORDS)
        unclear = walk(formula, depth, start, MAX_WORDS).unclear
    except TooManyWordsError:
        return
    if not unclear:
        yield depth, found


def _spelled(found: dict[tuple[int, ...], Fraction], tape: Tape) -> list:
    """Each word by the names of its letters, with its coefficient."""

    def name(letter: int) -> tuple:
        match tape.operations[letter]:
            case Call(block=block, index=index):
                return block, index
            case Map(function=function, index=index):
                return function, index
        raise AssertionError(letter)

    return sorted((str([name(letter) for letter in word]), c) for word, c in found.items())


def _spelled_by_walk(found: Words) -> list:
    def name(letter: Letter) -> tuple:
        operation = letter.operation if isinstance(letter, Value) else letter
        assert isinstance(operation, tuple)
        return operation[1], operation[2]

    return sorted((str([name(letter) for letter in word]), c) for word, c in found.items())


def _has_both_signs(found: Words) -> bool:
    """Whether words of both signs are one word without the letters that are no blocks."""
    signs: dict[tuple, set[bool]] = {}
    for word, coefficient in found.items():
        blocks = tuple(letter for letter in word if isinstance(letter, Value))
        signs.setdefault(blocks, set()).add(coefficient > 0)
    return any(len(both) > 1 for both in signs.values())


def _blocks(word: tuple[int, ...], tape: Tape) -> tuple[int, ...]:
    return tuple(letter for letter in word if isinstance(tape.operations[letter], Call))


def _num_blocks(word: tuple[int, ...], tape: Tape) -> int:
    return len(_blocks(word, tape))


def _signs_by_blocks(found: dict[tuple[int, ...], Fraction], tape: Tape) -> list[set[bool]]:
    signs: dict[tuple[int, ...], set[bool]] = {}
    for word, coefficient in found.items():
        signs.setdefault(_blocks(word, tape), set()).add(coefficient > 0)
    return list(signs.values())


def _nonzero(found: dict[str, Coefficients]) -> dict[tuple[str, int], Fraction]:
    return {
        (block, length): Fraction(count)
        for block, row in found.items()
        for length, count in enumerate(row)
        if count
    }


def _through(tape: Tape, found: dict[tuple[int, ...], Fraction]) -> dict[tuple[str, int], Fraction]:
    totals: Counter = Counter()
    for word, coefficient in found.items():
        for letter in word:
            totals[_block_name(tape, letter), len(word)] += coefficient
    return {key: count for key, count in totals.items() if count}


def _gradients(tape: Tape) -> dict[tuple[str, int], Fraction]:
    totals: Counter = Counter()
    for value, operation in enumerate(tape.operations):
        if isinstance(operation, Call):
            for word, coefficient in multiply_out(tape, (value,)).items():
                totals[_block_name(tape, value), len(word)] += coefficient
    return {key: count for key, count in totals.items() if count}


def _block_name(tape: Tape, letter: int) -> str:
    call = tape.operations[letter]
    assert isinstance(call, Call)
    return f"{call.block}[{call.index}]"
