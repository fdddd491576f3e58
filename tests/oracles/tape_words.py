"""A tape multiplied out into words, value by value: an oracle for what stages do to paths.

It reads the list of operations only, and takes every call for a letter; those of the operations
named in `kept` too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from fractions import Fraction

from recform.tape import Add, Call, Map, Project, Scale, Start, Tape

Words = dict[tuple[int, ...], Fraction]


def multiply_out(
    tape: Tape,
    sources: Collection[int],
    kept: Collection[type] = (),
    constant: Callable[[Fraction], Fraction] = lambda constant: constant,
) -> Words:
    """The words from the output to `sources`, by the places of their letters on the tape."""
    known: list[Words] = []
    for value, operation in enumerate(tape.operations):
        if value in sources:
            words: Words = {(): Fraction(1)}
        else:
            match operation:
                case Add(left=left, right=right):
                    words = dict(known[left])
                    for word, coefficient in known[right].items():
                        words[word] = words.get(word, Fraction(0)) + coefficient
                case Scale(factor=factor, argument=argument):
                    words = {word: constant(factor) * c for word, c in known[argument].items()}
                case Call() | Map() | Project() | Start():
                    words = known[operation.argument]
                    if isinstance(operation, (Call, *kept)):
                        words = {(value, *word): c for word, c in words.items()}
                case _:
                    words = {}
        known.append({word: c for word, c in words.items() if c})
    return {} if tape.output is None else known[tape.output]
