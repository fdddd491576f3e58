"""Random formulas of the whole language: those of the core, with gates, coefficients and functions.

To the equations of a random core formula terms are added, one row of `TERMS` each; declarations
stand above. Every formula is valid by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hypothesis import strategies as st

from laws.formulas import _write
from recform.formula import parse

DECLARATIONS = (
    "param a[l] = 1/3",
    "param b = -1/2",
    "param p[l, i] = 1/(l + i + 1)",
    "history stage",
)
# What a term is made of: `s` is a state.
VALUES = ("{s}[l]", "{s}[l-1]", "F({s}[l])", "F({s}[l-1])", "F[l]({s}[0])", "{s}[0]", "{s}[s]",
          "relu(F({s}[l]))", "F(norm({s}[l]))", "2*{s}[l]", "({s}[l] - F({s}[l]))")  # fmt: skip

Term = Callable[[Callable[[], str], Random], str]

TERMS: dict[str, Term] = {
    "a coefficient a block": lambda v, r: f"a[l]*{v()}",
    "a coefficient for all": lambda v, r: f"b*{v()}",
    "one minus a coefficient": lambda v, r: f"(1 - a[l])*{v()}",
    "an older coefficient": lambda v, r: f"a[l-1]*{v()}",
    "coefficients multiplied": lambda v, r: f"a[l]*b*{v()}",
    "a coefficient through a map": lambda v, r: f"relu(2*a[l] - b)*{v()}",
    "a pair of depths": lambda v, r: "sum(p[l, i]*x[i] for i in 0..l)",
    "a bias": lambda v, r: f"({v()} + a[l])",
    "a product": lambda v, r: f"{v()}*{v()}",
    "a gate": lambda v, r: f"({v()}*{v()} + (1 - {v()})*{v()})",
    "a gate that cancels": lambda v, r: (lambda t, u: f"({t}*{u} - {u}*{t})")(v(), v()),
    "a product in a block": lambda v, r: f"F({v()}*{v()})",
    "stopgrad": lambda v, r: f"stopgrad({v()})",
    "drop": lambda v, r: f"drop({v()}, 1/4)",
    "cat": lambda v, r: f"cat({v()}, {v()})",
    "max": lambda v, r: f"max({v()}, {v()})",
    "gate": lambda v, r: f"gate({v()}, {v()}, {v()})",
    "gate over a range": lambda v, r: f"gate_static({v()}, x[l - 2^k + 1] for k in 0..)",
    "attend": lambda v, r: "attend(x[0], F(x[i]) for i in 0..l)",
    "gru": lambda v, r: f"gru({v()}, {v()})",
    "linear": lambda v, r: f"linear({v()})",
    "se": lambda v, r: f"se({v()})",
    "a function twice": lambda v, r: (lambda t: f"(max({t}, x[l]) - max({t}, x[l]))")(v()),
    "the stage": lambda v, r: "sum(F(x[i]) for i in s..l)",
}  # fmt: skip


def whole_formulas(most: int = 3) -> st.SearchStrategy[str]:
    """The texts of valid formulas, each with one to `most` terms that are not of the core."""
    return st.builds(
        _write_whole, st.integers(1, most), st.integers(1, 3), st.randoms(use_true_random=True)
    )


def _write_whole(num_terms: int, num_core: int, random: Random) -> str:
    lines = _write(num_core, random).split("\n")
    # The main state is called x, which is what ranges of terms read.
    if "x" not in parse("\n".join(lines)).states:
        lines = _with_x(lines)
    step = next(k for k, line in enumerate(lines) if line.partition("=")[0] == "x[l+1] ")
    for name in random.sample(sorted(TERMS), num_terms):
        term = TERMS[name](lambda: random.choice(VALUES).format(s="x"), random)
        lines[step] += f" {random.choice('++-')} {term}"
    lines += DECLARATIONS[:3]
    return "\n".join([*lines, *random.sample(DECLARATIONS[3:], random.choice((0, 1)))])


def _with_x(lines: list[str]) -> list[str]:
    """The same formula with a main state x beside its own, which starts as before."""
    formula = parse("\n".join(lines))
    inputs = ", ".join((*formula.starts, "x"))
    kept = [line for line in lines if not line.startswith("input ")]
    given = any(init.state == formula.main and init.depth == 0 for init in formula.inits)
    if formula.main not in formula.starts and not given:
        # Only the main state needs no start.
        kept.append(f"init {formula.main}[0] = absent")
    return [*kept, f"input {inputs}", f"x[l+1] = x[l] + F({formula.main}[l])"]
