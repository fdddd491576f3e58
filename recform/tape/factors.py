"""Gates that a formula writes out as products, by name.

Highway's `T(x[l])*F(x[l]) + (1 - T(x[l]))*x[l]` gates by a block and by a product: on the tape T[7]
is a factor, once as it is and once as what it leaves to 1 (Srivastava et al. 2015).

>>> from recform.formula import parse
>>> from recform.tape import unroll
>>> formula = parse("block T\\nx[l+1] = sigmoid(T(x[l]))*F(x[l]) + x[l]")
>>> tape = unroll(formula, depth=2)
>>> {name: str(tape).splitlines()[value] for name, value in written_gates(tape, formula).items()}
{'sigmoid(T).0': 'v2 = sigmoid(v1)', 'sigmoid(T).1': 'v7 = sigmoid(v6)'}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from recform.formula import Formula
from recform.tape.operations import (
    Add,
    Call,
    Map,
    Multiply,
    One,
    Operation,
    Parameter,
    Project,
    Scale,
    Start,
    Tape,
    operands,
)

SIGMOID = "sigmoid"


def written_gates(tape: Tape, formula: Formula) -> dict[str, int]:
    """The gates that are written out, by name, and their values on the tape, in order.

    A gate is a factor of a product, or 1 minus it is, and stands between 0 and 1: a `sigmoid`, a
    block of the library that ends in one (`block T = sigmoid_conv1x1`), or, by its use, a block of
    which 1 minus it is a factor. Numbers alone are coefficients, and no gates.
    """
    bounded = {made.block for made in formula.definitions if made.source.startswith(SIGMOID)}
    left_over = {value for value, is_left_over in _factors(tape) if is_left_over}
    return {
        name: value
        for name, value in factors(tape).items()
        if value in left_over or _is_bounded(tape.operations[value], bounded)
    }


def factors(tape: Tape) -> dict[str, int]:
    """Blocks and sigmoids that are factors of products, or leave one to 1, by name.

    T.7 is block T[7], sigmoid(T).7 the sigmoid of it, sigmoid.7 any other that is made for depth
    8; a further one of the same name is T.7_1.
    """
    numbers = _numbers(tape)
    known: Counter = Counter()
    named = {}
    for value in sorted({value for value, _ in _factors(tape)} - numbers):
        family = _family(tape, value)
        if family is None:
            continue
        name = f"{family}.{block_of(tape, value)}"
        named[name + (f"_{known[name]}" if known[name] else "")] = value
        known[name] += 1
    return named


def block_of(tape: Tape, value: int) -> int:
    """The block of a call, or that behind which the value is made."""
    operation = tape.operations[value]
    if isinstance(operation, Map):
        operation = _source(tape, operation.argument)
    if isinstance(operation, Call):
        return operation.index
    later = [depth for (_, depth), state in tape.states.items() if state >= value and depth > 0]
    return min(later, default=tape.depth) - 1


def _family(tape: Tape, value: int) -> str | None:
    operation = tape.operations[value]
    if isinstance(operation, Call):
        return operation.block
    if not isinstance(operation, Map) or operation.function != SIGMOID:
        return None
    inner = _source(tape, operation.argument)
    return f"{SIGMOID}({inner.block})" if isinstance(inner, Call) else SIGMOID


def _source(tape: Tape, value: int) -> Operation:
    """What makes a value, seen through names and stage borders."""
    operation = tape.operations[value]
    while isinstance(operation, Start | Project):
        operation = tape.operations[operation.argument]
    return operation


def _is_bounded(operation: Operation, blocks: set[str]) -> bool:
    return isinstance(operation, Map) or (isinstance(operation, Call) and operation.block in blocks)


def _factors(tape: Tape) -> Iterator[tuple[int, bool]]:
    """The values that are factors, False; those that 1 minus which is one, True."""
    for operation in tape.operations:
        if isinstance(operation, Multiply):
            for factor in operands(operation):
                rest = _left_to_one(tape, factor)
                yield (_unscaled(tape, factor), False) if rest is None else (rest, True)


def _unscaled(tape: Tape, value: int) -> int:
    """v, if the value is a constant times v."""
    operation = tape.operations[value]
    return operation.argument if isinstance(operation, Scale) else value


def _left_to_one(tape: Tape, value: int) -> int | None:
    """v, if the value is 1 - v."""
    operation = tape.operations[value]
    if not isinstance(operation, Add):
        return None
    for one, other in (operands(operation), operands(operation)[::-1]):
        taken = tape.operations[other]
        if isinstance(tape.operations[one], One) and isinstance(taken, Scale):
            return taken.argument if taken.factor == -1 else None
    return None


def _numbers(tape: Tape) -> set[int]:
    """The values that are made of numbers alone."""
    found: set[int] = set()
    for value, operation in enumerate(tape.operations):
        sources = operands(operation)
        if isinstance(operation, One | Parameter) or (sources and found.issuperset(sources)):
            found.add(value)
    return found
