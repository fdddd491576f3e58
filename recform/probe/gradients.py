"""Gradients that take some paths and no others.

The gradient of a loss by the input of a network's chain is a sum over words. Along one word it is

    d loss / d output * link * F'[i] * link * F'[j] * ... * link

F' the derivative of a block at the argument that the forward pass really had, and a link the sum
over the wires that lead from there to the next letter without a block: constants, derivatives of
activations and norms, projections. All wires that spell a word count together, as they do in its
coefficient. Where nothing but constants stands on the wires, a link is its coefficient times the
identity. Over all words that are drawn, these gradients add up to the whole one.

Veit et al. (2016, section 5) measure one path of a ResNet in the same way: the backward pass goes
through the branch of some blocks and through the skip connection of the others.
"""

# B batch

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from recform.probe.recording import Recording
from recform.probe.words import Word, source_of
from recform.tape import Call, Input

# A float32 ends at 2^128.
MAX_SHIFT = 100


@dataclass(frozen=True, eq=False)
class WordGradient:
    """The gradient along a word: `mantissa` * 2^`exponent`, by the input of the chain.

    Long paths have gradients that are too small for a float32; their mantissa is not.
    """

    word: Word
    mantissa: Tensor
    exponent: int

    def magnitude(self) -> float:
        """The Euclidean norm for each image, averaged over the batch."""
        norms_B = self.mantissa.flatten(1).double().norm(dim=1)
        return math.ldexp(norms_B.mean().item(), self.exponent)

    def tensor(self) -> Tensor:
        return self.mantissa.double() * 2.0**self.exponent


@dataclass
class _Branching:
    """Words that begin alike, as a tree: letter -> what follows it."""

    ends: bool = False
    letters: dict[int, _Branching] = field(default_factory=dict)

    def add(self, word: Word) -> None:
        branching = self
        for letter in word:
            branching = branching.letters.setdefault(letter, _Branching())
        branching.ends = True


@dataclass(frozen=True, eq=False)
class _Waiting:
    """An adjoint of a value, adjoint * 2^exponent, and the words that go on from there."""

    branching: _Branching
    word: Word
    value: int
    adjoint: Tensor
    exponent: int


def word_gradients(
    recording: Recording, adjoint: Tensor, words: Iterable[Word]
) -> Iterator[WordGradient]:
    """The gradient along each word, in any order. `adjoint` is that of the output.

    What words have in common at their beginning is computed once.
    """
    tape = recording.tape
    assert tape.output is not None, "an absent output has no words"
    source = source_of(tape)
    root = _Branching()
    for word in words:
        root.add(word)
    stack = [_Waiting(root, (), tape.output, adjoint, 0)]
    while stack:
        place = stack.pop()
        if place.word:
            place = _through_block(recording, place)
        targets = set(place.branching.letters)
        if place.branching.ends and source is not None:
            targets.add(source)
        reached = follow_links(recording, place.value, place.adjoint, targets)
        if source in targets:
            yield WordGradient(place.word, reached[source], place.exponent)
        for letter, branching in place.branching.letters.items():
            word = (*place.word, letter)
            stack.append(_Waiting(branching, word, letter, reached[letter], place.exponent))


def follow_links(
    recording: Recording, value: int, adjoint: Tensor, targets: set[int]
) -> dict[int, Tensor]:
    """The adjoints of letters, and of the input, over the wires from a value without a block."""
    pending = {value: adjoint}
    reached = {}
    # A value is made from earlier ones: what lies before all targets leads to none.
    for current in range(value, min(targets, default=value + 1) - 1, -1):
        if current not in pending:
            continue
        arrived = pending.pop(current)
        if current in targets:
            reached[current] = arrived
        elif not isinstance(recording.tape.operations[current], Call):
            for operand, part in recording.pull_back(current, arrived):
                pending[operand] = pending[operand] + part if operand in pending else part
    return reached


def gradients_by_length(recording: Recording, adjoint: Tensor) -> list[Tensor]:
    """The sums of the gradients along all drawn words of each length, from 0 on.

    They add up to the gradient of the loss. One backward pass in which each value has an adjoint
    for each number of blocks behind it.
    """
    tape = recording.tape
    assert tape.output is not None, "an absent output has no gradient"
    pending: dict[int, dict[int, Tensor]] = {tape.output: {0: adjoint}}
    by_length: dict[int, Tensor] = {}
    for value in range(tape.output, -1, -1):
        adjoints = pending.pop(value, {})
        operation = tape.operations[value]
        if isinstance(operation, Input):
            by_length = adjoints
        for length, arrived in adjoints.items():
            for operand, part in recording.pull_back(value, arrived):
                sums = pending.setdefault(operand, {})
                longer = length + isinstance(operation, Call)
                sums[longer] = sums[longer] + part if longer in sums else part
    if not by_length:
        return []
    nothing = torch.zeros_like(next(iter(by_length.values())))
    return [by_length.get(length, nothing) for length in range(max(by_length) + 1)]


def _through_block(recording: Recording, place: _Waiting) -> _Waiting:
    """From a letter to its argument, with the adjoint brought near 1."""
    ((argument, adjoint),) = recording.pull_back(place.value, place.adjoint)
    _, exponent = math.frexp(adjoint.abs().max().item())
    exponent = max(-MAX_SHIFT, min(MAX_SHIFT, exponent))
    return _Waiting(place.branching, place.word, argument, adjoint * 2.0**-exponent,
                    place.exponent + exponent)  # fmt: skip
