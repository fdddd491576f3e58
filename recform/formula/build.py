"""From the pieces that the grammar finds to the formula's data.

One method a rule of `grammars/formula.lark`, called with what the rule's parts became and with its
place in the text: those of statements here, those of `expressions` there. What the grammar cannot
say (which function names exist, what a left side may be) is checked on the way, and collected in
`mistakes`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from recform.errors import Span
from recform.formula.ast import (
    Definition,
    Equation,
    Expression,
    Init,
    Name,
    Number,
    Param,
    Stream,
    Sum,
)
from recform.formula.expressions import Expressions
from recform.formula.library import BLOCKS, CONSTRAINTS, FUNCTIONS
from recform.formula.misnamed import misnamed
from recform.formula.pieces import Block, History, Input, Output, Remarks, Start, Target
from recform.formula.reserved import KEYWORDS
from recform.formula.suggest import did_you_mean

MAX_STREAMS = 64


class Builder:
    """Makes the data of the statement that begins in `line`; `mistakes` fills up on the way."""

    def __init__(self, line: int) -> None:
        remarks = Remarks(line)
        self.mistakes = remarks.mistakes
        self._place, self._wrong = remarks.place, remarks.wrong
        self._expressions = Expressions(remarks)

    def build(self, rule: str, parts: list[Any], span: Span) -> Any:
        """What the rule's parts make together."""
        owner = self if hasattr(self, rule) else self._expressions
        return getattr(owner, rule)(parts, span)

    def equation(self, parts: list[Any], span: Span) -> Equation | None:
        target, right = parts
        step = target.index == _NEXT
        if not step and target.index != Name("l"):
            self._wrong("bad-left-side", f"the left side is neither {target.state}[l+1] nor "
                        f"{target.state}[l]", target.span, _left_side(target))  # fmt: skip
        return Equation(target.state, step, right, target.span)

    def init(self, parts: list[Any], span: Span) -> Init:
        return self._init(parts[0], parts[1], span)

    def init_absent(self, parts: list[Any], span: Span) -> Init:
        return self._init(parts[0], None, span)

    def inputs(self, parts: list[Any], span: Span) -> Input:
        return Input(tuple((str(name), self._place(name)) for name in parts))

    def split_inputs(self, parts: list[Any], span: Span) -> Input:
        *names, function = parts
        if function != "split":
            self._wrong("wrong-arguments", f"an input is not made by `{function}`",
                        self._place(function), "write input x, y = split(input)")  # fmt: skip
        return Input(tuple((str(name), self._place(name)) for name in names), is_split=True)

    def output(self, parts: list[Any], span: Span) -> Output:
        return Output(parts[0], span)

    def blocks(self, parts: list[Any], span: Span) -> Block:
        for name in parts:
            self._check_block_name(name)
        return Block(tuple((str(name), self._place(name)) for name in parts))

    def block_from(self, parts: list[Any], span: Span) -> Definition:
        name, (source, where), settings = parts
        self._check_block_name(name)
        definition = Definition(str(name), source, tuple(settings or ()), self._place(name))
        if not definition.is_python:
            self._check_library(definition, where)
        return definition

    def library(self, parts: list[Any], span: Span) -> tuple[str, Span]:
        return str(parts[0]), span

    python = library

    def settings(self, parts: list[Any], span: Span) -> list[tuple[str, Fraction]]:
        return [part for part in parts if part is not None]

    def setting(self, parts: list[Any], span: Span) -> tuple[str, Fraction]:
        name, value = parts
        if not isinstance(value, Number):
            self._wrong("bare-number", f"the setting `{name}` is not a number", span,
                        f"write {name}=-2, or {name}=1/2")  # fmt: skip
            return str(name), Fraction(0)
        return str(name), value.value

    def param(self, parts: list[Any], span: Span) -> Param:
        (name, indices), start, constraint = parts
        kept_to, over = constraint or (None, None)
        built = Param(str(name), indices, start, kept_to, over, self._place(name))
        self.mistakes.extend(misnamed(built))
        return built

    def learned(self, parts: list[Any], span: Span) -> tuple[Any, tuple[str | int, ...]]:
        name, *indices = parts
        if str(name) in (*KEYWORDS, *FUNCTIONS, "F", "L"):
            self._wrong("reserved-name", f"`{name}` has a meaning of its own and cannot be a "
                        "coefficient", self._place(name), "choose another name")  # fmt: skip
        return name, tuple(index for index in indices if index is not None)

    def dimension(self, parts: list[Any], span: Span) -> str | int:
        text = str(parts[0])
        if not text[0].isdigit():
            return text
        if not text.isdigit() or not 0 < int(text[:9]) <= MAX_STREAMS:
            self._wrong("bad-param", f"`{text}` is no number of streams", span,
                        f"write a whole number from 1 to {MAX_STREAMS}")  # fmt: skip
            return 1
        return int(text)

    def constraint(self, parts: list[Any], span: Span) -> tuple[str, str | None]:
        name, over = parts
        if str(name) not in CONSTRAINTS:
            self._wrong("bad-param", f"there is no constraint `{name}`", self._place(name),
                        did_you_mean(str(name), CONSTRAINTS)
                        or f"the constraints are {', '.join(CONSTRAINTS)}")  # fmt: skip
        return str(name), None if over is None else str(over)

    def stream(self, parts: list[Any], span: Span) -> Stream:
        name, number = parts
        count = self.dimension([number], self._place(number))
        return Stream(str(name), count if isinstance(count, int) else 1, self._place(name))

    def history(self, parts: list[Any], span: Span) -> History:
        if parts[0] != "stage":
            self._wrong("syntax", f"history has no form `{parts[0]}`", self._place(parts[0]),
                        "write history stage: in each stage it begins anew")  # fmt: skip
        return History(span)

    def target(self, parts: list[Any], span: Span) -> Target:
        return Target(str(parts[0]), parts[1], span)

    def init_state(self, parts: list[Any], span: Span) -> Start:
        return Start(parts[0], None)

    def init_call(self, parts: list[Any], span: Span) -> Start:
        return Start(parts[1], str(parts[0]))

    def _check_block_name(self, name: Any) -> None:
        if name in ("F", "L"):
            meaning = "the backbone's block" if name == "F" else "the number of blocks"
            self._wrong("reserved-name", f"`{name}` is {meaning} and is not declared",
                        self._place(name), "remove it from this line, or choose another "
                        "name")  # fmt: skip

    def _check_library(self, definition: Definition, where: Span) -> None:
        source = definition.source
        if source not in BLOCKS:
            self._wrong("unknown-name", f"the library has no block `{source}`", where,
                        did_you_mean(source, BLOCKS)
                        or f"it has {', '.join(BLOCKS)}")  # fmt: skip
            return
        known = [name for name, _ in BLOCKS[source].settings]
        for name, _ in definition.settings:
            if name not in known:
                self._wrong("wrong-arguments", f"`{source}` has no setting `{name}`", where,
                            f"its settings are {', '.join(known)}" if known
                            else f"it has none: write block {definition.block} = {source}"
                            )  # fmt: skip

    def _init(self, start: Start, value: Expression | None, span: Span) -> Init:
        depth, target = start.target.index, start.target
        if not isinstance(depth, Number) or depth.value.denominator != 1 or depth.value > 0:
            self._wrong("bad-init", "a start value stands at a written depth, 0 or below",
                        target.span, f"write init {target.state}[0] = ..., or "
                        f"init {target.state}[-1] = ...")  # fmt: skip
            return Init(target.state, 0, start.block, value, target.span)
        return Init(target.state, int(depth.value), start.block, value, target.span)


_NEXT = Sum(((1, Name("l")), (1, Number(Fraction(1)))))


def _left_side(target: Target) -> str:
    """What to write instead of a left side that is no step and no quantity of depth l."""
    state = target.state
    match target.index:
        case Number(value=value) if value <= 0:
            return f"a start value is written init {state}[{value}] = ..."
        case Sum(terms=((1, Name(name="l")), (_, Number()))):
            return f"shift every depth by the same number, so that {state}[l+1] = ... is left"
        case Name(name=name) | Sum(terms=((_, Name(name=name)), (_, Number()))) if name != "l":
            return f"the depth is called l: write {state}[l+1] = ..."
    return (f"write {state}[l+1] = ... for a step, or {state}[l] = ... for a quantity of "
            "depth l")  # fmt: skip
