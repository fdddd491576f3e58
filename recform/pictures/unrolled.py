"""The unrolled network as a diagram.

>>> from recform.formula import resolve
>>> diagram = unrolled_diagram(resolve("resnet_s"), depth=2)
>>> [node.label for node in diagram.nodes]
['$x_{0}$', '$F_{0}$', '+', '$F_{1}$', '+', '$x_{2}$']
>>> [(wire.source, wire.label) for _, wire in diagram.into(4)]
[(2, ''), (3, ''), (1, '−')]
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction

from recform.formula import Formula
from recform.pictures.diagram import Diagram, Node, Wire, lanes_from_readers
from recform.pictures.graph import state_names, tape_with_output
from recform.pictures.typeset import symbol_with_index
from recform.tape import (
    Add,
    Call,
    Combine,
    Exact,
    Input,
    Map,
    Multiply,
    One,
    Operation,
    Parameter,
    Part,
    Scale,
    Tape,
    Zero,
    operands,
    parameter_to_text,
)

# A value as a multiple of a node.
Term = tuple[Exact, int]
ONE = Fraction(1)


def unrolled_diagram(formula: Formula, depth: int) -> Diagram:
    """The diagram of the formula at `depth` blocks; its last node is the output.

    Raises UserError `absent-output`, and FormulaError as `unroll` does.
    """
    tape = tape_with_output(formula, depth)
    drawing = _Drawing(tape)
    for value, operation in enumerate(tape.operations):
        drawing.draw(value, operation)
    return drawing.finish(formula)


@dataclass
class _Drawing:
    """Nodes and wires so far; each value is a multiple of a node, or the terms of a sum."""

    tape: Tape
    nodes: list[Node] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    terms: dict[int, list[Term]] = field(default_factory=dict)
    states: dict[int, list[tuple[str, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = state_names(self.tape)
        self.inner_sums = _inner_sums(self.tape, set(self.names))

    def draw(self, value: int, operation: Operation) -> None:
        match operation:
            case Input():
                self._node(value, Node("state"), [])
            case Zero():
                self._node(value, Node("map", "0"), [])
            case Call(block=block, index=index, argument=argument):
                label = symbol_with_index(block, index)
                self._node(value, Node("block", label, block=block), self.terms[argument])
            case Map(function=function, argument=argument):
                self._node(value, Node("map", function), self.terms[argument])
            case Scale(factor=factor, argument=argument):
                self.terms[value] = [(factor * inner, node) for inner, node in self.terms[argument]]
            case Add(left=left, right=right):
                terms = self.terms[left] + self.terms[right]
                if value in self.inner_sums:
                    self.terms[value] = terms
                else:
                    self._node(value, Node("sum", "+"), terms)
            case One():
                self._node(value, Node("map", "1"), [])
            case Parameter():
                self._node(value, Node("map", parameter_to_text(operation)), [])
            case Multiply(left=left, right=right):
                self._node(value, Node("map", "×"), self.terms[left] + self.terms[right])
            case Combine(function=function, arguments=arguments):
                terms = [term for argument in arguments for term in self.terms[argument]]
                self._node(value, Node("map", function), terms)
            case Part(number=number, argument=argument):
                self._node(value, Node("map", f"part {number + 1}"), self.terms[argument])
            case _:
                (self.terms[value],) = (self.terms[operand] for operand in operands(operation))
        self._name(value)

    def _node(self, value: int, node: Node, terms: list[Term]) -> None:
        for factor, source in terms:
            self.wires.append(Wire(source, len(self.nodes), factor))
        self.terms[value] = [(ONE, len(self.nodes))]
        self.nodes.append(node)

    def _name(self, value: int) -> None:
        """A state that is a node gives it a name; one that is a multiple becomes a dot."""
        if value not in self.names:
            return
        ((factor, node),) = self.terms[value]
        if factor != ONE:
            self._node(value, Node("dot"), self.terms[value])
            node = len(self.nodes) - 1
        self.states.setdefault(node, []).extend(self.names[value])

    def finish(self, formula: Formula) -> Diagram:
        """The output put at the end, names and lanes put in."""
        assert self.tape.output is not None, "only a formula with an output is drawn"
        terms = self.terms[self.tape.output]
        last = terms[0][1]
        names = {node: _names(states) for node, states in self.states.items()}
        # The output's name stands at the end of the wire, not at the sum as well.
        is_named = terms[0][0] == ONE and self.nodes[last].kind != "state" and last in names
        label = names.pop(last) if is_named else "output"
        self._node(len(self.terms), Node("state", label), terms)
        own = self._lanes(formula)
        own[len(self.nodes) - 1] = own.get(last, max(own.values(), default=0))
        lanes = lanes_from_readers(len(self.nodes), self.wires, own)
        nodes = [
            _with_name(replace(node, lane=lane), names.get(place, ""))
            for place, (node, lane) in enumerate(zip(self.nodes, lanes, strict=True))
        ]
        return Diagram(tuple(nodes), tuple(self.wires))

    def _lanes(self, formula: Formula) -> dict[int, int]:
        """The states that go from step to step have a lane each, in the order written."""
        lane_of = {equation.state: lane for lane, equation in enumerate(formula.steps)}
        own = {}
        for node, states in self.states.items():
            lanes = [lane_of[state] for state, _ in states if state in lane_of]
            main = [lane_of[state] for state, _ in states if state == formula.main]
            if lanes:
                own[node] = min(main or lanes)
        return own


def _inner_sums(tape: Tape, named: set[int]) -> set[int]:
    """The sums that are only a part of another sum."""
    readings = [operation for operation in tape.operations if not isinstance(operation, Zero)]
    uses = Counter(operand for reading in readings for operand in operands(reading))
    in_sums = Counter(v for op in readings if isinstance(op, Add) for v in operands(op))
    return {
        value
        for value, operation in enumerate(tape.operations)
        if isinstance(operation, Add)
        and value not in named
        and value != tape.output
        and uses[value] == in_sums[value] == 1
    }


def _names(states: list[tuple[str, int]]) -> str:
    return ", ".join(dict.fromkeys(symbol_with_index(state, depth) for state, depth in states))


def _with_name(node: Node, name: str) -> Node:
    """Input and output bear their names inside, others beside."""
    if node.kind == "state":
        return replace(node, label=node.label or name or "input")
    return replace(node, name=name)
