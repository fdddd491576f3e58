"""One step of a formula as a diagram: what x[l+1] is made of.

What was computed at an earlier step and is remembered has a broken line. The last term of a
history sum is made now, the others are remembered:

    x[l+1] = sum(F(x[i]) for i in 0..l)     a circle with two wires: sum F_i(x_i) to l-1, and F_l

>>> from recform.formula import resolve
>>> for node in recursion_diagram(resolve("resnet_s")).nodes:
...     print(node.kind, node.label)
remembered $F_{l-1}(x_{l-1})$
state $x_{l}$
block $F_{l}$
sum +
state $x_{l+1}$
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from recform.formula import Formula, expression_to_text
from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Each,
    Expression,
    Item,
    Learned,
    Map,
    Name,
    Negate,
    Number,
    Read,
    Reduce,
    Sum,
    children,
    walk,
)
from recform.pictures.diagram import Diagram, Node, Wire, lanes_from_readers
from recform.pictures.typeset import typeset_expression
from recform.tape.scalar import Budget, number

NOW = Name("l")
NEXT = Sum(((1, Name("l")), (1, Number(Fraction(1)))))
BEFORE = Sum(((1, Name("l")), (-1, Number(Fraction(1)))))
ONE = Fraction(1)
# Steps that the value of one constant may take.
MAX_STEPS = 10_000


@dataclass(frozen=True)
class Term:
    """A node times a factor; `symbol` is the part of the factor that depends on l."""

    node: int
    factor: Fraction = ONE
    symbol: str = ""


def recursion_diagram(formula: Formula) -> Diagram:
    """The diagram of one step; its last nodes are the states of depth l+1."""
    drawing = _Drawing(formula)
    ends = [(equation.state, drawing.state(equation.state)) for equation in formula.steps]
    for state, term in ends:
        label = typeset_expression(Read(state, NEXT))
        drawing.own[len(drawing.nodes)] = drawing.lane_of[state]
        drawing.node(Node("state", label), [term])
    return drawing.finish()


@dataclass
class _Drawing:
    """Nodes and wires so far; `leaves` are those that nothing of this step goes into."""

    formula: Formula
    nodes: list[Node] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    own: dict[int, int] = field(default_factory=dict)
    states: dict[str, Term] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    calls: dict[Expression, Term] = field(default_factory=dict)
    leaves: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.equations = {equation.state: equation for equation in self.formula.equations}
        self.lane_of = {equation.state: lane for lane, equation in enumerate(self.formula.steps)}

    def state(self, state: str) -> Term:
        """The value that an equation gives to its state in this step."""
        if state not in self.states:
            self.opened.add(state)
            term = self.term(self.equations[state].right)
            self.states[state] = term
            if state in self.lane_of:
                self.own.setdefault(term.node, self.lane_of[state])
            elif self.nodes[term.node].kind not in ("state", "remembered"):
                name = typeset_expression(Read(state, NOW))
                self.nodes[term.node] = replace(self.nodes[term.node], name=name)
        return self.states[state]

    def term(self, expression: Expression) -> Term:
        """The node of an expression, made if it is not there, and a factor."""
        match expression:
            case Read(state=state, index=index):
                return self._read(expression, state, index)
            case Apply() if _is_remembered(expression):
                return self._leaf("remembered", expression)
            case Apply():
                return self._call(expression)
            case Map(function=function, argument=argument):
                return self.node(Node("map", function), [self.term(argument)])
            case Number() | Learned():
                return self.node(Node("map", typeset_expression(expression)), [])
            case Negate(operand=operand):
                return _times(self.term(operand), Number(-ONE))
            case Sum(terms=terms):
                return self._sum("+", [(sign, value) for sign, value in terms])
            case Reduce(function=function, items=items):
                return self._reduction(function, items)
            case Case(value=value, condition=condition, otherwise=otherwise):
                chosen = replace(self.term(value), symbol=expression_to_text(condition))
                other = replace(self.term(otherwise), symbol="else")
                return self.node(Node("map", "if"), [chosen, other])
            case Binary(operator="*", left=left, right=right) if not _is_value(left):
                return _times(self.term(right), left)
            case Binary(operator="*", left=left, right=right) if not _is_value(right):
                return _times(self.term(left), right)
            case Binary(operator="/", left=left, right=right) if not _is_value(right):
                return _times(self.term(left), Binary("/", Number(ONE), right))
        return self._other(expression)

    def _call(self, apply: Apply) -> Term:
        """A block runs once on one value, however often that is written."""
        if apply not in self.calls:
            label = typeset_expression(Read(apply.block, apply.index or NOW))
            argument = self.term(apply.argument)
            self.calls[apply] = self.node(Node("block", label, block=apply.block), [argument])
        return self.calls[apply]

    def _read(self, read: Expression, state: str, index: Expression) -> Term:
        is_step = self.equations[state].step
        # A circle, which unrolling refuses, is cut: its value is shown as a leaf.
        if index == (NEXT if is_step else NOW) and (
            state in self.states or state not in self.opened
        ):
            return self.state(state)
        leaf = self._leaf("state" if index == NOW else "remembered", read)
        if is_step and index == NOW:
            self.own[leaf.node] = self.lane_of[state]
        return leaf

    def _leaf(self, kind: str, expression: Expression) -> Term:
        label = typeset_expression(expression)
        if label not in self.leaves:
            self.leaves[label] = self.node(Node(kind, label), []).node  # type: ignore[arg-type]
        return Term(self.leaves[label])

    def _sum(self, sign: str, terms: list[tuple[int, Expression]]) -> Term:
        made = [replace(term, factor=plus * term.factor) for plus, term in
                ((plus, self.term(value)) for plus, value in terms)]  # fmt: skip
        return made[0] if len(made) == 1 else self.node(Node("sum", sign), made)

    def _reduction(self, function: str, items: tuple[Item, ...]) -> Term:
        """A sum of what is remembered and of the terms that are made now."""
        terms: list[Expression] = []
        for item in items:
            if item.each is None:
                terms.append(item.value)
            elif item.each.last == NOW and item.each.condition is None:
                earlier = replace(item.each, last=BEFORE)
                terms.append(Reduce("sum", (Item(item.value, earlier),)))
                terms.append(_at_now(item.value, item.each))
            else:
                terms.append(Reduce("sum", (item,)))
        made = [self._leaf("remembered", term) if isinstance(term, Reduce) else self.term(term)
                for term in terms]  # fmt: skip
        if function == "sum" and len(made) == 1:
            return made[0]
        return self.node(Node("sum", "+" if function == "sum" else function), made)

    def _other(self, expression: Expression) -> Term:
        """An operation that has no sign of its own in these pictures: a box with its name."""
        name = getattr(expression, "function", None) or getattr(expression, "operator", "")
        values = [inner for inner in children(expression) if _is_value(inner)]
        label = {"*": "×"}.get(str(name), str(name) or type(expression).__name__.lower())
        return self.node(Node("map", label), [self.term(value) for value in values])

    def node(self, node: Node, terms: list[Term]) -> Term:
        for term in terms:
            self.wires.append(Wire(term.node, len(self.nodes), term.factor, term.symbol))
        self.nodes.append(node)
        return Term(len(self.nodes) - 1)

    def finish(self) -> Diagram:
        """Lanes put in, and what is remembered put first: time goes from left to right."""
        lanes = lanes_from_readers(len(self.nodes), self.wires, self.own)
        order = sorted(range(len(self.nodes)), key=lambda node: self._rank(self.nodes[node]))
        place = {node: new for new, node in enumerate(order)}
        nodes = tuple(replace(self.nodes[node], lane=lanes[node]) for node in order)
        wires = [replace(wire, source=place[wire.source], target=place[wire.target])
                 for wire in self.wires]  # fmt: skip
        return Diagram(nodes, tuple(wires))

    def _rank(self, node: Node) -> int:
        is_leaf = node.label in self.leaves
        return 2 if not is_leaf else 0 if node.kind == "remembered" else 1


def _times(term: Term, factor: Expression) -> Term:
    if any(isinstance(inner, Name | Learned) for inner in walk(factor)):
        sign = "−" if term.factor < 0 else ""
        number_text = "" if abs(term.factor) == 1 else f"{abs(term.factor)}·"
        symbol = f"{sign}{number_text}{term.symbol}{typeset_expression(factor)}"
        return replace(term, factor=ONE, symbol=symbol)
    return replace(term, factor=term.factor * number(factor, {}, Budget(None, MAX_STEPS)))


def _is_value(expression: Expression) -> bool:
    """Whether it is a value of the network, not a number."""
    return any(isinstance(inner, Read | Apply | Map) for inner in walk(expression))


def _is_remembered(apply: Apply) -> bool:
    """F(x[l-1]): the value that the block gave at an earlier step, not a new application."""
    return (
        apply.index is None
        and isinstance(apply.argument, Read)
        and apply.argument.index not in (NOW, NEXT)
    )


def _at_now(expression: Expression, each: Each) -> Expression:
    """The term of a sum at index l."""
    match expression:
        case Name(name=name) if name == each.variable:
            return NOW
        case Read(index=index):
            return replace(expression, index=_at_now(index, each))
        case Learned(indices=indices):
            return replace(expression, indices=tuple(_at_now(index, each) for index in indices))
        case Apply(index=index, argument=argument):
            index = None if index is None else _at_now(index, each)
            return replace(expression, index=index, argument=_at_now(argument, each))
        case Map(argument=argument):
            return replace(expression, argument=_at_now(argument, each))
        case Binary(left=left, right=right):
            left, right = _at_now(left, each), _at_now(right, each)
            return replace(expression, left=left, right=right)
        case Sum(terms=terms):
            return replace(expression, terms=tuple((s, _at_now(v, each)) for s, v in terms))
        case Negate(operand=operand):
            return replace(expression, operand=_at_now(operand, each))
    return expression
