"""Random formulas that settle to a recurrence: a hypothesis strategy.

Constant coefficients and finite memory, running sums, cases and filters by the residue of the
depth, start values, several states, nested blocks. Every formula is valid by construction.
"""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

CONSTANTS = ("2", "1/3", "-2", "3/2", "-1", "0.5")
CASES = ("l % 2 == 0", "l % 3 != 1", "l < 2", "l % 2 == 0 or l > 3", "not l == 1")
SUMS = (
    "sum({e} for i in 0..l)", "sum({e} for i in 0..l-1)", "sum({e} for i in 1..l)",
    "sum({e} for i in 0..l if i % 2 == 0)", "sum({e} for i in 0..l if i % 2 == l % 2)",
    "sum({e} for i in l-2..l)", "sum({e} for i in 0..l if i > 1)",
)  # fmt: skip
DISTANCES = ("sum({s}[l-k] for k in 1..l)", "sum({s}[l-k] for k in 0..2)",
             "sum(F({s}[l-k]) for k in 0..l)")  # fmt: skip


class _Writer:
    def __init__(self, random: Random, states: list[str], earlier: list[str]) -> None:
        self.random, self.states, self.earlier = random, states, earlier

    def read(self) -> str:
        state = self.random.choice(self.states)
        return f"{state}[{self.random.choice(('l', 'l', 'l', 'l-1', 'l-2', '0'))}]"

    def argument(self) -> str:
        match self.random.randrange(6):
            case 0:
                return f"{self.read()} - {self.read()}"
            case 1:
                return f"F({self.read()})"
            case 2:
                return f"act({self.read()} + 2*{self.read()})"
        return self.read()

    def term(self) -> str:
        choice = self.random.randrange(12)
        state = self.random.choice(self.states)
        if choice < 3:
            return self.read()
        if choice < 6:
            return f"{self.random.choice('FFG')}({self.argument()})"
        if choice == 6:
            inner = self.random.choice((f"{state}[i]", f"F({state}[i])", f"G({state}[i]) - x[i]"))
            return self.random.choice(SUMS).format(e=f"({inner})" if " " in inner else inner)
        if choice == 7:
            return self.random.choice(DISTANCES).format(s=state)
        if choice == 8:
            return f"({self.read()} if {self.random.choice(CASES)} else F({self.read()}))"
        if choice == 9:
            return f"F[{self.random.choice(('l', '0', 'l-1'))}]({self.read()})"
        if choice == 10:
            return f"{self.random.choice(('(-1)^l', '(l % 2)'))}*{self.read()}"
        return f"G({self.random.choice(self.earlier)}[l+1])" if self.earlier else "mean(x[l], x[0])"

    def equation(self) -> str:
        terms = [self.term() for _ in range(self.random.randrange(1, 5))]
        text = terms[0]
        for term in terms[1:]:
            factor = self.random.choice(("", "", f"{self.random.choice(CONSTANTS)}*"))
            text += f" {self.random.choice('+-')} {factor}{term}"
        return text


def _write(seed: int) -> str:
    random = Random(seed)
    states = ["x", "y", "z"][: random.choice((1, 1, 2, 3))]
    lines = ["block G"]
    # An auxiliary that reads a depth ahead, which x may read one depth later.
    helper = len(states) > 1 and random.randrange(2) == 0
    for place, state in enumerate(states):
        writer = _Writer(random, states, states[:place])
        behind = " - w[l-1]" if helper and state == "x" else ""
        lines.append(f"{state}[l+1] = {writer.equation()}{behind}")
        if place:
            lines.append(f"init {state}[0] = {random.choice(('x[0]', '0', 'absent', '2*x[0]'))}")
    if helper:
        lines.append(random.choice(("w[l] = F(y[l+1]) - x[l-1]", "w[l] = y[l+1]", "w[l] = x[l]")))
    lines += [random.choice(("init x[-1] = x[0]", "init F(x[-1]) = x[0]"))] * random.randrange(2)
    if random.randrange(3) == 0:
        lines.append("output " + random.choice(("x[L] - 1/2*x[L-1]", "sum(x[i] for i in 0..L)",
                                                "x[L] + F(x[L-1])", "act(x[L])")))  # fmt: skip
    return "\n".join(lines)


def steady_formulas() -> st.SearchStrategy[str]:
    return st.integers(0, 10**9).map(_write)
