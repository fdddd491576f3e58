"""A backbone put together by a formula.

The model stays the model: its class gains a new `forward_features`, straight-line code made from
the tape, and the model keeps everything else, its children's names first of all. What is new (the
projections, norms and further blocks that the formula asks for) stands under one child,
`formula`; what the formula does not read is taken out.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from itertools import count

from timm.layers import ConvNormAct
from torch import fx, nn

from recform.network.backbone import Backbone, Shape
from recform.network.emit import emit, keep_values_intact
from recform.tape import Call, Tape

_numbers = count()


class BackboneParts:
    """The parts of a backbone's units as nodes of a new graph, and new modules where needed."""

    def __init__(self, backbone: Backbone, spares: dict[str, Backbone]) -> None:
        self.graph = fx.Graph()
        self.added = nn.Module()
        self.projections: list[str] = []
        self._backbone = backbone
        self._spares = spares

    def call(self, block: str, index: int, argument: fx.Node) -> fx.Node:
        unit = self._backbone.units[index]
        if block == "F":
            return self._inline(unit.branch, unit.path, argument)
        # A further block is the branch of the same unit in a fresh copy of the backbone.
        name = f"{block}.{index}"
        if not _has(self.added, name):
            spare = self._spares[block]
            module = spare.model.get_submodule(spare.units[index].path)
            _keep_only(module, unit.branch)
            _add(self.added, name, module)
        return self._inline(unit.branch, f"formula.{name}", argument)

    def act(self, index: int, argument: fx.Node) -> fx.Node:
        unit = self._backbone.units[index]
        return self._inline(unit.after, unit.path, argument)

    def norm(self, index: int, argument: fx.Node) -> fx.Node:
        channels = self._backbone.reads[index].channels
        name = f"norm.{index}"
        if not _has(self.added, name):
            _add(self.added, name, norm_class(self._backbone)(channels))
        return self.graph.call_module(f"formula.{name}", (argument,))

    def shortcut(self, border: int, argument: fx.Node) -> fx.Node:
        unit = self._backbone.units[border]
        return self._inline(unit.shortcut, unit.path, argument)

    def projection(self, border: int, label: str, argument: fx.Node) -> fx.Node:
        name = f"projection.{label}_at_{border}"
        before, after = self._backbone.reads[border : border + 2]
        _add(self.added, name, make_projection(before, after, norm_class(self._backbone)))
        self.projections.append(f"formula.{name}")
        return self.graph.call_module(f"formula.{name}", (argument,))

    def _inline(self, nodes: Sequence[fx.Node], path: str, argument: fx.Node) -> fx.Node:
        """Nodes of a unit's own graph, copied; the first reads `argument`."""
        copies: dict[fx.Node, fx.Node] = {}
        last = argument
        for node in nodes:
            last = self.graph.node_copy(node, lambda old: copies.get(old, argument))
            if node.op in ("call_module", "get_attr"):
                last.target = f"{path}.{node.target}"
            copies[node] = last
        return last


def norm_class(backbone: Backbone) -> Callable[[int], nn.Module]:
    """The backbone's own normalisation, made from a number of channels."""
    unit = backbone.units[0]
    for node in unit.branch:
        if node.op == "call_module":
            module = backbone.model.get_submodule(f"{unit.path}.{node.target}")
            if isinstance(module, nn.BatchNorm2d | nn.GroupNorm | nn.InstanceNorm2d):
                return type(module)  # type: ignore[return-value]
    return nn.BatchNorm2d


def make_projection(
    before: Shape, after: Shape, norm: Callable[[int], nn.Module] = nn.BatchNorm2d
) -> nn.Module:
    """A 1x1 convolution with stride, without bias, and a norm (Liao et al. 2021, A.5)."""
    stride = (round(before.height / after.height), round(before.width / after.width))
    projection = ConvNormAct(before.channels, after.channels, kernel_size=1,
                             stride=stride, norm_layer=norm, apply_act=False)  # type: ignore[arg-type]  # fmt: skip
    weight = projection.get_parameter("conv.weight")
    nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")
    return projection


def assemble(backbone: Backbone, tape: Tape, parts: BackboneParts) -> fx.Graph:
    """The graph of forward_features by the tape; the backbone's model gets the parts added."""
    copies: dict[fx.Node, fx.Node] = {}
    paths = backbone.path_of_unit
    for node in backbone.trunk.nodes:
        unit = paths.get(str(node.target)) if node.op == "call_module" else None
        if unit is None:
            copies[node] = parts.graph.node_copy(node, lambda old: copies[old])
        elif unit == backbone.depth - 1:
            first = backbone.units[0].path
            stem = next(n for n in backbone.trunk.nodes if n.target == first).args[0]
            copies[node] = emit(tape, parts.graph, parts, copies[stem])  # type: ignore[index]
    if list(parts.added.children()):
        backbone.model.add_module("formula", parts.added)
    return parts.graph


def remove_unread(backbone: Backbone, graph: fx.Graph) -> tuple[str, ...]:
    """Take out of the units what the graph does not call; the paths taken out come back."""
    called = {str(node.target) for node in graph.nodes if node.op == "call_module"}
    removed = []
    for unit in backbone.units:
        module = backbone.model.get_submodule(unit.path)
        for node in (*unit.branch, *unit.shortcut, *unit.after):
            path = f"{unit.path}.{node.target}"
            if node.op == "call_module" and path not in called:
                removed.append(path)
                setattr(module, str(node.target), None)
    return tuple(removed)


def forward_features_from(graph: fx.Graph, model: nn.Module) -> tuple[Callable, str]:
    """The graph as a function of `self` and images, and its source."""
    keep_values_intact(graph, model)
    code = graph.python_code(root_module="self")
    source = code.src.replace("def forward(", "def forward_features(", 1)
    # Registered, so that tracebacks show the lines.
    file = f"<recform network {next(_numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope = dict(code.globals)
    exec(compile(source, file, "exec"), scope)
    return scope["forward_features"], source.strip()


def _has(root: nn.Module, name: str) -> bool:
    return any(path == name for path, _ in root.named_modules())


def _add(root: nn.Module, name: str, module: nn.Module) -> None:
    container, leaf = name.split(".")
    if container not in root._modules:
        root.add_module(container, nn.Module())
    root.get_submodule(container).add_module(leaf, module)


def _keep_only(module: nn.Module, nodes: Sequence[fx.Node]) -> None:
    kept = {str(node.target) for node in nodes if node.op == "call_module"}
    for name, _ in list(module.named_children()):
        if name not in kept:
            delattr(module, name)


def spare_blocks(tape: Tape) -> tuple[str, ...]:
    """The blocks beside F that the tape calls."""
    return tuple(sorted({op.block for op in tape.operations if isinstance(op, Call)} - {"F"}))
