"""Formulas with products of values, compared to a depth: outputs as polynomials.

What is multiplied place by place commutes, so a value is a polynomial in *atoms*: the input, each
application of a block, each learned coefficient, and each function of several values. An atom is
told by its name, index and argument, which is a polynomial again. Outputs that are the same
polynomial are the same function, whatever the blocks are, so they have the same paths.

    x + T(x)*(F(x) - x)   and   T(x)*F(x) + (1 - T(x))*x       x - T x + T F

Blocks may be any functions, so two polynomials in blocks and free coefficients differ for some
blocks; then the derivatives differ, too, if an atom leads back to the input. Coefficients under a
constraint and functions such as `max` obey laws of their own: there nothing is concluded.

>>> from recform.formula import parse
>>> one = parse("block T; x[l+1] = x[l] + T(x[l])*(F(x[l]) - x[l])")
>>> other = parse("block T; x[l+1] = T(x[l])*F(x[l]) + (1 - T(x[l]))*x[l]")
>>> compare_products(one, other)
ComparedProducts(checked_depth=7, witness=None, proves=False)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from recform.formula import Formula
from recform.formula.library import STOP
from recform.formula.show import number_to_text
from recform.paths.difference import Difference, missing
from recform.paths.histories import tape_at
from recform.paths.letters import TRANSPARENT, is_letter, kind_of_map
from recform.tape import Exact, Irrational, Parameter, Tape, fold, parameter_to_text
from recform.tape.radicals import TooManyRadicals

# Terms grow by a factor at each depth, and degrees may double.
MAX_TERMS = 500
MAX_PRODUCTS = 10_000
MAX_DEGREE = 32
MAX_DEPTH = 12
MAX_NAME = 40

# The numbers of the atoms of a product, in ascending order, with repeats -> its coefficient.
Polynomial = Mapping[tuple[int, ...], Exact]

INPUT = 0


@dataclass(frozen=True)
class ComparedProducts:
    """No difference of outputs down to `checked_depth`, or the first one, `witness`.

    `proves`: it is one of the paths from x[0]; else the outputs may differ by a constant, or by
    nothing at all because of a law that an atom obeys.
    """

    checked_depth: int
    witness: Difference | None = None
    proves: bool = False


def compare_products(
    left: Formula, right: Formula, kept: Collection[str] = TRANSPARENT
) -> ComparedProducts:
    """Compare depth by depth, down to `MAX_DEPTH` or the last at which no value is too long."""
    algebra = Polynomials(kept)
    for depth in range(MAX_DEPTH + 1):
        try:
            one, other = (_output(tape_at(side, depth), algebra) for side in (left, right))
        except (TooManyTermsError, TooManyRadicals):
            return ComparedProducts(depth - 1)
        if one is None and other is None:
            continue
        if one is None or other is None:
            return ComparedProducts(depth, missing(depth, 0, other is None), True)
        difference = algebra.add(one, algebra.scale(-1, other))
        if difference:
            witness = _told(depth, (one, other), difference, algebra)
            return ComparedProducts(depth, witness, algebra.is_of_paths(difference))
    return ComparedProducts(MAX_DEPTH)


def _output(tape: Tape | None, algebra: Polynomials) -> Polynomial | None:
    """None where the formula does not exist."""
    if tape is None:
        return None
    return {} if tape.output is None else fold(tape, algebra)


def _told(
    depth: int, sides: Sequence[Polynomial], difference: Polynomial, algebra: Polynomials
) -> Difference:
    """The shortest product in which the outputs differ, and its coefficients."""
    product = min(difference, key=lambda product: (len(product), product))
    one, other = (side.get(product, 0) for side in sides)
    shown = algebra.product_text(product)
    text = (f"at depth {depth}, {shown} has the coefficient {_text(one)} in the first formula and "
            f"{_text(other)} in the second")  # fmt: skip
    return Difference(depth, 0, shown, one, other, text)


def _text(number: Exact) -> str:
    return str(number) if isinstance(number, Irrational) else number_to_text(Fraction(number))


class TooManyTermsError(Exception):
    """A value has more terms, or more factors, than are compared."""


@dataclass(frozen=True)
class Atom:
    """`leads`: whether a path goes through it to the input; `free`: whether it obeys no law."""

    name: str
    leads: bool
    free: bool = True


@dataclass(frozen=True)
class Polynomials:
    """The algebra of values as polynomials. Maps of a kind that is kept are atoms."""

    kept: Collection[str] = TRANSPARENT
    atoms: list[Atom] = field(default_factory=lambda: [Atom("x[0]", True)])
    numbers: dict[object, int] = field(default_factory=dict)

    def input(self) -> Polynomial:
        return {(INPUT,): 1}

    def zero(self) -> Polynomial:
        return {}

    def one(self) -> Polynomial:
        return {(): 1}

    def call(self, block: str, index: int | None, argument: Polynomial) -> Polynomial:
        # A block of nothing but zeros is a constant and on no path.
        return self._atom(block, index, [argument]) if argument else {}

    def map(self, function: str, index: int | None, argument: Polynomial) -> Polynomial:
        if function == STOP:
            return self._atom(function, index, [argument], leads=False)
        if not is_letter(kind_of_map(function), self.kept):
            return argument
        return self.call(function, index, argument)

    def drop(self, rate: Fraction, index: int, argument: Polynomial) -> Polynomial:
        return argument

    def scale(self, factor: Exact, argument: Polynomial) -> Polynomial:
        return {product: factor * inner for product, inner in argument.items()} if factor else {}

    def add(self, left: Polynomial, right: Polynomial) -> Polynomial:
        total = dict(left)
        for product, factor in right.items():
            total[product] = total.get(product, 0) + factor
        return self._some({product: factor for product, factor in total.items() if factor != 0})

    def multiply(self, left: Polynomial, right: Polynomial) -> Polynomial:
        degree = sum(max(map(len, side), default=0) for side in (left, right))
        if len(left) * len(right) > MAX_PRODUCTS or degree > MAX_DEGREE:
            raise TooManyTermsError
        total: dict[tuple[int, ...], Exact] = {}
        for one, factor in left.items():
            for other, by in right.items():
                product = tuple(sorted((*one, *other)))
                total[product] = total.get(product, 0) + factor * by
        return self._some({product: factor for product, factor in total.items() if factor != 0})

    def start(self, label: str, argument: Polynomial) -> Polynomial:
        return argument

    def project(
        self, border: int, label: str, is_shortcut: bool, argument: Polynomial
    ) -> Polynomial:
        return argument

    def parameter(self, parameter: Parameter) -> Polynomial:
        free = parameter.param.constraint is None
        key = (parameter.param.name, parameter.place, parameter.entry)
        return self._numbered(key, Atom(parameter_to_text(parameter), False, free))

    def combine(
        self, function: str, index: int | None, arguments: Sequence[Polynomial]
    ) -> Polynomial:
        return self._atom(function, index, arguments, free=False)

    def part(self, number: int, count: int, argument: Polynomial) -> Polynomial:
        return self._atom(f"part{number}of{count}", None, [argument], free=False)

    def _atom(
        self, name: str, index: int | None, arguments: Sequence[Polynomial], *,
        leads: bool = True, free: bool = True,
    ) -> Polynomial:  # fmt: skip
        key = (name, index, *(frozenset(argument.items()) for argument in arguments))
        place = "" if index is None else f"[{index}]"
        inside = [self.atoms[k] for argument in arguments for product in argument for k in product]
        shown = ", ".join(map(self.text, arguments))
        shown = shown if len(shown) <= MAX_NAME else "..."
        return self._numbered(key, Atom(f"{name}{place}({shown})",
                                        leads and any(atom.leads for atom in inside),
                                        free and all(atom.free for atom in inside)))  # fmt: skip

    def _numbered(self, key: object, atom: Atom) -> Polynomial:
        if key not in self.numbers:
            self.numbers[key] = len(self.atoms)
            self.atoms.append(atom)
        return {(self.numbers[key],): 1}

    def _some(self, polynomial: Polynomial) -> Polynomial:
        if len(polynomial) > MAX_TERMS:
            raise TooManyTermsError
        return polynomial

    def is_of_paths(self, difference: Polynomial) -> bool:
        """Whether outputs with this difference have other derivatives, for some blocks."""
        inside = [self.atoms[number] for product in difference for number in product]
        return all(atom.free for atom in inside) and any(atom.leads for atom in inside)

    def text(self, polynomial: Polynomial) -> str:
        """The terms, those with the oldest atoms first."""
        return " + ".join(
            self.product_text(product) if factor == 1 else f"{factor}*{self.product_text(product)}"
            for product, factor in sorted(polynomial.items())
        ) or "0"  # fmt: skip

    def product_text(self, product: Sequence[int]) -> str:
        return "*".join(self.atoms[number].name for number in product) or "1"
