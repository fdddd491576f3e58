"""Learned coefficients in a network: parameters, and what keeps them where they belong.

The numbers of one coefficient that belong to a depth are one parameter, `formula.a.3`: a number, a
vector over channels or streams, a matrix, or a row over the depths that are read there. A
constraint is a function of that parameter: sigmoid, softmax, or Sinkhorn's normalisation of rows
and columns (Sinkhorn and Knopp 1967), 20 times each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias, Union

import torch
from torch import Tensor, fx

from recform.errors import UserError
from recform.formula.ast import Param
from recform.network.functions import Layout
from recform.tape import Parameter, Tape

SINKHORN_STEPS = 20
# A start value of 0 under softmax or Sinkhorn, which know only positive numbers.
LEAST_START = 1e-3

Numbers: TypeAlias = tuple[int, ...]


@dataclass(eq=False)
class Deferred:
    """Something made of vectors over channels, which is known once the number of channels is."""

    make: Callable[[Layout], Coefficient]
    made: dict[Layout, Coefficient] = field(default_factory=dict)

    def at(self, layout: Layout) -> Coefficient:
        if layout not in self.made:
            self.made[layout] = self.make(layout)
        return self.made[layout]


# What an operation of the tape may become: a tensor, a number, or a vector that is not made yet.
Coefficient: TypeAlias = Union[fx.Node, float]  # noqa: UP007 - needed at run time on 3.10


def sinkhorn(logits: Tensor) -> Tensor:
    """The doubly stochastic matrix that rows and columns of exp(logits) are scaled to."""
    matrix = (logits - logits.max()).exp()
    for _ in range(SINKHORN_STEPS):
        matrix = matrix / matrix.sum(dim=-1, keepdim=True)
        matrix = matrix / matrix.sum(dim=-2, keepdim=True)
    return matrix


# What keeps a parameter where it belongs: a function, and its further arguments.
CONSTRAINTS: Mapping[str, tuple[Callable[..., Tensor], tuple[int, ...]]] = MappingProxyType(
    {"sigmoid": (torch.sigmoid, ()), "softmax": (torch.softmax, (0,)),
     "doubly_stochastic": (sinkhorn, ())}
)  # fmt: skip


def learned_values(
    tape: Tape, parameters: Mapping[str, Tensor]
) -> Iterator[tuple[Parameter, Tensor]]:
    """Each coefficient of a tape with what it stands at, kept where it belongs.

    `parameters` are a network's, by their names under `formula`. A coefficient over channels is a
    vector, others are numbers; what no network was given is left out.
    """
    for key, members in _members(tape).items():
        if _name(key) not in parameters:
            continue
        whole = parameters[_name(key)].detach()
        constraint = members[0].param.constraint
        if constraint is not None:
            function, arguments = CONSTRAINTS[constraint]
            whole = function(whole, *arguments)
        for member in members:
            yield member, whole[tuple(_position(member, members))]


@dataclass
class Coefficients:
    """The parameters of a tape as nodes of a graph; each is made when it is first read."""

    tape: Tape
    graph: fx.Graph
    add_parameter: Callable[[str, Tensor], fx.Node]
    members: Mapping[tuple[str, Numbers], Sequence[Parameter]] = field(init=False)
    nodes: dict[tuple[str, Numbers], fx.Node] = field(default_factory=dict)
    widths: dict[tuple[str, Numbers], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.members = _members(self.tape)

    def read(self, parameter: Parameter) -> Coefficient | Deferred:
        """The number that an operation stands for."""
        if "channel" in parameter.param.indices:
            return Deferred(lambda layout: self._vector(parameter, layout))
        whole = self._whole(parameter, None)
        return self._entry(whole, parameter)

    def _vector(self, parameter: Parameter, layout: Layout) -> fx.Node:
        vector = self._entry(self._whole(parameter, layout.channels), parameter)
        sizes = [-1] + [1] * (layout.num_axes - 1 - layout.axis)
        return self.graph.call_function(torch.reshape, (vector, sizes))

    def _whole(self, parameter: Parameter, channels: int | None) -> fx.Node:
        """All numbers of the coefficient that are one parameter, kept where they belong."""
        key = _group(parameter)
        if key not in self.nodes:
            start = self._start(key, parameter.param)
            if channels is not None:
                start = start.unsqueeze(-1).expand(*start.shape, channels).clone()
                self.widths[key] = channels
            node = self.add_parameter(_name(key), start)
            self.nodes[key] = self._constrain(node, parameter.param)
        if channels is not None and self.widths[key] != channels:
            raise UserError("no-projection", f"{_told(key)} is a vector over {self.widths[key]} "
                            f"channels, and is read where there are {channels}", "read a "
                            "coefficient at one place, or let it be a number")  # fmt: skip
        return self.nodes[key]

    def _start(self, key: tuple[str, Numbers], param: Param) -> Tensor:
        """The numbers before the constraint: by depths that are not in the key, then streams."""
        members = self.members[key]
        places = _places(members)
        starts = {(_inner(m), m.entry): float(m.start) for m in members}
        sizes = ([len(places)] if _has_inner(param) else []) + list(param.entries)
        flat = [
            _unconstrained(starts.get((place, entry), 0.0), param)
            for place in places
            for entry in _entries(param.entries)
        ]
        return torch.tensor(flat).reshape(sizes)

    def _constrain(self, node: fx.Node, param: Param) -> fx.Node:
        if param.constraint is None:
            return node
        function, arguments = CONSTRAINTS[param.constraint]
        return self.graph.call_function(function, (node, *arguments))

    def _entry(self, whole: fx.Node, parameter: Parameter) -> fx.Node:
        for number in _position(parameter, self.members[_group(parameter)]):
            whole = self.graph.call_function(torch.select, (whole, 0, number))
        return whole


def _inner_axis(param: Param) -> int | None:
    """Which of the depths runs inside of one parameter, if any does."""
    if param.constraint == "softmax" and param.over is not None:
        return param.depths.index(param.over)
    return 1 if len(param.depths) == 2 else None


def _has_inner(param: Param) -> bool:
    return _inner_axis(param) is not None


def _group(parameter: Parameter) -> tuple[str, Numbers]:
    inner = _inner_axis(parameter.param)
    place = tuple(depth for axis, depth in enumerate(parameter.place) if axis != inner)
    return parameter.param.name, place


def _members(tape: Tape) -> dict[tuple[str, Numbers], list[Parameter]]:
    """The numbers that are one parameter, by the name and the depths that they share."""
    members: dict[tuple[str, Numbers], list[Parameter]] = {}
    for operation in tape.operations:
        if isinstance(operation, Parameter):
            members.setdefault(_group(operation), []).append(operation)
    return members


def _name(key: tuple[str, Numbers]) -> str:
    """a.3"""
    return ".".join([key[0], *map(str, key[1])])


def _places(members: Sequence[Parameter]) -> list[Numbers]:
    return sorted({_inner(member) for member in members})


def _position(parameter: Parameter, members: Sequence[Parameter]) -> Numbers:
    """Where a number stands in the parameter that it is a part of."""
    has_inner = _has_inner(parameter.param)
    inner = (_places(members).index(_inner(parameter)),) if has_inner else ()
    return (*inner, *parameter.entry)


def _inner(parameter: Parameter) -> Numbers:
    inner = _inner_axis(parameter.param)
    return () if inner is None else (parameter.place[inner],)


def _entries(sizes: Numbers) -> list[Numbers]:
    entries: list[Numbers] = [()]
    for size in sizes:
        entries = [(*entry, k) for entry in entries for k in range(size)]
    return entries


def _unconstrained(start: float, param: Param) -> float:
    """The number that the constraint makes the start value of."""
    match param.constraint:
        case "sigmoid":
            return math.log(start / (1 - start))
        case "softmax" | "doubly_stochastic":
            return math.log(max(start, LEAST_START))
    return start


def _told(key: tuple[str, Numbers]) -> str:
    return key[0] + (f"[{', '.join(map(str, key[1]))}]" if key[1] else "")
