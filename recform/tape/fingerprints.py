"""Fingerprints of values: the same for values that differ in the order of their terms alone.

A sum has the sum of its terms' fingerprints and a product is told by its factors, so that order
and grouping do not matter; a constant times a value is told by both. Everything else is hashed
with what it is made of. Fingerprints have 256 bits of a cryptographic hash: two different values
never share one in practice.
"""

from __future__ import annotations

from fractions import Fraction
from hashlib import blake2b

from recform.tape.operations import (
    Add,
    Call,
    Combine,
    Input,
    Map,
    Multiply,
    One,
    Operation,
    Parameter,
    Part,
    Project,
    Scale,
    Start,
    Zero,
)
from recform.tape.radicals import Exact

_MODULUS = 2**256
_ONE = 1


class Fingerprints:
    """The fingerprints of operations that are told one after the other.

    A value is a constant times another that is none: `factors` and `cores` say which, and
    `known` what both are together.
    """

    def __init__(self) -> None:
        self.known: list[int] = []
        self.factors: list[Exact] = []
        self.cores: list[int] = []
        # Products by their factors, so that (a*b)*c is a*(b*c).
        self._products: dict[int, int] = {}

    def append(self, operation: Operation) -> int:
        """The fingerprint of the next operation, whose operands came before."""
        known = self.known
        factor: Exact = _ONE
        match operation:
            case Add(left=left, right=right):
                core = (known[left] + known[right]) % _MODULUS
            case Call(block=block, index=index, argument=argument):
                core = _hash(f"call {block} {index} {known[argument]:x}")
            case Scale(factor=outer, argument=argument):
                inner, core = self.factors[argument], self.cores[argument]
                factor = outer if inner == 1 else outer * inner
            case Start(argument=argument) | Project(argument=argument):
                factor, core = self.factors[argument], self.cores[argument]
            case Multiply(left=left, right=right):
                factor = self.factors[left] * self.factors[right]
                core = self._product(self.cores[left], self.cores[right])
            case Map(function=function, index=index, argument=argument, number=number):
                written = "" if number is None else f" {number}"
                core = _hash(f"map {function} {index} {known[argument]:x}{written}")
            case Combine(function=function, index=index, arguments=arguments):
                written = " ".join(f"{known[argument]:x}" for argument in arguments)
                core = _hash(f"combine {function} {index} {written}")
            case Part(number=number, count=count, argument=argument):
                core = _hash(f"part {number} {count} {known[argument]:x}")
            case Parameter(param=param, place=place, entry=entry):
                core = _hash(f"param {param.name} {place} {entry}")
            case Input() | Zero() | One():
                core = _hash(type(operation).__name__)
        self.factors.append(factor)
        self.cores.append(core)
        known.append(core if factor == 1 else _hash(f"scale {_written(factor)} {core:x}"))
        return known[-1]

    def _product(self, left: int, right: int) -> int:
        factors = 1
        for core in (left, right):
            factors = factors * self._products.get(core, 2 * core + 1) % _MODULUS
        core = _hash(f"multiply {factors:x}")
        self._products[core] = factors
        return core


def _written(factor: Exact) -> str:
    if isinstance(factor, int | Fraction):
        return f"{factor.numerator:x}/{factor.denominator:x}"
    return str(factor)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=32).digest(), "big")
