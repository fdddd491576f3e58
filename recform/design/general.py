"""General formulas: d x[L]/d x[l] as sums and products of F'[i], the paper's own way to ask.

    sum(prod(F'[i] for i in L-k..L-1) for k in 0..L-l)     Liao et al. (2021), eq. (12)
    prod(1 + F'[i] for i in l..L-1)                        their eq. (10), ResNet

At l = 0 and L = n it is a sum of words. The factors of a word stand in the order of their depths,
later ones on the left, whatever the order in which they are written. So the specification gives
every word over {s, F} of each length a coefficient, and is read as such.

>>> from recform.design.notation import read
>>> sorted(words_at(read("1 + sum(prod(F'[i] for i in L-k..L-1) for k in 1..L-l)"), 0, 3))
['FFF', 'FFs', 'Fss', 'sss']
"""

from __future__ import annotations

from fractions import Fraction

from recform.design.counting import holds, instances, value, whole, wrong
from recform.design.notation import Node

MAX_WORDS = 20_000
# Words up to which derivatives are read.
LONGEST_WORD = 11

# {depths that the word goes through, as bits: coefficient}
_Sum = dict[int, Fraction]


def words_at(node: Node, start: int, depth: int) -> dict[str, Fraction]:
    """The words of d x[depth]/d x[start], output first, with their coefficients.

    Raises FormulaError.
    """
    found = _expanded(node, {"L": depth, "l": start}, depth)
    return {_written(word, start, depth): c for word, c in found.items() if c}


def _written(word: int, start: int, depth: int) -> str:
    return "".join("F" if word >> layer & 1 else "s" for layer in reversed(range(start, depth)))


def _expanded(node: Node, names: dict[str, int], depth: int) -> _Sum:
    match node.operator, node.parts:
        case "letter", (index,):
            layer = whole(index, names)
            if layer >= depth >= LONGEST_WORD:
                raise wrong(node, f"F'[{layer}] stands behind x[L] for L = {depth}",
                            "the blocks between x[l] and x[L] are F[l] to F[L-1]")  # fmt: skip
            # Before x[l] there is no block, and F[0] is not there yet at L = 0.
            return {1 << layer: Fraction(1)} if names["l"] <= layer < depth else {}
        case (("+" | "-"), (left, right)):
            sign = 1 if node.operator == "+" else -1
            return _add(_expanded(left, names, depth), _expanded(right, names, depth), sign)
        case "*", (left, right):
            return _times(_expanded(left, names, depth), _expanded(right, names, depth), node)
        case "/", (left, right):
            divisor = value(right, names)
            if divisor == 0:
                raise wrong(node, "something is divided by zero", "check the divisor")
            return {word: c / divisor for word, c in _expanded(left, names, depth).items()}
        case "^", (base, exponent) if _has_letter(base):
            found: _Sum = {0: Fraction(1)}
            for _ in range(whole(exponent, names)):
                found = _times(found, _expanded(base, names, depth), node)
            return found
        case "if", (then, condition, otherwise):
            return _expanded(then if holds(condition, names) else otherwise, names, depth)
        case (("sum" | "prod"), _):
            return _reduced(node, names, depth)
    return {0: value(node, names)}


def _reduced(node: Node, names: dict[str, int], depth: int) -> _Sum:
    total: _Sum = {} if node.operator == "sum" else {0: Fraction(1)}
    for part in node.parts:
        for body, inner in instances(part, names):
            term = _expanded(body, inner, depth)
            total = _add(total, term, 1) if node.operator == "sum" else _times(total, term, node)
    return total


def _add(left: _Sum, right: _Sum, sign: int) -> _Sum:
    total = dict(left)
    for word, c in right.items():
        total[word] = total.get(word, Fraction(0)) + sign * c
    return {word: c for word, c in total.items() if c}


def _times(left: _Sum, right: _Sum, node: Node) -> _Sum:
    total: _Sum = {}
    for word, c in left.items():
        for other, d in right.items():
            if word & other:
                raise wrong(node, "a path goes twice through one block",
                            "each F'[i] stands once in a product")  # fmt: skip
            total[word | other] = total.get(word | other, Fraction(0)) + c * d
    if len(total) > MAX_WORDS:
        raise wrong(node, f"there are more than {MAX_WORDS:,} paths", "ask by --lengths")
    return {word: c for word, c in total.items() if c}


def _has_letter(node: Node) -> bool:
    return node.operator == "letter" or any(
        _has_letter(part) for part in node.parts if isinstance(part, Node)
    )
