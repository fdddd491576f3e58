"""The torch reading of a tape: one fx node for each value.

What the operations become is said by `Parts`: `compile` and `build` each bring their own. The
result is straight-line dataflow; every state and every kept block output is a node, freed at its
last use, and nothing is remembered anywhere else.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import torch
from torch import fx, nn
from torch.nn import functional

from recform.errors import UserError
from recform.tape import Add, Call, Map, Tape, fold

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}


class Parts(Protocol):
    """What a tape's operations are made of: each method adds nodes to the graph it was made for."""

    def call(self, block: str, index: int, argument: fx.Node) -> fx.Node: ...
    def act(self, index: int, argument: fx.Node) -> fx.Node: ...
    def norm(self, index: int, argument: fx.Node) -> fx.Node: ...
    def shortcut(self, border: int, argument: fx.Node) -> fx.Node: ...
    def projection(self, border: int, label: str, argument: fx.Node) -> fx.Node: ...


@dataclass
class TorchAlgebra:
    """The algebra of fx nodes. `stem` is the node that the tape's input stands for."""

    graph: fx.Graph
    parts: Parts
    stem: fx.Node

    def input(self) -> fx.Node:
        return self.stem

    def zero(self) -> fx.Node:
        return self.graph.call_function(torch.zeros_like, (self.stem,))

    def call(self, block: str, index: int, argument: fx.Node) -> fx.Node:
        return self.parts.call(block, index, argument)

    def map(self, function: str, index: int | None, argument: fx.Node) -> fx.Node:
        if function == "act":
            assert index is not None, "act belongs to a block"
            return self.parts.act(index, argument)
        if function == "norm":
            assert index is not None, "norm belongs to a block"
            return self.parts.norm(index, argument)
        return self.graph.call_function(ACTIVATIONS[function], (argument,))

    def scale(self, factor: Fraction, argument: fx.Node) -> fx.Node:
        if factor == -1:
            return self.graph.call_function(operator.neg, (argument,))
        return self.graph.call_function(operator.mul, (argument, _to_float(factor)))

    def add(self, left: fx.Node, right: fx.Node) -> fx.Node:
        return self.graph.call_function(operator.add, (left, right))

    def start(self, label: str, argument: fx.Node) -> fx.Node:
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument: fx.Node) -> fx.Node:
        if is_shortcut:
            return self.parts.shortcut(border, argument)
        return self.parts.projection(border, label, argument)


def _to_float(factor: Fraction) -> float:
    try:
        value = float(factor)
    except OverflowError:
        value = math.inf
    if math.isinf(value) or (value == 0) != (factor == 0):
        raise UserError("too-large", "a coefficient is beyond what a float can hold",
                        "a network needs coefficients between 1e-308 and 1e308")  # fmt: skip
    return value


def emit(tape: Tape, graph: fx.Graph, parts: Parts, stem: fx.Node) -> fx.Node:
    """Add the tape's dataflow to a graph; the node of the output comes back.

    A node's `meta["values"]` names the values of the tape that it holds.
    """
    names = _readable_names(tape)

    def give_name(value: int, node: fx.Node) -> None:
        node.meta["values"] = (*node.meta.get("values", ()), value)
        if value in names and node.op != "placeholder":
            node._rename(names[value])

    output = fold(tape, TorchAlgebra(graph, parts, stem), visit=give_name)
    _subtract(graph, output)
    return output


def _readable_names(tape: Tape) -> dict[int, str]:
    """x_3 for a state and F_2 for a block's output, for whoever reads the code."""
    names = {}
    for (state, depth), value in sorted(tape.states.items(), reverse=True):
        if isinstance(tape.operations[value], Add | Map):
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


def keep_values_intact(graph: fx.Graph, root: nn.Module) -> None:
    """Let no module overwrite a value that is read again: its `inplace` is switched off there.

    timm's activations work in place, which is right on a sum that nothing else reads, and wrong on
    a state that is read again one block later.
    """
    modules = dict(root.named_modules(remove_duplicate=False))
    for node in graph.nodes:
        if node.op != "call_module" or not getattr(modules[node.target], "inplace", False):
            continue
        if _is_shared(node.args[0], modules):
            setattr(modules[str(node.target)], "inplace", False)  # noqa: B010 - no Module declares it


def protect_arguments(graph: fx.Graph, root: nn.Module) -> None:
    """Give a block that may overwrite what it reads a copy of it, if the value is read again.

    Blocks of any library may begin in place: `nn.Sequential(nn.ReLU(inplace=True), ...)`.
    """
    modules = dict(root.named_modules(remove_duplicate=False))
    for node in list(graph.nodes):
        if node.op != "call_module" or not _may_overwrite(modules[str(node.target)]):
            continue
        if _is_shared(node.args[0], modules):
            with graph.inserting_before(node):
                node.args = (graph.call_function(torch.clone, (node.args[0],)),)


def _may_overwrite(module: nn.Module) -> bool:
    """Whether a module works in place on what it reads, as far as can be seen from outside."""
    if isinstance(module, nn.Sequential):
        # What hands its argument on unchanged is followed by what may overwrite it.
        for child in module:
            if not _hands_on(child):
                return _may_overwrite(child)
        return False
    return any(getattr(inner, "inplace", False) for inner in module.modules())


def _hands_on(module: nn.Module) -> bool:
    """Whether a module may return the very tensor that it was given."""
    if isinstance(module, nn.Sequential):
        return all(_hands_on(child) for child in module)
    return isinstance(module, nn.Identity | nn.Dropout | nn.Dropout2d)


def _is_shared(node: Any, modules: dict[str, nn.Module]) -> bool:
    """Whether the tensor of a node has another reader, through modules that hand it on as well."""
    while isinstance(node, fx.Node):
        if len(node.users) > 1 or node.op == "placeholder":
            return True
        if node.op != "call_module" or not _hands_on(modules[str(node.target)]):
            return False
        node = node.args[0]
    return True
