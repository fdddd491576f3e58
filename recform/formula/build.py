"""From the pieces that the grammar finds to the formula's data.

One method a rule of `grammars/formula.lark`, called with what the rule's parts became and with its
place in the text. What the grammar cannot say (which function names exist, what a left side may
be) is checked here, and collected in `mistakes`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Union

from recform.errors import Diagnostic, Span
from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Compare,
    Definition,
    Each,
    Equation,
    Expression,
    Init,
    Item,
    Learned,
    Logic,
    Map,
    Name,
    Negate,
    Not,
    Number,
    Param,
    Read,
    Reduce,
    Stream,
    Sum,
)
from recform.formula.library import (
    BLOCKS,
    COMBINING,
    CONSTRAINTS,
    DROP,
    FUNCTIONS,
    MAPS,
    ONE_HOT,
    REDUCTIONS,
    ROOT,
)
from recform.formula.misnamed import misnamed
from recform.formula.suggest import did_you_mean

STATEMENTS = ("init", "input", "output", "block", "param", "stream", "history")
KEYWORDS = (*STATEMENTS, "absent", "for", "in", "if", "else", "and", "or", "not", "l", "s",
            "channel", "identity")  # fmt: skip

_ASCII = {"·": "*", "×": "*", "−": "-", "Σ": "sum", "σ": "sigmoid"}
# Python itself reads and prints at most 4,300 digits.
MAX_DIGITS = 4000
MAX_STREAMS = 64


@dataclass(frozen=True)
class Target:
    """A state with an index, where it is not read but defined."""

    state: str
    index: Expression
    span: Span


@dataclass(frozen=True)
class Start:
    target: Target
    block: str | None


@dataclass(frozen=True)
class Input:
    names: tuple[tuple[str, Span], ...]
    is_split: bool = False


@dataclass(frozen=True)
class Output:
    value: Expression
    span: Span


@dataclass(frozen=True)
class Block:
    names: tuple[tuple[str, Span], ...]


@dataclass(frozen=True)
class History:
    span: Span


Part = Union[Equation, Init, Input, Output, Block, Definition, Param, Stream, History]  # noqa: UP007 - needed at run time on 3.10


@dataclass
class Builder:
    """Makes the data of the statement that begins in `line`; `mistakes` fills up on the way."""

    line: int
    mistakes: list[Diagnostic] = field(default_factory=list)

    def build(self, rule: str, parts: list[Any], span: Span) -> Any:
        """What the rule's parts make together."""
        return getattr(self, rule)(parts, span)

    # --- statements ---

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

    # --- expressions ---

    def case(self, parts: list[Any], span: Span) -> Case:
        value, condition, otherwise = parts
        return Case(value, condition, otherwise, span)

    def any_of(self, parts: list[Any], span: Span) -> Logic:
        return Logic("or", tuple(parts), span)

    def all_of(self, parts: list[Any], span: Span) -> Logic:
        return Logic("and", tuple(parts), span)

    def not_(self, parts: list[Any], span: Span) -> Not:
        return Not(parts[0], span)

    def compare(self, parts: list[Any], span: Span) -> Compare:
        return Compare(tuple(str(sign) for sign in parts[1::2]), tuple(parts[0::2]), span)

    def signed_sum(self, parts: list[Any], span: Span) -> Sum:
        signs = [1] + [1 if sign == "+" else -1 for sign in parts[1::2]]
        return Sum(tuple(zip(signs, parts[0::2], strict=True)), span)

    def binary(self, parts: list[Any], span: Span) -> Expression:
        left, sign, right = parts
        operator = _ASCII.get(str(sign), str(sign))
        if isinstance(left, Number) and isinstance(right, Number):
            folded = _fold(operator, left.value, right.value)
            if folded is not None:
                return Number(folded, span)
        return Binary(operator, left, right, span)

    def signed(self, parts: list[Any], span: Span) -> Expression:
        sign, operand = parts
        if sign == "+":
            return operand
        if isinstance(operand, Number):
            return Number(-operand.value, span)
        return Negate(operand, span)

    def number(self, parts: list[Any], span: Span) -> Number:
        text = str(parts[0])
        digits, _, exponent = text.lower().partition("e")
        # nine digits of an exponent say enough: more are too many
        if len(digits) + abs(int(exponent[:9] or "0")) > MAX_DIGITS:
            self._wrong("too-large", f"this number has more than {MAX_DIGITS:,} digits", span,
                        "write a smaller number, or a power: 10^l")  # fmt: skip
            return Number(Fraction(0), span)
        return Number(Fraction(text), span)

    def name(self, parts: list[Any], span: Span) -> Name:
        return Name(str(parts[0]), span)

    def num_blocks(self, parts: list[Any], span: Span) -> Name:
        return Name("L", span)

    def read(self, parts: list[Any], span: Span) -> Expression:
        name, *indices = parts
        if len(indices) > 1:
            return Learned(str(name), tuple(indices), span)
        # `parse` knows the coefficients, and makes this one if it is none of the states.
        return Read(str(name), indices[0], span)

    def apply(self, parts: list[Any], span: Span) -> Apply:
        return Apply(str(parts[0]), None, parts[1], span)

    def apply_at(self, parts: list[Any], span: Span) -> Apply:
        return Apply(str(parts[0]), parts[1], parts[2], span)

    def item(self, parts: list[Any], span: Span) -> Item:
        return Item(parts[0])

    def each(self, parts: list[Any], span: Span) -> Item:
        value, variable, first, last, condition = parts
        where = self._place(variable).to(span)
        return Item(value, Each(str(variable), first, last, condition, where))

    def call(self, parts: list[Any], span: Span) -> Expression:
        name = _ASCII.get(str(parts[0]), str(parts[0]))
        items = tuple(part if isinstance(part, Item) else Item(part) for part in parts[1:])
        where = Span(span.line, span.column, span.column + len(str(parts[0])))
        if name in (*REDUCTIONS, *COMBINING):
            self._check_number_of_arguments(name, items, where)
            return Reduce(name, items, span)
        if name in (*MAPS, ROOT, ONE_HOT):
            return self._map(name, items, span, where)
        # `check` knows the states and blocks, and says what an unknown function may have meant.
        return Map(name, items[0].value, None, span)

    def _map(self, name: str, items: tuple[Item, ...], span: Span, where: Span) -> Map:
        takes = 2 if name == DROP else 1
        if len(items) != takes or any(item.each is not None for item in items):
            example = "drop(F(x[l]), 1/10)" if name == DROP else f"{name}(x[l])"
            example = f"{name}(2)" if name in (ROOT, ONE_HOT) else example
            number = "two arguments" if takes == 2 else "one argument"
            self._wrong("wrong-arguments", f"`{name}` takes {number}", where,
                        f"write {example}")  # fmt: skip
        number = items[1].value if len(items) == takes == 2 else None
        return Map(name, items[0].value, number, span)

    def _check_number_of_arguments(self, name: str, items: tuple[Item, ...], where: Span) -> None:
        if name == "gru" and (len(items) != 2 or any(item.each is not None for item in items)):
            self._wrong("wrong-arguments", "`gru` takes two arguments", where,
                        "write gru(x[l], F(x[l])): the state, and what comes in")  # fmt: skip

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

    def _place(self, word: Any) -> Span:
        return Span(self.line + word.line - 1, word.column, word.end_column)

    def _wrong(self, code: str, message: str, span: Span, hint: str) -> None:
        self.mistakes.append(Diagnostic(code, message, span, hint))


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


def _fold(operator: str, left: Fraction, right: Fraction) -> Fraction | None:
    """`1/10` and `0.1` are the same number; other operators wait until depths are known.

    So does a product that would grow too long to be printed.
    """
    if _num_digits(left) + _num_digits(right) > MAX_DIGITS:
        return None
    if operator == "*":
        return left * right
    if operator == "/" and right != 0:
        return left / right
    return None


def _num_digits(value: Fraction) -> int:
    """No less than the decimal digits of the numerator, nor than those of the denominator."""
    return max(value.numerator.bit_length(), value.denominator.bit_length()) * 31 // 100 + 1
