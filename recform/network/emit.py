"""The torch reading of a tape: one fx node for each value.

What the operations become is said by `Parts`: `compile` and `build` each bring their own. The
result is straight-line dataflow; every state and every kept block output is a node, freed at its
last use, and nothing is remembered anywhere else.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol, TypeAlias, Union

import torch
from torch import fx, nn
from torch.nn import functional

from recform.errors import UserError
from recform.formula.library import JOINING
from recform.network.dotted import numbered
from recform.network.functions import (
    MAKERS,
    SHAPELESS,
    Drop,
    Gate,
    GateStyle,
    Layout,
    cat,
    maximum,
    part,
)
from recform.network.learned import Coefficients, Deferred
from recform.network.widths import Widths
from recform.tape import Add, Call, Combine, Exact, Map, Multiply, Parameter, Tape, fold

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "stopgrad": torch.detach,
}


class Parts(Protocol):
    """What a tape's operations are made of: each method adds nodes to the graph it was made for.

    `widths` is None where blocks are made for whatever they are given.
    """

    @property
    def widths(self) -> Widths | None: ...

    def call(self, block: str, index: int, argument: fx.Node) -> fx.Node: ...
    def act(self, index: int, argument: fx.Node) -> fx.Node: ...
    def norm(self, index: int, argument: fx.Node, position: int) -> fx.Node: ...
    def shortcut(self, border: int, argument: fx.Node) -> fx.Node: ...
    def projection(self, border: int, label: str, argument: fx.Node) -> fx.Node: ...
    def layout(self, value: fx.Node, position: int) -> Layout: ...
    def add_module(self, name: str, module: nn.Module, arguments: tuple) -> fx.Node: ...
    def add_parameter(self, name: str, start: torch.Tensor) -> fx.Node: ...


# A tensor, a number, or a vector over channels that is made when their number is known.
Value: TypeAlias = Union[fx.Node, float, Deferred]  # noqa: UP007 - needed at run time on 3.10
Functions: TypeAlias = Mapping[str, Callable[..., Any]]


@dataclass
class TorchAlgebra:
    """The algebra of fx nodes. `stem` is the node that the tape's input stands for.

    `stand_ins` take the place of functions of the language, by their names. `positions` says for
    each node before which block its shape is read.
    """

    graph: fx.Graph
    parts: Parts
    stem: fx.Node
    coefficients: Coefficients
    stand_ins: Functions = field(default_factory=dict)
    gate_style: GateStyle = GateStyle()  # noqa: RUF009 - frozen
    positions: dict[fx.Node, int] = field(default_factory=dict)
    applications: Counter = field(default_factory=Counter)
    pools: dict[fx.Node, fx.Node] = field(default_factory=dict)

    def input(self) -> Value:
        return self.stem

    def zero(self) -> Value:
        return self._at(0, self.graph.call_function(torch.zeros_like, (self.stem,)))

    def one(self) -> Value:
        return 1.0

    def parameter(self, parameter: Parameter) -> Value:
        return self.coefficients.read(parameter)

    def call(self, block: str, index: int, argument: Value) -> Value:
        return self._at(index + 1, self.parts.call(block, index, self._node(argument)))

    def map(self, function: str, index: int | None, argument: Value) -> Value:
        if isinstance(argument, Deferred):
            return Deferred(lambda layout: self._plain(function, argument.at(layout)))
        if function in self.stand_ins:
            return self._stand_in(function, [self._node(argument)])
        if function == "act":
            assert index is not None, "act belongs to a block"
            return self._like([argument], self.parts.act(index, self._node(argument)))
        if function == "norm":
            assert index is not None, "norm belongs to a block"
            node = self._node(argument)
            return self._like([node], self.parts.norm(index, node, self.positions.get(node, 0)))
        if function in MAKERS:
            return self._own(function, index, [self._node(argument)])
        return self._like([argument], self._plain(function, argument))

    def _plain(self, function: str, argument: Any) -> fx.Node:
        """A function without weights."""
        if function == "softmax":
            axis = self._layout(argument).axis if isinstance(argument, fx.Node) else 0
            return self.graph.call_function(torch.softmax, (argument, axis))
        return self.graph.call_function(ACTIVATIONS[function], (argument,))

    def drop(self, rate: Fraction, index: int, argument: Value) -> Value:
        if "drop" in self.stand_ins:
            return self._stand_in("drop", [self._node(argument)])
        name = self._name("drop", index)
        made = self.parts.add_module(name, Drop(float(rate)), (self._node(argument),))
        return self._like([argument], made)

    def combine(self, function: str, index: int | None, arguments: Sequence[Value]) -> Value:
        nodes = [self._node(argument) for argument in arguments]
        if function in self.stand_ins:
            return self._stand_in(function, nodes)
        if function not in JOINING:
            return self._own(function, index, nodes)
        if function == "max":
            return self._like(nodes, self.graph.call_function(maximum, tuple(nodes)))
        layouts = [self._layout(node) for node in nodes]
        joined = self.graph.call_function(cat, tuple(nodes), {"axis": layouts[0].axis})
        width = sum(layout.channels for layout in layouts)
        return self._wide(width, self._like(nodes, joined))

    def part(self, number: int, count: int, argument: Value) -> Value:
        node = self._node(argument)
        layout = self._layout(node)
        if layout.channels % count:
            raise UserError("no-projection", f"{layout.channels} channels cannot be split into "
                            f"{count} equal parts", "choose another width")  # fmt: skip
        arguments = (node, number, count, layout.axis)
        made = self._like([node], self.graph.call_function(part, arguments))
        return self._wide(layout.channels // count, made)

    def scale(self, factor: Exact, argument: Value) -> Value:
        if factor == -1:
            return self._apply(operator.neg, argument)
        return self._apply(operator.mul, argument, _to_float(factor))

    def add(self, left: Value, right: Value) -> Value:
        terms = [term for term in (left, right) if isinstance(term, fx.Node)]
        if self.parts.widths is not None and any(term in self.parts.widths.known for term in terms):
            _check_widths("+", [self._layout(term) for term in terms if self._is_value(term)])
        return self._apply(operator.add, left, right)

    def multiply(self, left: Value, right: Value) -> Value:
        if "*" in self.stand_ins:
            return self._stand_in("*", [left, right])
        return self._apply(operator.mul, left, right)

    def start(self, label: str, argument: Value) -> Value:
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument: Value) -> Value:
        node = self._node(argument)
        if is_shortcut:
            return self._at(border + 1, self.parts.shortcut(border, node))
        return self._at(border + 1, self.parts.projection(border, label, node))

    def _apply(self, function: Callable[..., Any], *values: Value) -> Value:
        """An operator on tensors, numbers, and vectors that are not made yet."""
        nodes = [value for value in values if isinstance(value, fx.Node)]
        waiting = any(isinstance(value, Deferred) for value in values)
        if waiting and not any(self._is_value(node) for node in nodes):
            return Deferred(lambda layout: self._call(function, self._made(values, layout)))
        if waiting:
            values = self._made(values, self._layout(next(filter(self._is_value, nodes))))
        return self._like(nodes, self._call(function, values))

    def _call(self, function: Callable[..., Any], values: Sequence[Any]) -> Any:
        if any(isinstance(value, fx.Node) for value in values):
            return self.graph.call_function(function, tuple(values))
        return function(*values)

    def _made(self, values: Sequence[Value], layout: Layout) -> tuple[Any, ...]:
        return tuple(value.at(layout) if isinstance(value, Deferred) else value for value in values)

    def _is_value(self, node: fx.Node) -> bool:
        """Whether a node is a value of the network and not a coefficient."""
        return node is self.stem or node in self.positions

    def _node(self, value: Value) -> fx.Node:
        assert isinstance(value, fx.Node), "check lets no number pass as a value"
        return value

    def _own(self, function: str, index: int | None, nodes: Sequence[fx.Node]) -> Value:
        """A function with weights of its own."""
        shapeless = function in SHAPELESS
        layouts = [Layout(1, 1, 2) if shapeless else self._layout(node) for node in nodes]
        _check_widths(function, layouts)
        module = MAKERS[function](layouts, self.gate_style)
        name = self._name(function, index)
        made = self.parts.add_module(name, module, tuple(nodes))
        if isinstance(module, Gate) and all(layout.places for layout in layouts):
            pools = map(self._pooled, nodes, layouts)
            with self.graph.inserting_before(made):
                made.kwargs = {"pooled": tuple(pools)}
        return self._like(nodes, made)

    def _pooled(self, node: fx.Node, layout: Layout) -> fx.Node:
        """The mean over all places, of each value once."""
        if node not in self.pools:
            self.pools[node] = self.graph.call_function(torch.mean, (node, layout.places))
        return self.pools[node]

    def _name(self, function: str, index: int | None) -> str:
        """gate.3; a second one of one index, on other values, is gate.3_1."""
        self.applications[function, index] += 1
        again = self.applications[function, index] - 1
        return numbered(f"{function}.{index}", again)

    def _stand_in(self, function: str, values: Sequence[Value]) -> Value:
        return self._apply(self.stand_ins[function], *values)

    def _layout(self, node: fx.Node) -> Layout:
        return self.parts.layout(node, self.positions.get(node, 0))

    def _at(self, position: int, node: fx.Node) -> fx.Node:
        self.positions[node] = position
        return node

    def _like(self, values: Sequence[Value], made: Any) -> Any:
        """What is made of values has the shape of the latest of them."""
        positions = [self.positions.get(value, 0) for value in values
                     if isinstance(value, fx.Node) and self._is_value(value)]  # fmt: skip
        if positions and isinstance(made, fx.Node) and made is not self.stem:
            self.positions[made] = max(positions)
            if self.parts.widths is not None:
                self.parts.widths.pass_on(values, made)
        return made

    def _wide(self, channels: int, node: fx.Node) -> fx.Node:
        return node if self.parts.widths is None else self.parts.widths.keep(node, channels)


def _check_widths(function: str, layouts: Sequence[Layout]) -> None:
    widths = {layout.channels for layout in layouts}
    if len(widths) > 1:
        told = " and ".join(map(str, sorted(widths)))
        raise UserError("no-projection", f"`{function}` is given values of {told} channels",
                        "give it values of one width, or put them together with cat")  # fmt: skip


def _to_float(factor: Exact) -> float:
    try:
        value = float(factor)
    except OverflowError:
        value = math.inf
    if math.isinf(value) or (value == 0) != (factor == 0):
        raise UserError("too-large", "a coefficient is beyond what a float can hold",
                        "a network needs coefficients between 1e-308 and 1e308")  # fmt: skip
    return value


def emit(
    tape: Tape,
    graph: fx.Graph,
    parts: Parts,
    stem: fx.Node,
    stand_ins: Functions | None = None,
    gate_style: GateStyle = GateStyle(),  # noqa: B008 - frozen
) -> fx.Node:
    """Add the tape's dataflow to a graph; the node of the output comes back.

    A node's `meta["values"]` names the values of the tape that it holds.
    """
    names = _readable_names(tape)

    def give_name(value: int, node: Value) -> None:
        if not isinstance(node, fx.Node):
            return
        node.meta["values"] = (*node.meta.get("values", ()), value)
        if value in names and node.op != "placeholder":
            node._rename(names[value])

    coefficients = Coefficients(tape, graph, parts.add_parameter)
    algebra = TorchAlgebra(graph, parts, stem, coefficients, stand_ins or {}, gate_style)
    output = fold(tape, algebra, visit=give_name)
    assert isinstance(output, fx.Node), "check lets no number pass as an output"
    _subtract(graph, output)
    return output


def _readable_names(tape: Tape) -> dict[int, str]:
    """x_3 for a state and F_2 for a block's output, for whoever reads the code."""
    names = {}
    for (state, depth), value in sorted(tape.states.items(), reverse=True):
        if isinstance(tape.operations[value], Add | Map | Multiply | Combine):
            names[value] = f"{state}_{depth}"
    for value, operation in enumerate(tape.operations):
        if isinstance(operation, Call):
            names[value] = f"{operation.block}_{operation.index}"
    return names


def _subtract(graph: fx.Graph, output: fx.Node) -> None:
    """a + (-b) is a - b, to the bit, and saves a tensor."""
    for node in list(graph.nodes):
        if node.op != "call_function" or node.target is not operator.add:
            continue
        left, right = node.args
        if _is_negation(right):
            node.target, node.args = operator.sub, (left, right.args[0])
        elif _is_negation(left):
            node.target, node.args = operator.sub, (right, left.args[0])
    for node in reversed(list(graph.nodes)):
        if _is_negation(node) and not node.users and node is not output:
            graph.erase_node(node)


def _is_negation(node: Any) -> bool:
    return isinstance(node, fx.Node) and node.op == "call_function" and node.target is operator.neg
