"""A formula written out to a depth.

All sugar is lowered here: history sums, cases, absent terms, block indices that are not written.
What is left is a flat list of operations, the tape.

    x[l+1] = x[l] + F(x[l]) - F(x[l-1]),  depth 2
    v0 = input           # x[0]
    v1 = F[0](v0)
    v2 = v0 + v1         # x[1]: F(x[-1]) is absent, so its term is dropped
    v3 = F[1](v2)
    v4 = v2 + v3
    v5 = -1*v1           # F(x[0]) is the value computed one step earlier
    v6 = v4 + v5         # x[2]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import index

from recform.errors import Diagnostic, FormulaError, Span
from recform.formula.ast import Apply, Equation, walk
from recform.formula.formula import Formula
from recform.tape.builder import BorderConflict, TapeBuilder, TooManyValues
from recform.tape.foresee import Steps, has_ranges, least_steps, most_steps, steps_of
from recform.tape.lower import Lowering
from recform.tape.operations import Stages, Tape
from recform.tape.radicals import TooManyRadicals
from recform.tape.scalar import Budget, Names, Scope, TooManySteps

MAX_DEPTH = 10_000
MAX_STEPS = 5_000_000


def unroll(formula: Formula, depth: int, stages: Stages | None = None) -> Tape:
    """The tape of a formula at `depth` blocks.

    With `stages`, a border block whose equation cannot be followed there (it nests calls, or reads
    a value of depth l+1) runs the backbone's own formula, act(x[l] + F(x[l])) for each state.

    Raises FormulaError for what goes wrong only at some depth (`future-read`, `circular`,
    `division-by-zero`, ...), `no-projection` at a border, and `too-deep` past the limits.
    """
    with _limits(depth):
        return _unroller(formula, depth, stages).run()


def verify(formula: Formula, depth: int) -> None:
    """Nothing, if the formula can be written out to `depth`, with each of its start values.

    Unrolling leaves out the start values that nothing reads. Raises as `unroll` does.
    """
    with _limits(depth):
        unroller = _unroller(formula, depth, None)
        unroller.run()
        unroller.run_starts()


def _unroller(formula: Formula, depth: int, stages: Stages | None) -> _Unroller:
    try:
        depth = index(depth)
    except TypeError:
        raise _without_place("bad-argument", f"the depth {depth!r} is not a whole number",
                             "give the number of blocks: depth=16") from None  # fmt: skip
    if not 0 <= depth <= MAX_DEPTH:
        raise _without_place("bad-argument" if depth < 0 else "too-deep",
                             f"the depth {depth} is not between 0 and {MAX_DEPTH:,}",
                             "--depth 16, or depth=16")  # fmt: skip
    if stages is not None and sum(stages.lengths) != depth:
        raise _without_place("bad-argument", f"the stages have {sum(stages.lengths)} blocks, the "
                             f"depth is {depth}", "give as many blocks as depth")  # fmt: skip
    return _Unroller(formula, depth, stages or Stages((depth,)))


@contextmanager
def _limits(depth: int) -> Iterator[None]:
    """What stops the unrolling of a formula, told to the user."""
    try:
        yield
    except (TooManyValues, TooManySteps) as excess:
        raise _without_place("too-deep", f"at depth {depth:,} {excess}",
                             "choose a smaller depth, or shorter ranges") from None  # fmt: skip
    except BorderConflict as conflict:
        raise _without_place(
            "no-projection",
            f"block {conflict.border} changes the shape, and is applied to a value that has the "
            "new one",
            f"let F[{conflict.border}] read a value before it, or choose other stages",
        ) from None
    except TooManyRadicals:
        raise _without_place(
            "irrational",
            f"at depth {depth:,} a coefficient is a sum of too many roots",
            "choose a smaller depth, or write a rational number near it",
        ) from None
    except RecursionError:
        raise _without_place(
            "too-large",
            "the equations are nested too deep",
            "use fewer auxiliary quantities that read each other",
        ) from None


def stream_name(state: str, component: tuple[int, ...]) -> str:
    """`h.0` for the first stream of h; the state's own name if it has no streams."""
    return ".".join([state, *map(str, component)])


class _Unroller:
    """The values of all states so far, and the tape that they are on."""

    def __init__(self, formula: Formula, depth: int, stages: Stages) -> None:
        self._formula = formula
        self._depth = depth
        self._borders = stages.borders
        self._stages = stages
        self._tape = TapeBuilder(self._borders)
        self._equations = {equation.state: equation for equation in formula.equations}
        self._inits = {(i.block, i.state, i.depth): i for i in formula.inits}
        self._values: dict[tuple[str, int], int | None] = {}
        self._in_progress: list[tuple[str, int]] = []
        self._plain_borders: list[int] = []
        num_expressions = sum(1 for top in formula.expressions for _ in walk(top))
        steps = 100_000 + depth * (5_000 + 4 * num_expressions)
        self._budget = Budget(formula.source, min(MAX_STEPS, steps))
        self._lowering = self._new_lowering()

    def _new_lowering(self) -> Lowering:
        return Lowering(self._formula, self._depth, self._tape, self._budget, self)

    def run(self) -> Tape:
        self._foresee()
        for layer in range(self._depth):
            try:
                for equation in self._formula.equations:
                    for k in self._streams_of(equation.state):
                        self.state(equation.state, layer + equation.step, equation.span, k)
            except BorderConflict as conflict:
                self._run_plain(layer, conflict)
        output = self._output()
        values = {key: value for key, value in self._values.items() if value is not None}
        template = Tape((), None, self._depth, self._formula.main, self._borders,
                        tuple(self._plain_borders))  # fmt: skip
        return self._tape.finish(template, output, values)

    def _foresee(self) -> None:
        """Refuse at once what would spend the whole budget."""
        if not has_ranges(self._formula):
            return
        steps = steps_of(self._formula)
        every = range(self._depth)
        # A border block may run the backbone's own formula, and what has a start value none.
        given = 1 + max((init.depth for init in self._formula.inits), default=-1)
        surely = [layer for layer in every if layer >= given and layer not in self._borders]
        if self._foreseen(steps, most_steps, every) and self._foreseen(steps, least_steps, surely):
            raise TooManySteps("the formula takes too many steps")

    def _foreseen(
        self, steps: Steps, count: Callable[[Steps, Names, int], int], layers: Sequence[int]
    ) -> bool:
        """Whether the steps at some depths are more than the budget holds."""
        left = self._budget.steps_left
        for layer in reversed(layers):
            names = {"l": layer, "L": self._depth, "s": self._stages.first_of(layer)}
            left -= count(steps, names, left)
            if left < 0:
                return True
        return False

    def run_starts(self) -> None:
        for init in self._formula.inits:
            for k in self._streams_of(init.state):
                if init.block is None:
                    self.state(init.state, init.depth, init.span, k)
                else:
                    self.start(init.block, init.state, init.depth, k)

    def _streams_of(self, state: str) -> list[tuple[int, ...]]:
        """The components that a state has: one of its own, or its streams."""
        count = self._formula.counts.get(state)
        return [()] if count is None else [(k,) for k in range(count)]

    def _output(self) -> int | None:
        scope = Scope({"L": self._depth}, self._depth - 1)
        if self._formula.output is None:
            return self.state(self._formula.main, self._depth, Span(1, 1, 2))
        return self._lowering.value(self._formula.output, scope).value

    def state(
        self, state: str, depth: int, span: Span, component: tuple[int, ...] = ()
    ) -> int | None:
        """The value of a state, computed when it is first read. `span` is where it is read.

        Of a state with streams it is the stream `component`, named as `h.0` is.
        """
        key = (stream_name(state, component), depth)
        if key not in self._values:
            if key in self._in_progress:
                raise self._circular(state, depth, span, key)
            self._in_progress.append(key)
            try:
                self._values[key] = self._compute(state, depth, span, component)
            finally:
                self._in_progress.pop()
        return self._values[key]

    def _compute(
        self, state: str, depth: int, span: Span, component: tuple[int, ...]
    ) -> int | None:
        equation = self._equations[state]
        if self.has_start(None, state, depth):
            return self.start(None, state, depth, component)
        if equation.step and depth == 0 and state in self._formula.starts:
            return self._input(state)
        if depth < 0 or (equation.step and depth == 0):
            return None
        layer = depth - equation.step
        if depth > self._depth:
            raise self._error("future-read", f"{state}[{depth}] lies behind the last depth, "
                              f"{self._depth}", span, f"read {state}[L] or before")  # fmt: skip
        names = {"l": layer, "L": self._depth, "s": self._stages.first_of(layer)}
        return self._lowering.value(equation.right, Scope(names, layer, component)).value

    def _input(self, state: str) -> int:
        """What the stem hands over, or the state's part of it."""
        inputs = self._formula.inputs
        if not self._formula.is_split or state not in inputs:
            return self._tape.input()
        return self._tape.part(inputs.index(state), len(inputs), self._tape.input())

    def _circular(self, state: str, depth: int, span: Span, key: tuple[str, int]) -> FormulaError:
        if self._in_progress[-1] == key and self._equations[state].step and depth > 0:
            return self._error("future-read", f"{state}[{depth}] is read before it exists, at "
                               f"l = {depth - 1}", span, f"read {state}[l] or earlier")  # fmt: skip
        return self._error("circular", f"{state}[{depth}] depends on itself", span, "break the "
                           "circle: let one of the equations read an earlier depth")  # fmt: skip

    def has_start(self, block: str | None, state: str, depth: int) -> bool:
        return (block, state, depth) in self._inits

    def start(
        self, block: str | None, state: str, depth: int, component: tuple[int, ...] = ()
    ) -> int | None:
        """What an `init` gives, under the name that it gives it."""
        init = self._inits[block, state, depth]
        if init.value is None:
            return None
        scope = Scope({"L": self._depth}, min(0, self._depth - 1), component)
        value = self._lowering.value(init.value, scope).value
        state = stream_name(state, component)
        name = f"{state}[{depth}]" if block is None else f"{block}({state}[{depth}])"
        return None if value is None else self._tape.start(name, value)

    def _run_plain(self, layer: int, conflict: BorderConflict) -> None:
        """The backbone's own formula for every state, at a border that the formula cannot pass."""
        if conflict.border != layer:
            raise self._error("no-projection", f"a block of an earlier stage reads a value of "
                              f"stage border {conflict.border}", self._equations[
                                  self._formula.main].span, "share blocks within a stage, "
                              "but not its first, which changes the shape")  # fmt: skip
        self._plain_borders.append(layer)
        # Sums that ran on what is done again now are forgotten.
        self._lowering = self._new_lowering()
        for state, depth in list(self._values):
            if depth >= layer + self._equations[state.split(".")[0]].step:
                del self._values[state, depth]
        for equation in self._formula.steps:
            for k in self._streams_of(equation.state):
                name = stream_name(equation.state, k)
                self._values[name, layer + 1] = self._plain_step(equation, layer, k)
        for equation in self._formula.equations:
            if not equation.step:
                self._auxiliary_if_possible(equation, layer)

    def _plain_step(self, equation: Equation, layer: int, component: tuple[int, ...]) -> int | None:
        value = self.state(equation.state, layer, equation.span, component)
        blocks = [e.block for e in walk(equation.right) if isinstance(e, Apply)]
        if value is None or not blocks:
            return value
        branch = self._tape.call(blocks[0], layer, value)
        return self._tape.map("act", layer, self._tape.add(value, branch))

    def _auxiliary_if_possible(self, equation: Equation, layer: int) -> None:
        try:
            self.state(equation.state, layer, equation.span)
        except BorderConflict:
            self._values[equation.state, layer] = None

    def _error(self, code: str, message: str, span: Span, hint: str) -> FormulaError:
        return FormulaError([Diagnostic(code, message, span, hint)], self._formula.source)


def _without_place(code: str, message: str, hint: str) -> FormulaError:
    return FormulaError([Diagnostic(code, message, None, hint)])
