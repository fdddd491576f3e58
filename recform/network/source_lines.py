"""A graph as lines of Python that a person would write.

A state is x_3 and a block's output F_2, as on the tape; what only the next line reads is y; a line
stays empty behind each state, and what nothing reads any more is deleted there.

    y = self.layer1[0].conv1(x_0)
    y = self.layer1[0].bn1(y)
    ...
    x_1 = self.layer1[0].act2(y)
    del F_0
"""

from __future__ import annotations

import builtins
import keyword
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import fx

from recform.network.source_words import Words
from recform.tape import Call, Tape

_OPERATORS: Mapping[Callable[..., Any], str] = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/",
    operator.floordiv: "//", operator.mod: "%", operator.matmul: "@", operator.pow: "**",
}  # fmt: skip


def lines_of(graph: fx.Graph, words: Words, path: Callable[[str], str], tape: Tape) -> list[str]:
    """The statements of a method; `path` says how a module or parameter is reached from `self`."""
    writer = _Writer(graph, words, path, tape)
    return list(writer.lines())


class _Writer:
    def __init__(
        self, graph: fx.Graph, words: Words, path: Callable[[str], str], tape: Tape
    ) -> None:
        self._nodes = list(graph.nodes)
        self._words = words
        self._path = path
        self._names = _names(self._nodes, tape)
        self._last_read = {
            source: place
            for place, node in enumerate(self._nodes)
            for source in node.all_input_nodes
        }
        states = set(tape.states.values())
        self._states = [n for n in self._nodes if states & set(n.meta.get("values", ()))]

    def lines(self) -> Iterator[str]:
        alive: list[fx.Node] = []
        for place, node in enumerate(self._nodes):
            if node.op == "output":
                yield f"return {self._word(node.args[0])}"
            elif node.op in ("get_attr", "placeholder"):
                # Parameters are written where they are read.
                continue
            else:
                name = self._names[node]
                yield f"{name} = {self._call(node)}" if node.users else self._call(node)
                if name != "y" and isinstance(node.meta.get("value"), torch.Tensor):
                    alive.append(node)
            if node in self._states:
                dead = [n for n in alive
                        if self._last_read.get(n, place) <= place and n is not node]  # fmt: skip
                alive = [n for n in alive if n not in dead]
                if dead:
                    yield f"del {', '.join(self._names[n] for n in dead)}"
                yield ""

    def _call(self, node: fx.Node) -> str:
        arguments = [self._word(argument) for argument in node.args]
        keywords = [f"{name}={self._word(value)}" for name, value in node.kwargs.items()]
        if node.op == "call_module":
            return f"{self._path(str(node.target))}({', '.join(arguments + keywords)})"
        if node.op == "call_method":
            return f"{arguments[0]}.{node.target}({', '.join(arguments[1:] + keywords)})"
        return self._function(node.target, arguments, keywords, node)

    def _function(
        self, function: Any, arguments: list[str], keywords: list[str], node: fx.Node
    ) -> str:
        if function in _OPERATORS and len(arguments) == 2:
            return f" {_OPERATORS[function]} ".join(arguments)
        if function is operator.neg:
            return f"-{arguments[0]}"
        if function is operator.getitem:
            return f"{arguments[0]}[{self._index(node.args[1])}]"
        if function is getattr and isinstance(node.args[1], str):
            return f"{arguments[0]}.{node.args[1]}"
        return f"{self._function_name(function)}({', '.join(arguments + keywords)})"

    def _function_name(self, function: Any) -> str:
        if getattr(builtins, getattr(function, "__name__", ""), None) is function:
            return function.__name__
        if getattr(function, "__module__", "") == "_operator":
            self._words.imports["operator"] = "operator", ""
            return f"operator.{function.__name__}"
        return self._words.named(function)

    def _index(self, index: Any) -> str:
        if isinstance(index, slice):
            bounds = ["" if b is None else self._word(b) for b in (index.start, index.stop)]
            step = "" if index.step is None else f":{self._word(index.step)}"
            return ":".join(bounds) + step
        if isinstance(index, tuple) and index:
            return ", ".join(map(self._index, index)) + ("," if len(index) == 1 else "")
        return "..." if index is Ellipsis else self._word(index)

    def _word(self, value: Any) -> str:
        """An argument: a name, a parameter's path, or a constant."""
        if isinstance(value, fx.Node):
            return self._path(str(value.target)) if value.op == "get_attr" else self._names[value]
        if isinstance(value, tuple):
            inner = ", ".join(map(self._word, value))
            return f"({inner}{',' if len(value) == 1 else ''})"
        if isinstance(value, list):
            return f"[{', '.join(map(self._word, value))}]"
        if isinstance(value, slice):
            return f"slice({', '.join(map(self._word, (value.start, value.stop, value.step)))})"
        if isinstance(value, torch.device):
            return f"torch.device({str(value)!r})"
        return "..." if value is Ellipsis else self._words.value(value)


def _names(nodes: list[fx.Node], tape: Tape) -> dict[fx.Node, str]:
    known = _names_on_the_tape(tape)
    names: dict[fx.Node, str] = {}
    # A local name would hide a function of that name from the whole method.
    functions = {getattr(n.target, "__name__", "") for n in nodes if n.op == "call_function"}
    taken = {"y", "self", "torch", "nn", "functional", *functions, *keyword.kwlist}
    for place, node in enumerate(nodes):
        read_next = place + 1 < len(nodes) and list(node.users) == [_next(nodes, place)]
        told = [known[value] for value in node.meta.get("values", ()) if value in known]
        if node.op != "placeholder" and not told and read_next:
            names[node] = "y"
            continue
        name = told[0] if told and told[0] not in taken else node.name
        while name in taken:
            name += "_"
        taken.add(name)
        names[node] = name
    return names


def _next(nodes: list[fx.Node], place: int) -> fx.Node | None:
    """The next node that is a line of its own."""
    return next((n for n in nodes[place + 1 :] if n.op != "get_attr"), None)


def _names_on_the_tape(tape: Tape) -> dict[int, str]:
    names = {
        value: f"{operation.block}_{operation.index}"
        for value, operation in enumerate(tape.operations)
        if isinstance(operation, Call)
    }
    for (state, depth), value in sorted(tape.states.items(), reverse=True):
        if not isinstance(tape.operations[value], Call):
            # A stream is h.0 on the tape.
            names[value] = f"{state.replace('.', '_')}_{depth}"
    return names
