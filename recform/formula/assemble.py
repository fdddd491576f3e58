"""From the statements of a text to one formula: each under its heading, names resolved.

What may stand once and stands twice is a mistake. `a[l]` is a learned coefficient where a `param`
line declares `a`, and else a state.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from recform.errors import Diagnostic, Source, Span
from recform.formula.ast import (
    Definition,
    Equation,
    Expression,
    Init,
    Learned,
    Name,
    Param,
    Read,
    Stream,
    children,
    with_children,
)
from recform.formula.formula import Formula
from recform.formula.pieces import Block, History, Input, Output, Part
from recform.formula.statements import title

_Kind = TypeVar("_Kind")


def assemble(parts: Sequence[Part], source: Source) -> tuple[Formula, list[Diagnostic]]:
    """The formula of a text's statements, and what is declared twice or never."""
    equations, inits = _all(parts, Equation), _all(parts, Init)
    outputs, inputs = _all(parts, Output), _all(parts, Input)
    params, streams = _all(parts, Param), _all(parts, Stream)
    named = [name for part in inputs for name in part.names]
    learned = {param.name for param in params}
    formula = Formula(
        equations=tuple(replace(e, right=_resolve(e.right, learned)) for e in equations),
        inits=tuple(_resolve_init(init, learned) for init in inits),
        inputs=tuple(name for name, _ in named),
        output=_resolve(outputs[0].value, learned) if outputs else None,
        blocks=tuple(name for name, _ in _blocks(parts)),
        definitions=_all(parts, Definition),
        params=params,
        streams=streams,
        is_split=any(part.is_split for part in inputs),
        history="stage" if _all(parts, History) else None,
        title=title(source.text),
        source=source,
    )
    return formula, _declared_wrongly(parts, formula)


def _all(parts: Iterable[Part], kind: type[_Kind]) -> tuple[_Kind, ...]:
    return tuple(part for part in parts if isinstance(part, kind))


def _blocks(parts: Iterable[Part]) -> list[tuple[str, Span]]:
    """Every declared block, in the order written."""
    blocks: list[tuple[str, Span]] = []
    for part in parts:
        if isinstance(part, Block):
            blocks += part.names
        elif isinstance(part, Definition):
            blocks.append((part.block, part.span))
    return blocks


def _resolve_init(init: Init, learned: set[str]) -> Init:
    return init if init.value is None else replace(init, value=_resolve(init.value, learned))


def _resolve(expression: Expression, learned: set[str]) -> Expression:
    """The expression with its learned coefficients made out."""
    if not learned:
        return expression
    parts = [_resolve(part, learned) for part in children(expression)]
    match with_children(expression, parts):
        case Name(name=name, span=span) if name in learned:
            return Learned(name, (), span)
        case Read(state=name, index=index, span=span) if name in learned:
            return Learned(name, (index,), span)
        case resolved:
            return resolved


def _declared_wrongly(parts: Sequence[Part], formula: Formula) -> list[Diagnostic]:
    outputs, histories = _all(parts, Output), _all(parts, History)
    inputs = _all(parts, Input)
    named = [name for part in inputs for name in part.names]
    started = [*named, *((stream.state, stream.span) for stream in formula.streams)]
    states = [(e.state, e.span) for e in formula.equations]
    return [
        *_without_step(started, formula.equations),
        *_twice([("output", part.span) for part in outputs], "the output"),
        *_twice([("history", part.span) for part in histories], "the history"),
        *_twice([("split", part.names[0][1]) for part in inputs if part.is_split], "the split"),
        *_twice(_blocks(parts), "block {}"),
        *_twice(started, "input {}"),
        *_twice([*((p.name, p.span) for p in formula.params), *states], "{}"),
        *_twice([((i.state, i.depth, i.block), i.span) for i in formula.inits], "this start value"),
    ]


def _without_step(
    inputs: Iterable[tuple[str, Span]], equations: Iterable[Equation]
) -> list[Diagnostic]:
    steps = {equation.state for equation in equations if equation.step}
    return [
        Diagnostic("unknown-name", f"`{name}` starts from the input and has no step", span,
                   f"write an equation {name}[l+1] = ...")
        for name, span in inputs if name not in steps
    ]  # fmt: skip


def _twice(keys: Iterable[tuple[Hashable, Span]], what: str) -> list[Diagnostic]:
    seen: dict[Hashable, Span] = {}
    mistakes = []
    for key, span in keys:
        if key in seen:
            message = f"{what.format(key)} is defined twice, first in line {seen[key].line}"
            mistakes.append(Diagnostic("duplicate", message, span, "remove one of the two"))
        seen.setdefault(key, span)
    return mistakes
