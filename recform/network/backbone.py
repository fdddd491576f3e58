"""A backbone taken apart: stem, a chain of residual units, head.

    images -> stem -> [before -> S, F -> addition -> after] -> ... -> head

The forward is one graph (`open_up`); its residual additions cut it into units. What lies between
two units, such as a downsampling convolution or a merging of patches, is `before` the second: its
branch and its shortcut both read it. Any model goes: nothing here knows a class of blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock

import torch
from torch import fx, nn
from torch.fx.proxy import TraceError

from recform.errors import UserError
from recform.network.ghost import ghost_of
from recform.network.layout import Passage, is_round_trip, passage_between
from recform.network.opening import open_up
from recform.network.refusal import HINT, why_no_chain, why_not_followed
from recform.network.shape import Shape, shape_of
from recform.network.split import Addition, Flow, num_weights, residual_additions

# torch.fx patches nn.Module while it traces: one backbone at a time, or threads meet in the patch.
_TRACING = Lock()
UNITS = ("sum", "block")
# A chain with less in it is an accident of a net that branches, such as MobileViT's first blocks.
LEAST_COVERAGE = 0.05
# Children of a model whose additions are no units of the chain, whatever their form.
_STEM_AND_HEAD = ("stem", "patch_embed", "head", "classifier", "fc")


@dataclass(frozen=True)
class Unit:
    """The parts of one residual unit, as nodes of the backbone's graph in order of execution.

    `reads` is the state; `before` leads from it to `enters`, which branch and shortcut read. They
    end in `branch_end` and `shortcut_end`, and `after` leads from the addition to `hands_on`, the
    next state. `adds_branch_first` and `runs_branch_first` keep the order of the original's sum.

    `lead` leads from the layout in which the stage keeps its state to that of `reads`; `passage` is
    `before`, if that only rearranges. `more` are the further sums of a unit that is a whole block.
    """

    path: str
    reads: fx.Node
    before: tuple[fx.Node, ...]
    enters: fx.Node
    branch: tuple[fx.Node, ...]
    branch_end: fx.Node
    shortcut: tuple[fx.Node, ...]
    shortcut_end: fx.Node
    addition: fx.Node
    after: tuple[fx.Node, ...]
    hands_on: fx.Node
    adds_branch_first: bool
    runs_branch_first: bool
    lead: tuple[Passage, ...] = ()
    passage: Passage | None = None
    more: tuple[Unit, ...] = ()

    @property
    def changes_state(self) -> bool:
        """Whether a state passes by more than a wire, so that older values need a projection."""
        is_wire = self.enters is self.reads or self.passage is not None
        return not is_wire or self.shortcut_end is not self.enters

    @property
    def rearranged(self) -> tuple[Passage, ...]:
        """From the layout of the stage to the one in which the unit adds."""
        if self.changes_state:
            return ()
        return self.lead if self.passage is None else (*self.lead, self.passage)

    @property
    def nodes(self) -> tuple[fx.Node, ...]:
        own = (*self.before, *self.branch, *self.shortcut, *self.after)
        return (*own, *(node for inner in self.more for node in inner.nodes))

    @property
    def last(self) -> Unit:
        return self.more[-1] if self.more else self

    @property
    def weights(self) -> tuple[fx.Node, ...]:
        """The nodes of branch and shortcut."""
        sums = (self, *self.more)
        return tuple(node for unit in sums for node in (*unit.branch, *unit.shortcut))


@dataclass(frozen=True)
class Backbone:
    """The parts of a model. `trunk` is the graph of `method`, its forward or forward_features.

    `flow` says which values of the graph are made from the images.
    `reads[j]` is the shape that unit j reads; the last entry is what the head reads. `exit` leads
    from the layout of the last stage to the one that the head wants.
    """

    model: nn.Module
    method: str
    trunk: fx.Graph
    flow: Flow
    units: tuple[Unit, ...]
    reads: tuple[Shape, ...]
    exit: tuple[Passage, ...] = ()

    @property
    def depth(self) -> int:
        return len(self.units)

    @property
    def borders(self) -> tuple[int, ...]:
        """The units at which older values may need a projection."""
        return tuple(j for j, unit in enumerate(self.units) if unit.changes_state)

    @property
    def has_act(self) -> bool:
        """Whether something follows the addition, for a formula to place with `act`."""
        return any(unit.last.after for unit in self.units)

    @cached_property
    def coverage(self) -> float:
        """The share of the model's parameters that lies in branches and shortcuts."""
        inside = [node for unit in self.units for node in unit.weights]
        total = sum(parameter.numel() for parameter in self.model.parameters())
        return num_weights(inside, self.model) / total if total else 0.0


def take_apart(model: nn.Module, image_size: tuple[int, int, int], unit: str = "sum") -> Backbone:
    """The stem, units and head of a model; `image_size` is (channels, height, width).

    A unit is each residual sum, or with "block" each module that holds some.

    The model may be on the meta device, and is not changed. Raises UserError `no-units` if it has
    no chain of residual units, with what was found instead.
    """
    with _TRACING, torch.random.fork_rng(devices=[]):
        whole = _take_apart(model, image_size)
        return _by_blocks(whole) if unit == "block" else whole


def _take_apart(model: nn.Module, image_size: tuple[int, int, int]) -> Backbone:
    method = "forward_features" if hasattr(model, "forward_features") else "forward"
    ghost = ghost_of(model)
    number = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)
    images = torch.empty(2, *image_size, device="meta", dtype=number)
    name = type(model).__name__
    try:
        graph = open_up(ghost, method, images)
    except TraceError as error:
        reason, hint = why_not_followed(str(error), image_size)
        message = f"the forward pass of {name} cannot be followed: {reason}"
        raise UserError("no-units", message, hint) from error
    flow = Flow(graph, next(iter(graph.nodes)))
    additions = [a for a in residual_additions(graph, flow, ghost) if _is_in_chain(a)]
    if not additions:
        raise UserError("no-units", f"{name} {why_no_chain(ghost, method, images)}", HINT)
    units, lead = _keep_layout(_units(graph, flow, additions, ghost), flow)
    prefix = getattr(model, "num_prefix_tokens", 0)
    reads = [_shape(unit, unit.reads, ghost, image_size, prefix) for unit in units]
    reads.append(_shape(units[-1], units[-1].hands_on, ghost, image_size, prefix))
    for place, unit in enumerate(units):
        if unit.rearranged:
            # The state is in the layout of the stage on both sides.
            reads[place + 1] = reads[place]
    whole = Backbone(model, method, graph, flow, units, tuple(reads), lead)
    if whole.coverage < LEAST_COVERAGE:
        count = "1 unit" if len(units) == 1 else f"{len(units)} units"
        message = (f"{name} has a chain of {count}, which holds {whole.coverage:.1%} of its "
                   "parameters, no more: the rest branches")  # fmt: skip
        raise UserError("no-units", message, HINT)
    return whole


def _by_blocks(backbone: Backbone) -> Backbone:
    """The sums of one module as one unit, where nothing but them changes the state between."""
    units: list[Unit] = []
    reads: list[Shape] = []
    for unit, shape in zip(backbone.units, backbone.reads[:-1], strict=True):
        first = units[-1] if units else None
        if (first is not None and first.path == unit.path and not unit.changes_state
                and not first.last.after):  # fmt: skip
            units[-1] = replace(first, more=(*first.more, unit))
        else:
            units.append(unit)
            reads.append(shape)
    return replace(backbone, units=tuple(units), reads=(*reads, backbone.reads[-1]))


def _is_in_chain(addition: Addition) -> bool:
    """Whether an addition lies behind the stem and before the head."""
    owner = str(addition.node.meta["owner"])
    top = owner.split(".")[0]
    return not (owner and any(top == name or top.startswith(f"{name}_") for name in _STEM_AND_HEAD))


class _Cut:
    """The graph cut into units: each node belongs to one part of one unit, or to stem or head."""

    def __init__(self, graph: fx.Graph, flow: Flow, additions: Sequence[Addition]) -> None:
        self.order = {node: place for place, node in enumerate(graph.nodes)}
        self.line = flow.line()
        self.additions = additions
        self.taken: set[fx.Node] = {addition.node for addition in additions}

    def sorted(self, nodes: Iterable[fx.Node]) -> tuple[fx.Node, ...]:
        return tuple(sorted(nodes, key=self.order.__getitem__))

    def upstream(self, end: fx.Node, start: fx.Node) -> set[fx.Node]:
        """All that `end` is made from and `start` is not, without what other parts have."""
        found: set[fx.Node] = set()
        stack = [end]
        while stack:
            node = stack.pop()
            if node is start or node in found or node in self.taken:
                continue
            if self.order[node] > self.order[start] or node.op == "get_attr":
                found.add(node)
                stack.extend(node.all_input_nodes)
        return found


def _units(
    graph: fx.Graph, flow: Flow, additions: Sequence[Addition], model: nn.Module
) -> tuple[Unit, ...]:
    cut = _Cut(graph, flow, additions)
    units: list[Unit] = []
    reads = _first_state(cut, additions[0])
    for place, addition in enumerate(additions):
        following = additions[place + 1] if place + 1 < len(additions) else None
        hands_on = _last_of_unit(cut, addition, following, model)
        units.append(_unit(cut, graph, addition, reads, hands_on))
        reads = hands_on
    return tuple(units)


def _keep_layout(units: Sequence[Unit], flow: Flow) -> tuple[tuple[Unit, ...], tuple[Passage, ...]]:
    """The units with their leads: a stage keeps its layout where units only rearrange."""
    lead: tuple[Passage, ...] = ()
    kept: list[Unit] = []
    for unit in units:
        passage = None
        if unit.enters is not unit.reads and unit.shortcut_end is unit.enters:
            passage = passage_between(unit.reads, unit.enters, flow)
        kept.append(replace(unit, lead=lead, passage=passage))
        lead = kept[-1].rearranged
        if lead and is_round_trip(lead):
            lead = ()
    return tuple(kept), lead


def _unit(cut: _Cut, graph: fx.Graph, addition: Addition, reads: fx.Node,
          hands_on: fx.Node) -> Unit:  # fmt: skip
    branch = cut.upstream(addition.branch, addition.enters)
    shortcut = cut.upstream(addition.shortcut, addition.enters)
    # Sizes and views of parameters that both sides read are made before either.
    both = branch & shortcut
    branch, shortcut = branch - both, shortcut - both
    first, end, last = (cut.order[node] for node in (reads, addition.node, hands_on))
    within = [node for node in graph.nodes if first < cut.order[node] < end]
    _keep_side_results(within, branch, shortcut)
    before = set(within) - branch - shortcut - cut.taken
    after = {node for node in graph.nodes if end < cut.order[node] <= last}
    cut.taken |= branch | shortcut | before | after
    branch_starts = min((cut.order[node] for node in branch), default=0)
    shortcut_starts = min((cut.order[node] for node in shortcut), default=end)
    return Unit(
        path=str(addition.node.meta["owner"]),
        reads=reads,
        before=cut.sorted(_alive(before)),
        enters=addition.enters,
        branch=cut.sorted(branch),
        branch_end=addition.branch,
        shortcut=cut.sorted(shortcut),
        shortcut_end=addition.shortcut,
        addition=addition.node,
        after=cut.sorted(_alive(after)),
        hands_on=hands_on,
        adds_branch_first=addition.node.args[0] is addition.branch,
        runs_branch_first=branch_starts < shortcut_starts,
    )


def _keep_side_results(
    nodes: Sequence[fx.Node], branch: set[fx.Node], shortcut: set[fx.Node]
) -> None:
    """What is made from a branch beside its end stays with it: sizes that later blocks read.

    So does a call whose result is dropped, for it may draw random numbers.
    """
    for node in nodes:
        if node.op == "call_module" or node.users:
            for part, other in ((branch, shortcut), (shortcut, branch)):
                if node not in other and any(source in part for source in node.all_input_nodes):
                    part.add(node)


def _alive(nodes: set[fx.Node]) -> set[fx.Node]:
    return {node for node in nodes if node.users or node.op == "call_module"}


def _first_state(cut: _Cut, addition: Addition) -> fx.Node:
    """What the first unit reads: where the forward of its module begins."""
    state, owner = addition.enters, addition.node.meta["owner"]
    place = cut.line.index(state)
    while owner and place > 0 and cut.line[place].meta["owner"] == owner:
        place -= 1
    return cut.line[place]


def _last_of_unit(
    cut: _Cut, addition: Addition, following: Addition | None, model: nn.Module
) -> fx.Node:
    """The state that a unit hands on: as far as its module goes on without a change of shape.

    In a forward that is a loop over blocks, `x = relu(x + f(x))`, as far as there are no weights.
    """
    state, owner = addition.node, addition.node.meta["owner"]
    stop = following.enters if following is not None else None
    if state is stop:
        return state
    for node in cut.line[cut.line.index(state) + 1 :]:
        value = node.meta["value"]
        if node.meta["owner"] != owner or (not owner and _has_weights(node, model)):
            break
        if getattr(value, "shape", None) != addition.node.meta["value"].shape:
            break
        state = node
        if node is stop:
            break
    return state


def _has_weights(node: fx.Node, model: nn.Module) -> bool:
    return num_weights([node, *(n for n in node.all_input_nodes if n.op == "get_attr")], model) > 0


def _shape(unit: Unit, state: fx.Node, model: nn.Module, image_size: tuple[int, int, int],
           prefix: int) -> Shape:  # fmt: skip
    nodes = (*unit.before, *unit.branch) if state is unit.reads else unit.branch[::-1]
    readers = (model.get_submodule(str(node.target)) for node in nodes if node.op == "call_module")
    return shape_of(state.meta["value"], readers, image_size[1:], prefix)
