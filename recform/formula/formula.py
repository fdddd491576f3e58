"""The value that everything else starts from: a formula, read and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from recform.errors import Source
from recform.formula.ast import Definition, Equation, Expression, Init, Param, Stream
from recform.formula.latex import to_latex
from recform.formula.mathml import to_mathml
from recform.formula.show import to_text
from recform.formula.statements import head


@dataclass(frozen=True)
class Formula:
    """A network's architecture: what `parse` makes of a text.

    `blocks` are the declared ones; `F` is always there, and those in `definitions` come from the
    library or from Python. `inputs` names the states that start from the stem, each from its part
    of it if they are `split`. With `history` "stage" nothing is read from before the stage. `title`
    is the first comment line; neither it nor the source text takes part in comparison.

    >>> from recform.formula import parse
    >>> formula = parse("x[l+1] = x[l]+0.5*F(x[l])")
    >>> print(formula)
    x[l+1] = x[l] + 1/2*F(x[l])
    >>> formula == parse("x[l + 1] = x[l] + 1/2 * F(x[l])  # the same")
    True
    """

    equations: tuple[Equation, ...]
    inits: tuple[Init, ...] = ()
    inputs: tuple[str, ...] = ()
    output: Expression | None = None
    blocks: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = ()
    params: tuple[Param, ...] = ()
    streams: tuple[Stream, ...] = ()
    is_split: bool = False
    history: str | None = None
    title: str = field(default="", compare=False)
    source: Source | None = field(default=None, compare=False, repr=False)

    @property
    def steps(self) -> tuple[Equation, ...]:
        """The equations that go from depth l to l+1, in the order written."""
        return tuple(equation for equation in self.equations if equation.step)

    @property
    def main(self) -> str:
        """The state that is read out at depth L: `x` if there is one, else the first."""
        names = [equation.state for equation in self.steps]
        return "x" if "x" in names else names[0]

    @property
    def starts(self) -> tuple[str, ...]:
        """The states that begin as what the stem hands over."""
        named = (*self.inputs, *(stream.state for stream in self.streams))
        return named or (self.main,)

    @cached_property
    def states(self) -> dict[str, bool]:
        """What has an equation, in the order written, and whether that is a step."""
        return {equation.state: equation.step for equation in self.equations}

    @cached_property
    def learned(self) -> dict[str, Param]:
        """The learned coefficients by their names."""
        return {param.name: param for param in self.params}

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many streams each state has that has several."""
        return {stream.state: stream.count for stream in self.streams}

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """All right sides, start values of states, and the output if it is written."""
        rights = tuple(equation.right for equation in self.equations)
        starts = tuple(init.value for init in self.inits if init.value is not None)
        return rights + starts + ((self.output,) if self.output is not None else ())

    @property
    def comments(self) -> tuple[str, ...]:
        """The comment lines at the head of the text, the title first."""
        return head(self.source.text) if self.source else ()

    def __str__(self) -> str:
        return to_text(self)

    def _repr_latex_(self) -> str:
        return f"$$\n{to_latex(self)}\n$$"

    def _repr_html_(self) -> str:
        return to_mathml(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows in a terminal."""
        printer.text(str(self))
