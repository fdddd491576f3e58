"""Reversibility: which values can be forgotten, because later ones give them back.

An ordinary training step keeps all states for the backward pass. Some formulas need not: in RevNet
(Gomez et al. 2017, arXiv 1707.04585) and in momentum and leapfrog nets each equation can be solved
for the oldest state in it,

    x[l+1] = 2*x[l] - x[l-1] + F(x[l])      gives      x[l-1] = 2*x[l] - x[l+1] + F(x[l])

Whether that is so is read off the tape, layer by layer. What lives behind a layer is known. A value
is known if all that it is made from is, for blocks can be applied again; and one operand of a sum
is known if the sum and the other operand are. A layer is reversible iff all that lived before it
becomes known. Blocks, activations and norms are never inverted themselves. What an older layer made
of a state that still lives is made of it again: in Milne's x[l+1] = x[l-3] + ... + 8/3*F(x[l-2])
the block l-2 runs once more on x[l-2], and then the equation gives x[l-3].

>>> from recform.formula import parse
>>> reversibility(parse("x[l+1] = 2*x[l] - x[l-1] + F(x[l])")).inverse
('x[l-1] = 2*x[l] - x[l+1] + F(x[l])',)
>>> reversibility(parse("x[l+1] = x[l] + F(x[l])")).reason
'x[l] is lost: no equation gives it from x[l+1]'
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from recform.errors import FormulaError
from recform.formula import Formula
from recform.tape.fold import last_uses
from recform.tape.inverse import Layer, equations, why_lost
from recform.tape.operations import (
    Add,
    Call,
    Multiply,
    One,
    Parameter,
    Scale,
    Start,
    Tape,
    Zero,
    operands,
)
from recform.tape.unroll import unroll

# Layers that are looked at; a formula whose coefficients depend on l may differ further on.
LEAST_DEPTH, MOST_DEPTH = 12, 24


@dataclass(frozen=True)
class Reversibility:
    """Whether a training step may forget the states of a formula, and what gives them back.

    `inverse` has an equation for each value that is solved for. `reason` says what is lost where
    the formula is not reversible. It was checked to `checked_depth`, within one stage.
    """

    is_reversible: bool
    inverse: tuple[str, ...]
    reason: str | None
    checked_depth: int


def layer_ends(tape: Tape, formula: Formula) -> tuple[int, ...]:
    """The last value of the start, and of each layer: when all states of depth l+1 are there."""
    steps = {equation.state for equation in formula.steps}
    ends = [0] * (tape.depth + 1)
    for (state, depth), value in tape.states.items():
        if state.split(".")[0] in steps and 0 <= depth <= tape.depth:
            ends[depth] = max(ends[depth], value)
    return tuple(accumulate(ends, max))


def reversed_layers(tape: Tape, formula: Formula) -> tuple[Layer, ...]:
    """The layers of a tape, each read backwards."""
    constant = _constants(tape)
    last = last_uses(tape)
    ends = layer_ends(tape, formula)
    layers = []
    for first, end in pairwise(ends):
        before, after = (tuple(v for v in range(cut + 1) if last[v] > cut and not constant[v])
                         for cut in (first, end))  # fmt: skip
        again = _made_again(tape, ends, before, after)
        values = (*again, *range(first + 1, end + 1))
        solved, lost = _solve(tape, constant, values, before, after)
        layers.append(Layer(first + 1, end, before, after, solved, lost))
    return tuple(layers)


def reversibility(formula: Formula, depth: int = MOST_DEPTH) -> Reversibility | None:
    """Whether a formula is reversible by algebra, to a depth between 12 and 24.

    The last layers do not count, where states end that nothing reads any more. None if the formula
    cannot be written out to that depth.
    """
    depth = max(LEAST_DEPTH, min(depth, MOST_DEPTH))
    try:
        tape = unroll(formula, depth)
    except FormulaError:
        return None
    if tape.output is None:
        return None
    layers = reversed_layers(tape, formula)
    width = max(len(layer.after) for layer in layers[: depth // 2])
    inner = layers[: max(depth // 2, depth - width)]
    place = max((place for place, layer in enumerate(inner) if layer.lost), default=None)
    if place is not None:
        return Reversibility(False, (), why_lost(tape, inner[place], place), depth)
    if not inner[-1].solved or len(inner[-1].before) > len(inner[len(inner) // 2].before):
        reason = "nothing is forgotten: the values that are read again grow in number with depth"
        return Reversibility(False, (), reason, depth)
    return Reversibility(True, _inverse(tape, inner), None, depth)


def _constants(tape: Tape) -> list[bool]:
    """For each value whether no input reaches it: numbers and learned coefficients."""
    constant: list[bool] = []
    for operation in tape.operations:
        is_plain = isinstance(operation, Zero | One | Parameter)
        read = operands(operation)
        constant.append(is_plain or (bool(read) and all(constant[value] for value in read)
                                     and not isinstance(operation, Call)))  # fmt: skip
    return constant


def _made_again(
    tape: Tape, ends: Sequence[int], before: Sequence[int], after: Sequence[int]
) -> tuple[int, ...]:
    """The older values that are no states and end in a layer, with what their own layer made them
    of: they are known again where the states are."""
    states = {*tape.states.values(), *after}
    found: set[int] = set()
    for value in before:
        place = bisect_left(ends, value)
        waiting = [value] if place else []
        while waiting:
            inner = waiting.pop()
            # No further back than the layer, or the whole net would be run again for each.
            if inner > ends[place - 1] and inner not in states and inner not in found:
                found.add(inner)
                waiting += operands(tape.operations[inner])
    return tuple(sorted(found))


def _solve(
    tape: Tape,
    constant: Sequence[bool],
    layer: Sequence[int],
    before: Sequence[int],
    after: Sequence[int],
) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """What the equations of a layer give, and what lived before and is lost.

    `layer` has its values, behind those that are made again.
    """
    known = set(after)
    solved: list[tuple[int, int]] = []
    grows = True
    while grows:
        grows = False
        for value in layer:
            missing = [v for v in operands(tape.operations[value])
                       if v not in known and not constant[v]]  # fmt: skip
            if value not in known and not missing:
                known.add(value)
                grows = True
            elif value in known and len(missing) == 1 and _can_solve(tape, value, missing[0]):
                known.add(missing[0])
                solved.append((missing[0], value))
                grows = True
    return tuple(solved), tuple(value for value in before if value not in known)


def _can_solve(tape: Tape, value: int, operand: int) -> bool:
    """Whether an operation, its result and its other operands give an operand exactly."""
    match tape.operations[value]:
        case Add(left=left, right=right):
            return left != right
        case Scale(factor=factor):
            return factor != 0
        case Start():
            return True
        case Multiply(left=left, right=right):
            other = tape.operations[right if left == operand else left]
            return isinstance(other, Parameter) and other.param.constraint == "sigmoid"
    return False


def _inverse(tape: Tape, inner: Sequence[Layer]) -> tuple[str, ...]:
    """The equations that give the older values back, for every l if they are the same for two."""
    last = len(inner) - 1
    texts = [equations(tape, inner[place], place) for place in (last, last - 1)]
    if texts[0] == texts[1]:
        return texts[0]
    return tuple(f"{text}, at l = {last}" for text in texts[0])
