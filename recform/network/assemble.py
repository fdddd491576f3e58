"""A backbone put together by a formula.

The model stays the model: its class gains a new forward, straight-line code made from the tape,
and the model keeps everything else, its children's names first of all. What is new (the
projections, norms and further blocks that the formula asks for) stands under one child,
`formula`; what the formula does not read is taken out.
"""

from __future__ import annotations

import linecache
import operator
from collections.abc import Callable
from contextlib import nullcontext
from itertools import count
from typing import Any

import torch
from torch import fx, nn

from recform.errors import UserError
from recform.formula.ast import Definition
from recform.network.backbone import Backbone, Unit
from recform.network.context import accepts_context, refuse_context
from recform.network.dotted import holds, numbered, put
from recform.network.emit import emit
from recform.network.functions import Layout
from recform.network.layout import Passage, undo
from recform.network.library import make_block
from recform.network.overwriting import keep_values_intact
from recform.network.plan import Plan
from recform.network.projection import make_projection
from recform.network.shape import Shape
from recform.network.split import num_weights
from recform.network.style import gate_style, norm_of_images
from recform.network.widths import Widths
from recform.tape import Call, Tape

_numbers = count()


class BackboneParts:
    """The parts of a backbone's units as nodes of a new graph, and new modules where needed.

    A part is copied with what it reads: the state that it is applied to, and whatever is no state,
    such as sizes and position tables, as it was computed last.
    """

    def __init__(
        self,
        backbone: Backbone,
        spares: dict[str, nn.Module],
        definitions: tuple[Definition, ...],
        plan: Plan,
        allow_code: bool = False,
    ) -> None:
        self.graph = fx.Graph()
        self.gate_style = gate_style(backbone, plan.gate_reduction)
        self.added = nn.Module()
        self.projections: list[str] = []
        self.context: dict[fx.Node, fx.Node] = {}
        self._backbone = backbone
        self._spares = spares
        self._project = plan.project
        self._allow_code = allow_code
        self._definitions = {definition.block: definition for definition in definitions}
        self._norm_of_images = norm_of_images(backbone)
        self.widths = Widths(backbone.reads, self._norm_of_images, self.add_module,
                             self.projections)  # fmt: skip
        self._norms: dict[tuple[int, fx.Node], str] = {}
        # by the addition of a unit and the state that it is applied to
        self._entered: dict[tuple[fx.Node, fx.Node], dict[fx.Node, fx.Node]] = {}
        self._begun: dict[tuple[fx.Node, fx.Node], fx.Node] = {}
        self._passed: dict[tuple[fx.Node, fx.Node], fx.Node] = {}
        self._branches: dict[fx.Node, Unit] = {}

    def call(self, block: str, index: int, argument: fx.Node) -> fx.Node:
        argument = self.widths.fit(argument, index)
        if block in self._definitions:
            return self._defined(block, index, argument)
        unit = self._backbone.units[index]
        place = None if block == "F" else f"formula.{block}.{index}"
        if place is not None:
            self._add_copy_of_branch(block, index)
        total = branch = self._branch(unit, argument, place)
        if unit.more:
            state = self.shortcut(index, argument) if unit.changes_state else argument
            for inner in unit.more:
                state = self._sum(state, branch, inner)
                branch = self._branch(inner, state, place)
                total = self._sum(total, branch, inner)
        self._branches[total] = unit
        return total

    def act(self, index: int, argument: fx.Node) -> fx.Node:
        unit = self._backbone.units[index].last
        if not unit.after:
            return argument
        if num_weights(unit.after, self._backbone.model):
            argument = self.widths.fit(argument, index + 1)
        copies: dict[fx.Node, fx.Node] = {}
        copies[unit.addition] = self.rearrange(unit.rearranged, argument, copies)
        for node in unit.after:
            self.copy(node, copies)
        return self._back(unit.rearranged, copies[unit.hands_on], copies)

    def norm(self, index: int, argument: fx.Node, position: int) -> fx.Node:
        shape = self._backbone.reads[position]
        # Each value that is normalised has a norm of its own.
        again = sum(1 for known, _ in self._norms if known == index)
        name = self._norms.setdefault((index, argument), numbered(f"norm.{index}", again))
        if not holds(self.added, name):
            is_image = shape.is_channels_first and not shape.is_tokens
            make = self._norm_of_images if is_image else nn.LayerNorm
            put(self.added, name, make(self.widths.channels(argument, position)))
        return self.graph.call_module(f"formula.{name}", (argument,))

    def layout(self, value: fx.Node, position: int) -> Layout:
        shape = self._backbone.reads[position]
        channels = self.widths.channels(value, position)
        return Layout(channels, shape.channel_axis + 1, len(shape.sizes) + 1)

    def add_module(self, name: str, module: nn.Module, arguments: tuple) -> fx.Node:
        put(self.added, name, module)
        return self.graph.call_module(f"formula.{name}", arguments)

    def add_parameter(self, name: str, start: torch.Tensor) -> fx.Node:
        put(self.added, name, nn.Parameter(start))
        return self.graph.get_attr(f"formula.{name}")

    def _defined(self, block: str, index: int, argument: fx.Node) -> fx.Node:
        """A block that the formula defines, in the shape behind the unit."""
        name = f"{block}.{index}"
        if not holds(self.added, name):
            before, after = self._backbone.reads[index : index + 2]
            made = make_block(self._definitions[block], self.layout(argument, index + 1),
                              self._allow_code)  # fmt: skip
            if before != after:
                made = nn.Sequential(self._make_projection(before, after), made)
            put(self.added, name, made)
        return self.graph.call_module(f"formula.{name}", (argument,))

    def shortcut(self, border: int, argument: fx.Node) -> fx.Node:
        unit = self._backbone.units[border]
        argument = self.widths.fit(argument, border)
        key = (unit.addition, argument)
        if key not in self._passed:
            copies = self._enter(unit, argument)
            begun = None if unit.runs_branch_first else self._begun.get(key)
            # The order in which gradients are added up is that of the forward pass.
            with self.graph.inserting_before(begun) if begun is not None else nullcontext():
                for node in unit.shortcut:
                    self.copy(node, copies)
            self._passed[key] = copies[unit.shortcut_end]
        return self._passed[key]

    def projection(self, border: int, label: str, argument: fx.Node) -> fx.Node:
        before, after = self._backbone.reads[border : border + 2]
        argument = self.widths.fit(argument, border)
        if before == after:
            return argument
        name = f"projection.{label}_at_{border}"
        put(self.added, name, self._make_projection(before, after))
        self.projections.append(f"formula.{name}")
        return self.graph.call_module(f"formula.{name}", (argument,))

    def _make_projection(self, before: Shape, after: Shape) -> nn.Module:
        return make_projection(before, after, self._norm_of_images, self._project)

    def copy(
        self, node: fx.Node, copies: dict[fx.Node, fx.Node], state: fx.Node | None = None
    ) -> fx.Node:
        """A node of the backbone in the new graph, reading what `copies` has for its inputs.

        `state` is one of the same stage, for sizes that nothing has asked for yet.
        """
        new = self.graph.node_copy(node, lambda old: self._find(old, copies, state))
        overwrites = node.meta.get("overwrites", False)
        new.meta = {"overwrites": True} if overwrites else {}
        copies[node] = self.context[node] = new
        return new

    def entered(self, unit: Unit, state: fx.Node) -> dict[fx.Node, fx.Node]:
        """What lies before a unit, as it was applied to a state: the backbone's nodes to ours."""
        return self._entered.get((unit.addition, state), {})

    def rearrange(
        self, passages: tuple[Passage, ...], state: fx.Node, copies: dict[fx.Node, fx.Node]
    ) -> fx.Node:
        """A state in the layout that a unit wants."""
        layout = state
        for passage in passages:
            copies[passage.start] = layout
            for node in passage.nodes:
                layout = self.copy(node, copies, state)
        return layout

    def order_sums(self) -> None:
        """Write F + x where the backbone does: the first operand decides the memory format."""
        for node in self.graph.nodes:
            if node.op == "call_function" and node.target is operator.add:
                left, right = node.args
                unit = self._branches.get(right)
                if unit is not None and unit.adds_branch_first and left not in self._branches:
                    node.args = (right, left)

    def _branch(self, unit: Unit, argument: fx.Node, place: str | None) -> fx.Node:
        """The branch of one residual sum; with the weights under `place`, if that is given."""
        copies = self._enter(unit, argument)
        before = len(self.graph.nodes)
        for node in unit.branch:
            self.copy(node, copies)
            if place is not None:
                _retarget(copies[node], unit.path, place)
        self._begun.setdefault((unit.addition, argument), list(self.graph.nodes)[before])
        return self._back(unit.rearranged, copies[unit.branch_end], copies)

    def _sum(self, left: fx.Node, right: fx.Node, unit: Unit) -> fx.Node:
        pair = (right, left) if unit.adds_branch_first else (left, right)
        return self.graph.call_function(operator.add, pair)

    def _enter(self, unit: Unit, argument: fx.Node) -> dict[fx.Node, fx.Node]:
        """What lies before a unit, applied to a state once, whoever reads it."""
        key = (unit.addition, argument)
        if key not in self._entered:
            copies: dict[fx.Node, fx.Node] = {}
            copies[unit.reads] = self.rearrange(unit.lead, argument, copies)
            for node in unit.before:
                self.copy(node, copies)
            self._entered[key] = copies
        return self._entered[key]

    def _back(
        self, passages: tuple[Passage, ...], value: fx.Node, copies: dict[fx.Node, fx.Node]
    ) -> fx.Node:
        """A value that a unit made, in the layout of the stage."""
        for passage in reversed(passages):
            befores = (passage.start, *passage.nodes[:-1])
            for node, before in reversed(list(zip(passage.nodes, befores, strict=True))):
                value = undo(node, value, copies[before], self.graph)
        return value

    def _find(
        self, node: fx.Node, copies: dict[fx.Node, fx.Node], state: fx.Node | None
    ) -> fx.Node:
        found = copies.get(node) or self.context.get(node)
        if found is not None:
            return found
        unit = next((u for u in self._backbone.units if node is u.reads or node in u.before), None)
        if unit is not None and state is not None and unit.rearranged:
            # A unit that the formula leaves out, and whose sizes a later one asks for.
            return self._enter(unit, state)[node]
        if node in self._backbone.flow:
            raise UserError("no-units", f"later blocks need {node.name}, which the formula skips",
                            "apply each block to a state, or share blocks within a stage"
                            )  # fmt: skip
        return self.copy(node, copies, state)

    def _add_copy_of_branch(self, block: str, index: int) -> None:
        """The branch of the same unit in a fresh copy of the backbone, under `formula`."""
        name = f"{block}.{index}"
        if holds(self.added, name):
            return
        unit, spare = self._backbone.units[index], self._spares[block]
        put(self.added, name, nn.Module())
        for node in (*unit.branch, *(n for inner in unit.more for n in inner.branch)):
            if _has_path(node):
                target = str(node.target)
                put(self.added.get_submodule(name), _below(target, unit.path),
                    operator.attrgetter(target)(spare))  # fmt: skip


def assemble(backbone: Backbone, tape: Tape, parts: BackboneParts) -> fx.Graph:
    """The graph of the forward by the tape; the backbone's model gets the parts added."""
    order = {node: place for place, node in enumerate(backbone.trunk.nodes)}
    first, last = backbone.units[0].reads, backbone.units[-1].last.hands_on
    copies: dict[fx.Node, fx.Node] = {}
    for node in backbone.trunk.nodes:
        if not order[first] < order[node] <= order[last]:
            parts.copy(node, copies)
        elif node is last:
            state = emit(tape, parts.graph, parts, copies[first], gate_style=parts.gate_style)
            state = parts.widths.fit(state, backbone.depth)
            copies[node] = parts.rearrange(backbone.exit, state, {})
    parts.order_sums()
    if list(parts.added.children()):
        backbone.model.add_module("formula", parts.added)
    return parts.graph


def remove_unread(backbone: Backbone, graph: fx.Graph) -> tuple[str, ...]:
    """Take out of the units what the graph does not read; the paths taken out come back."""
    read = {str(node.target) for node in graph.nodes if _has_path(node)}
    paths = [str(node.target) for unit in backbone.units for node in unit.nodes if _has_path(node)]
    removed = [path for path in dict.fromkeys(paths) if path not in read]
    for path in removed:
        owner, _, name = path.rpartition(".")
        setattr(backbone.model.get_submodule(owner), name, None)
    return tuple(removed)


def forward_from(graph: fx.Graph, backbone: Backbone) -> tuple[Callable[..., Any], str]:
    """The graph as a method of the model, and its source."""
    keep_values_intact(graph, backbone.model)
    code = graph.python_code(root_module="self")
    source = code.src.replace("def forward(", f"def {backbone.method}(", 1)
    # Registered, so that tracebacks show the lines.
    file = f"<recform network {next(_numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope = dict(code.globals)
    exec(compile(source, file, "exec"), scope)
    forward = scope[backbone.method]
    if accepts_context(backbone.model, backbone.method):
        forward = _without_context(forward)
    return forward, source.strip()


def _without_context(forward: Callable[..., Any]) -> Callable[..., Any]:
    """The forward pass, refusing the masks and the like that it was not made for."""

    def method(self: nn.Module, images: Any, *rest: Any, **context: Any) -> Any:
        refuse_context(context, *rest)
        return forward(self, images)

    return method


def _has_path(node: fx.Node) -> bool:
    """Whether a node reads a module, a parameter or a buffer of the model."""
    is_mode = str(node.target).split(".")[-1] == "training"
    return node.op in ("call_module", "get_attr") and not is_mode


def _retarget(node: fx.Node, old: str, new: str) -> None:
    if _has_path(node):
        node.target = f"{new}.{_below(str(node.target), old)}"


def _below(path: str, owner: str) -> str:
    return path.removeprefix(f"{owner}.") if owner else path


def spare_blocks(tape: Tape, definitions: tuple[Definition, ...] = ()) -> tuple[str, ...]:
    """The blocks beside F that the tape calls, and that are copies of the backbone's."""
    called = {op.block for op in tape.operations if isinstance(op, Call)}
    return tuple(sorted(called - {"F"} - {definition.block for definition in definitions}))
