"""Whether what an expression names is there, and what an unknown name may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from recform.errors import Diagnostic, Span
from recform.formula.ast import Learned, Map, Name, Read
from recform.formula.library import FUNCTIONS, IDENTITY
from recform.formula.suggest import did_you_mean

if TYPE_CHECKING:
    from recform.formula.formula import Formula


def check_name(name: Name, formula: Formula, names: set[str]) -> Iterator[Diagnostic]:
    """That a name stands for a number here; `names` are those that do."""
    if name.name in names:
        return
    states = formula.states
    if name.name in states:
        yield Diagnostic(
            "missing-index",
            f"the state `{name.name}` needs a depth",
            name.span,
            f"write {name.name}[l]"
            if "l" in names
            else f"write {name.name}[0], or {name.name}[L] in an output",
        )
    elif name.name == "l":
        yield Diagnostic(
            "unknown-name",
            "`l` has no meaning here",
            name.span,
            "start values and outputs stand at written depths: x[0], x[L]",
        )
    elif name.name == "s":
        yield Diagnostic("unknown-name", "`s`, the first depth of the stage, has no meaning here",
                         name.span, "it belongs to an equation, where l is in a stage")  # fmt: skip
    elif name.name == IDENTITY:
        yield Diagnostic("reserved-name", "`identity` is a start value of a coefficient", name.span,
                         "write param A[l, 4, 4] = identity")  # fmt: skip
    elif name.name == "absent":
        yield Diagnostic("reserved-name", "`absent` is a start value, not a term", name.span,
                         "write init y[0] = absent")  # fmt: skip
    elif name.name in FUNCTIONS:
        yield Diagnostic("wrong-arguments", f"`{name.name}` is a function without its argument",
                         name.span, f"write {name.name}(x[l])")  # fmt: skip
    else:
        yield Diagnostic("unknown-name", f"there is nothing called `{name.name}`", name.span,
                         _known_here(name.name, states, names))  # fmt: skip


def _known_here(name: str, states: Iterable[str], names: set[str]) -> str:
    known = sorted(names, key=lambda known: (known == "L", known))
    return did_you_mean(name, [*states, *known]) or (
        f"known here: {', '.join(known)}; a range gives its index with `for {name} in 0..l`, and a "
        f"line declares what is learned: param {name} = 0"
    )


def check_state(read: Read, formula: Formula) -> Iterator[Diagnostic]:
    """That an equation defines what is read."""
    states = formula.states
    span = Span(read.span.line, read.span.column, read.span.column + len(read.state))
    if read.state in ("F", *formula.blocks):
        yield Diagnostic("syntax", "the block is not applied to anything", read.span,
                         "write F(x[l]), or F[l](x[l-1]) with the block's index")  # fmt: skip
    elif read.state not in states:
        yield Diagnostic(
            "unknown-name",
            f"no equation defines `{read.state}`",
            span,
            did_you_mean(read.state, [*states, *formula.learned])
            or (
                f"add an equation {read.state}[l+1] = ..., or {read.state}[l] = ..."
                if read.state[0].islower()
                else f"add a line: param {read.state}[l] = 1, or block {read.state}"
            ),
        )


def check_learned_name(learned: Learned, formula: Formula) -> Iterator[Diagnostic]:
    """That a coefficient is declared, for as many depths as it is read at."""
    param = formula.learned.get(learned.name)
    where = Span(learned.span.line, learned.span.column, learned.span.column + len(learned.name))
    if learned.name in formula.states:
        yield Diagnostic("wrong-arguments", "a state has one depth", learned.span,
                         f"write {learned.name}[l]")  # fmt: skip
    elif param is None:
        yield Diagnostic("unknown-name", f"no line declares the coefficient `{learned.name}`",
                         where, did_you_mean(learned.name, formula.learned)
                         or f"add a line: param {learned.name}[l, i] = 0")  # fmt: skip
    elif len(learned.indices) != len(param.depths):
        shown = f"{param.name}[{', '.join(param.depths)}]" if param.depths else param.name
        yield Diagnostic("wrong-arguments", f"`{param.name}` is read at {len(param.depths)} "
                         f"depth{'' if len(param.depths) == 1 else 's'}", learned.span,
                         f"write {shown}")  # fmt: skip


def check_block(block: str, span: Span, formula: Formula) -> Iterator[Diagnostic]:
    """That a block is declared."""
    if block not in ("F", *formula.blocks):
        where = Span(span.line, span.column, span.column + len(block))
        known = block.lower() in FUNCTIONS
        yield Diagnostic("unknown-block", f"the block `{block}` is not declared", where,
                         f"did you mean `{block.lower()}`? functions have lower-case names" if known
                         else f"add a line: block {block}")  # fmt: skip


def unknown_function(call: Map, formula: Formula) -> Diagnostic:
    """What is wrong with a call of a function that there is not, and what may have been meant."""
    name = call.function
    states = formula.states
    if name in states:
        hint = f"the depth of a state stands in square brackets: {name}[l]"
    elif name.capitalize() in ("F", *formula.blocks):
        hint = f"blocks have upper-case names: {name.capitalize()}(x[l])"
    else:
        hint = did_you_mean(name, FUNCTIONS) or f"the functions are {', '.join(FUNCTIONS)}"
    span = Span(call.span.line, call.span.column, call.span.column + len(name))
    return Diagnostic("unknown-name", f"there is no function `{name}`", span, hint)
