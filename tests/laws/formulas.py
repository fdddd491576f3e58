"""Random valid formulas, as text: a hypothesis strategy over the whole core language.

A formula is planned first (which states, in which order they are computed, which features), then
written equation by equation. `TERMS` has one row for each feature that is a term; what concerns
the formula as a whole (starts, inputs, output) is written around them. Every formula is valid by
construction; its output may be absent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from hypothesis import strategies as st

MAPS = ("act", "relu", "gelu", "silu", "tanh", "sigmoid", "σ", "norm")
CONSTANTS = ("2", "1/3", "0.1", "-2", "3/2", "-1/2", "0.25", "-1")
# An auxiliary quantity exists at depth 0 of a network without blocks, where 1/L is not a number.
LAYER_NUMBERS = ("1/(l+1)", "(l+1)", "(-1)^l", "l", "(l % 2)", "(2*l - 1)", "(l^2 - 2)")
DEPTH_NUMBERS = ("(l+1)/(L+1)", "(L - l)", "1/(L+2)", "L", "(1 - l/(2*L + 1))")
POWERS = ("2^l", "(1/2)^l", "1/2^l", "(-1)^(l+1)", "3^(L-l)")
SUMMED_NUMBERS = ("sum(1/(i+1) for i in 0..l)", "sum(i for i in 1..l if i % 2 == 0)",
                  "mean(1, l)", "sum(2^i for i in 0..l-1)")  # fmt: skip
CONDITIONS = ("l % 2 == 0", "l < 2", "l >= L/2", "0 < l <= 3", "l % 3 != 1", "not l == 1",
              "l == 0 or l > 2", "l % 2 == 0 and l != 2", "l < 1 or not l < L - 1")  # fmt: skip
FILTERS = ("i % 2 == l % 2", "i != l", "i % 3 == 0 or i == l", "not i == 1", "0 < i <= l - 1")
RANGES = ("0..l", "0..l", "0..l-1", "1..l", "l-2..l", "l-1..l")


@dataclass(frozen=True)
class Writer:
    """What may stand in one equation: states readable at depth l, and those only further back."""

    random: Random
    now: tuple[str, ...]
    past: tuple[str, ...]
    blocks: tuple[str, ...]

    def one_of(self, choices: Sequence[str]) -> str:
        return self.random.choice(choices)

    def chance(self, in_ten: int) -> bool:
        return self.random.randrange(10) < in_ten

    def read(self) -> str:
        if self.past and self.chance(2):
            return f"{self.one_of(self.past)}[l-{self.one_of('12')}]"
        depths = ("l", "l", "l", "l-1", "l-1", "l-2", "0", "l - l % 2", "(l - l % 2)/2")
        return f"{self.one_of(self.now)}[{self.one_of(depths)}]"

    def block(self) -> str:
        return self.one_of(self.blocks)

    def constant(self) -> str:
        return self.one_of(CONSTANTS)

    def argument(self) -> str:
        match self.random.randrange(9):
            case 0:
                return f"{self.read()} + {self.read()}"
            case 1 | 3:
                return f"{self.one_of(MAPS)}({self.read()})"
            case 2:
                return f"{self.constant()}*{self.read()} - {self.read()}"
        return self.read()

    def value(self) -> str:
        """A factor: binds more tightly than any operator."""
        block, argument = self.block(), self.argument()
        match self.random.randrange(10):
            case 0 | 1:
                return self.read()
            case 2:
                return f"{block}[{self.written_index()}]({argument})"
            case 3:
                return f"{block}({self.block()}({argument}))"
            case 4:
                return f"{self.one_of(MAPS)}({block}({argument}))"
        return f"{block}({argument})"

    def written_index(self) -> str:
        return self.one_of(("l", "0", "0", "l-1", "l-1", "l % 2"))

    def times(self, factors: Sequence[str]) -> str:
        factor, sign = self.one_of(factors), self.one_of(("*", "*", " * ", "·"))
        return f"{factor}{sign}{self.value()}"

    def state_in_range(self) -> str:
        """What a range adds up, with its index i."""
        state, block = self.one_of(self.now), self.block()
        return self.one_of((
            f"{state}[i]", f"{block}({state}[i])", f"{block}({state}[i])",
            f"{block}[l]({state}[i])", f"{block}[i]({state}[l])",
            f"1/(i+3)*{state}[i]", f"(i - l)*{block}({state}[i-1])",
            f"({state}[i] - {block}({state}[i-1]))", f"{block}(sum({state}[j] for j in i..l))",
            f"({state}[i] if i < l else {block}({state}[i]))",
            f"sum({block}({state}[j]) for j in 0..l if j >= i)", f"sum(i*{state}[j] for j in 0..l)",
        ))  # fmt: skip

    def falling(self, depth: str) -> str:
        """What an open range adds up: something at a depth that falls with k."""
        state, block = self.one_of(self.now), self.block()
        return self.one_of((
            f"{state}[{depth}]", f"{block}({state}[{depth}])", f"{block}[l]({state}[{depth}])",
            f"1/2^k*{state}[{depth}]", f"({state}[{depth}] + {block}({state}[{depth}]))",
        ))  # fmt: skip


def _reused(w: Writer) -> str:
    return f"{w.block()}({w.one_of((*w.now, *w.past))}[l-{w.one_of('112')}])"


def _same_call_in_another_order(w: Writer) -> str:
    block, first, second, third = w.block(), w.read(), w.value(), w.read()
    return w.one_of((
        f"{block}({first} + {second}) {w.one_of('+-')} {block}({second} + {first})",
        f"{block}({first} - ({second} + {third})) - {block}({first} - ({third} + {second}))",
        f"{block}({first} + ({second} + {third})) + {block}({third} + {second} + {first})",
    ))  # fmt: skip


def _written_index(w: Writer) -> str:
    return f"{w.block()}[{w.written_index()}]({w.argument()})"


def _second_block(w: Writer) -> str:
    return f"G({w.argument()})"


def _nested(w: Writer) -> str:
    inner = f"{w.block()}({w.argument()})"
    return f"{w.block()}({w.one_of((inner, inner, f'{inner} + {w.read()}'))})"


def _fraction_of(w: Writer) -> str:
    return f"{w.value()}/{w.one_of(('2', '3', '0.5', '(l+1)'))}"


def _parentheses(w: Writer) -> str:
    group = f"({w.value()} {w.one_of('+-')} {w.constant()}*{w.value()})"
    return w.one_of((f"{w.constant()}*{group}", f"{group}/2", group, f"{w.block()}{group}"))


def _mapped(w: Writer) -> str:
    return f"{w.one_of(MAPS)}({w.value()} + {w.one_of(MAPS)}({w.value()}))"


def _sum_over_range(w: Writer) -> str:
    history = f"sum({w.state_in_range()} for i in {w.one_of(RANGES)})"
    return w.one_of((history, history, f"{w.block()}({history})"))


def _mean_over_range(w: Writer) -> str:
    return f"mean({w.state_in_range()} for i in {w.one_of(RANGES)})"


def _filtered(w: Writer) -> str:
    reduction = w.one_of(("sum", "mean"))
    return f"{reduction}({w.state_in_range()} for i in {w.one_of(RANGES)} if {w.one_of(FILTERS)})"


def _open_range_of_powers(w: Writer) -> str:
    return f"{w.one_of(('sum', 'mean'))}({w.falling('l - 2^k + 1')} for k in 0..)"


def _open_range(w: Writer) -> str:
    only = w.one_of(("", "", " if k % 2 == 0", " if k != 1"))
    first = w.one_of("001")
    return f"{w.one_of(('sum', 'mean'))}({w.falling('l-k')} for k in {first}..{only})"


def _several_arguments(w: Writer) -> str:
    arguments = [w.value(), w.read()]
    if w.chance(5):
        arguments.append(f"{w.one_of(w.now)}[i] for i in 0..l-1")
    return f"{w.one_of(('sum', 'mean'))}({', '.join(shuffled(arguments, w.random))})"


def _case_inside(w: Writer) -> str:
    case = f"({w.value()} if {w.one_of(CONDITIONS)} else {w.one_of((w.value(), '0'))})"
    number = f"({w.constant()} if {w.one_of(CONDITIONS)} else {w.constant()})"
    argument = f"{w.block()}({w.read()} if {w.one_of(CONDITIONS)} else {w.argument()})"
    return w.one_of((case, f"{w.constant()}*{case}", f"{number}*{w.value()}", argument))


def _summed_numbers(w: Writer) -> str:
    return w.times(SUMMED_NUMBERS)


TERMS: dict[str, Callable[[Writer], str]] = {
    "reused block": _reused,
    "same call in another order": _same_call_in_another_order,
    "written index": _written_index,
    "second block": _second_block,
    "nested call": _nested,
    "constant": lambda w: w.times(CONSTANTS),
    "division": _fraction_of,
    "parentheses": _parentheses,
    "map": _mapped,
    "another map": _mapped,
    "sum over a range": _sum_over_range,
    "mean over a range": _mean_over_range,
    "filter": _filtered,
    "open range of powers": _open_range_of_powers,
    "open range": _open_range,
    "several arguments": _several_arguments,
    "case inside": _case_inside,
    "number of l": lambda w: w.times(LAYER_NUMBERS),
    "number of L": lambda w: w.times(DEPTH_NUMBERS),
    "power": lambda w: w.times(POWERS),
    "summed numbers": _summed_numbers,
}


@dataclass(frozen=True)
class Plan:
    """The states in the order in which they are computed at each depth, and the terms of each."""

    auxiliaries: tuple[str, ...]
    steps: tuple[str, ...]
    main: str
    inputs: tuple[str, ...]
    blocks: tuple[str, ...]
    terms: dict[str, tuple[str, ...]]

    @property
    def started(self) -> tuple[str, ...]:
        return self.inputs or (self.main,)

    def writer(self, random: Random, state: str) -> Writer:
        """What the equation of `state` may read: whatever is computed before it."""
        if state in self.steps:
            return Writer(random, (*self.steps, *self.auxiliaries), (), self.blocks)
        place = self.auxiliaries.index(state)
        earlier, later = self.auxiliaries[:place], self.auxiliaries[place:]
        return Writer(random, (*self.steps, *earlier), later, self.blocks)


def formulas() -> st.SearchStrategy[str]:
    """The texts of valid formulas of the core language.

    Written from a seed, not from single draws: hypothesis would else fill its budget with copies
    of few formulas that differ in one number. Fewer terms are the smaller example.
    """
    return st.builds(_write, st.integers(1, 6), st.randoms(use_true_random=True))


def _write(num_terms: int, random: Random) -> str:
    plan = _plan(num_terms, random)
    equations = {state: _equation(plan, state, random) for state in plan.terms}
    statements = [f"block {block}" for block in plan.blocks if block != "F"]
    statements += [f"input {', '.join(plan.inputs)}"] if plan.inputs else []
    statements += [*_start_values(plan, random), *_older_values(plan, random)]
    statements += [_output(plan, random)] if random.randrange(10) < 4 else []
    statements += [text for state, text in equations.items() if state != plan.main]
    written = shuffled(statements, random)
    # Where no state is called x, the step that is written first is the main one.
    steps = [k for k, line in enumerate(written) if line.partition("=")[0].endswith("[l+1] ")]
    last = len(written) if plan.main == "x" or not steps else steps[0]
    written.insert(random.randint(0, last), equations[plan.main])
    title = ["# a random formula"] if random.randrange(2) else []
    return "\n".join([*title, *written])


def shuffled(things: Sequence[str], random: Random) -> list[str]:
    return random.sample(list(things), len(things))


def _plan(num_terms: int, random: Random) -> Plan:
    steps = tuple(shuffled("xyv", random))[: random.choice((1, 1, 2, 2, 3))]
    auxiliaries = ("z", "w")[: random.choice((0, 0, 1, 1, 2))]
    inputs: tuple[str, ...] = ()
    if len(steps) > 1 and random.randrange(10) < 8:
        inputs = tuple(random.sample(steps, random.choice((1, 1, 2, 2))))
    wanted = random.sample(sorted(TERMS), num_terms)
    owners = [random.choice((*auxiliaries, *steps)) for _ in wanted]
    return Plan(
        auxiliaries=auxiliaries,
        steps=steps,
        main="x" if "x" in steps else random.choice(steps),
        inputs=inputs,
        blocks=("F", "G") if "second block" in wanted or random.randrange(10) < 2 else ("F",),
        terms={
            state: tuple(name for name, owner in zip(wanted, owners, strict=True) if owner == state)
            for state in (*auxiliaries, *steps)
        },
    )


def _equation(plan: Plan, state: str, random: Random) -> str:
    w = plan.writer(random, state)
    terms = [TERMS[name](w) for name in plan.terms[state]]
    if state in plan.steps:
        own = replace(w, now=(state, state, plan.main), past=())
        terms.append(own.one_of((f"{state}[l]", own.read(), own.value())))
        before = plan.steps[: plan.steps.index(state)]
        if before and w.chance(7):
            terms.append(w.one_of(("", "1/2*", "F", "G" if "G" in plan.blocks else "F"))
                         + f"({w.one_of(before)}[l+1])")  # fmt: skip
    terms = terms or [w.value()]
    right = _signed_sum(shuffled(terms, w.random), w)
    if w.chance(1):
        right = f"{w.one_of(MAPS)}({right})"
    if w.chance(2):
        right = f"{right} if {w.one_of(CONDITIONS)} else {w.one_of((w.value(), w.read(), '0'))}"
    return f"{state}[{'l+1' if state in plan.steps else 'l'}] = {right}"


def _signed_sum(terms: Sequence[str], w: Writer) -> str:
    text = ("-" if w.chance(2) else "") + terms[0]
    for term in terms[1:]:
        text += f" {w.one_of('++-')} {term}"
    return text


def _start_values(plan: Plan, random: Random) -> list[str]:
    """`init y[0] = ...` for each step state that does not start from the input."""
    lines, known = [], list(plan.started)
    for state in plan.steps:
        if state in plan.started:
            continue
        read = f"{random.choice(known)}[0]"
        starts = (
            read,
            read,
            f"1/2*{read}",
            f"-{read}",
            f"act({read})",
            f"F({read})",
            "0",
            "absent",
        )
        if state != plan.main or random.randrange(10) < 7:
            lines.append(f"init {state}[0] = {random.choice(starts)}")
            known.append(state)
    return lines


def _older_values(plan: Plan, random: Random) -> list[str]:
    """`init x[-1] = ...` and `init F(x[-1]) = ...`, for some states."""
    start = f"{plan.started[0]}[0]"
    values = (start, start, f"1/2*{start}", f"2*{start} - {plan.main}[0]", "0", "absent")
    targets = []
    if random.randrange(10) < 3:
        targets.append(f"{random.choice((plan.main, *plan.terms))}[-1]")
        if random.randrange(10) < 3:
            targets.append(targets[0].replace("-1", "-2"))
    if random.randrange(10) < 3:
        block = random.choice(plan.blocks)
        targets.append(f"{block}({random.choice((plan.main, *plan.terms))}[-1])")
    return [f"init {target} = {random.choice(values)}" for target in targets]


def _output(plan: Plan, random: Random) -> str:
    main, other = plan.main, random.choice(plan.steps)
    outputs = [
        f"{main}[L] + {other}[L]", f"{main}[L] - 1/2*{other}[L-1]", f"F({other}[L])",
        f"mean({main}[i] for i in 0..L)", f"sum({other}[L], F({main}[i]) for i in L-2..L-1)",
        f"{main}[L] if L % 2 == 0 else {other}[L-1] + 2*{main}[L]", f"act({other}[L])/(L+1)",
    ]  # fmt: skip
    for state in plan.auxiliaries:
        outputs += [f"{main}[L] + {state}[L-1]", f"sum({state}[i] for i in 0..L-1)"]
    return f"output {random.choice(outputs)}"
