"""Random pairs of formulas that settle: half of them rewritten, half of them changed.

A formula is a list of terms of x[l+1]. Rewriting keeps its paths from the start, by construction;
a change turns one sign, index, coefficient or block into another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

ARGUMENTS = ("x[l]", "x[l]", "x[l]", "x[l-1]", "x[l-1]", "x[l-2]", "2*x[l] - x[l-1]", "x[l] - x[0]",
             "F(x[l])", "x[l] + F(x[l-1])")  # fmt: skip
COEFFICIENTS = (1, 1, 1, -1, -1, 2, Fraction(1, 2), Fraction(-2, 3))
STARTS = ("", "", "init x[-1] = x[0]", "init x[-1] = 1/2*x[0]", "init F(x[-1]) = x[0]",
          "init x[-1] = absent")  # fmt: skip
HISTORIES = ("sum(F(x[i]) for i in 0..l)", "sum(x[i] for i in 0..l)", "sum(G(x[i]) for i in 0..l)")


@dataclass(frozen=True)
class Written:
    """x[l+1] as a sum of terms, and what stands around it."""

    terms: tuple[tuple[Fraction, str], ...]
    start: str
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        right = " + ".join(f"({factor})*{term}" for factor, term in self.terms)
        lines = ["block G", f"x[l+1] = {right}", *self.others, self.start]
        return "\n".join(line for line in lines if line)


def random_formula(random: Random) -> Written:
    terms = [(Fraction(random.choice(COEFFICIENTS)), _term(random))
             for _ in range(random.choice((1, 2, 2, 3, 3)))]  # fmt: skip
    terms.append((Fraction(1), random.choice(("x[l]", "F(x[l])"))))
    return Written(tuple(terms), random.choice(STARTS))


def _term(random: Random) -> str:
    block = random.choice("FFFG")
    match random.randrange(8):
        case 0 | 1:
            return random.choice(("x[l]", "x[l-1]", "x[l-2]", "x[0]"))
        case 2:
            return random.choice(HISTORIES)
        case 3:
            return f"{block}[l](x[l-1])"
        case 4:
            return f"({block}(x[l]) if l % 2 == 0 else x[l])"
    return f"{block}({random.choice(ARGUMENTS)})"


def rewritten(formula: Written, random: Random) -> str:
    """The same paths from the start, in other words."""
    ways = [_reorder, _split, _cancel, _name_a_part, _run_sums, _delay_a_part]
    for way in random.sample(ways, random.choice((2, 3, 4))):
        formula = way(formula, random)
    text = str(formula)
    return text.replace("x[", "u[") if random.randrange(2) else text


def _reorder(formula: Written, random: Random) -> Written:
    return replace(formula, terms=tuple(random.sample(formula.terms, len(formula.terms))))


def _split(formula: Written, random: Random) -> Written:
    """c*T as a*T + b*T."""
    place = random.randrange(len(formula.terms))
    factor, term = formula.terms[place]
    part = Fraction(random.choice((1, 3, -1)), random.choice((1, 2)))
    terms = [*formula.terms, (part, term)]
    terms[place] = (factor - part, term)
    return replace(formula, terms=tuple(terms))


def _cancel(formula: Written, random: Random) -> Written:
    """T - T for a T that is there at every depth."""
    term = random.choice(("x[l]", "F(x[l])", "G(x[l])", "F(2*x[l])", "G(F(x[l]))"))
    return replace(formula, terms=((Fraction(2), term), *formula.terms, (Fraction(-2), term)))


def _name_a_part(formula: Written, random: Random) -> Written:
    """z[l] = (some terms), x[l+1] = z[l] + (the others)."""
    if any(line.startswith("z[l]") for line in formula.others):
        return formula
    named = [term for term in formula.terms if "[l+1]" not in term[1]][: random.randint(1, 3)]
    if not named:
        return formula
    part = " + ".join(f"({factor})*{term}" for factor, term in named)
    rest = list(formula.terms)
    for term in named:
        rest.remove(term)
    others = (*formula.others, f"z[l] = {part}")
    return Written(((Fraction(1), "z[l]"), *rest), formula.start, others)


def _run_sums(formula: Written, random: Random) -> Written:
    """A history sum as a state of its own, which grows by a term at each depth."""
    for place, (factor, term) in enumerate(formula.terms):
        if term in HISTORIES:
            grown = term.removeprefix("sum(").partition(" for ")[0].replace("[i]", "[l]")
            terms = list(formula.terms)
            terms[place] = (factor, "v[l+1]")
            others = (*formula.others, f"v[l+1] = v[l] + {grown}", "init v[0] = 0")
            return replace(formula, terms=tuple(terms), others=others)
    return formula


def _delay_a_part(formula: Written, random: Random) -> Written:
    """x[l-1] as w[l], a state that holds the x of one depth earlier."""
    if not any(term == "x[l-1]" for _, term in formula.terms) or formula.start:
        return formula
    terms = tuple((f, "w[l]" if term == "x[l-1]" else term) for f, term in formula.terms)
    others = (*formula.others, "w[l+1] = x[l]", "init w[0] = absent")
    return replace(formula, terms=terms, others=others)


def changed(formula: Written, random: Random) -> str:
    """One sign, index, coefficient, start or block is another."""
    terms = list(formula.terms)
    place = random.randrange(len(terms))
    factor, term = terms[place]
    changes = {
        "sign": (-factor, term),
        "coefficient": (factor + random.choice((1, Fraction(1, 3))), term),
        "index": (factor, term.replace("[l]", "[l-1]", 1) if "[l]" in term
                  else term.replace("[l-1]", "[l]", 1)),
        "block": (factor, term.replace("F", "G") if "F" in term else f"F({term})"),
        "start": (factor, term),
    }  # fmt: skip
    kind = random.choice(sorted(changes))
    terms[place] = changes[kind]
    start = random.choice(STARTS) if kind == "start" else formula.start
    return str(Written(tuple(terms), start, formula.others))
