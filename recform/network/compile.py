"""A formula and any blocks, made into one module.

The general door: nothing here knows timm, images or channels. The blocks may be of any library, as
long as each maps a tensor to a tensor that can be added to the others.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import fx, nn

from recform.errors import UserError
from recform.formula import Formula, resolve
from recform.network.dotted import numbered, put
from recform.network.emit import emit
from recform.network.functions import Layout
from recform.network.library import make_block
from recform.network.memory import save_memory
from recform.network.overwriting import protect_arguments
from recform.network.running import Shapes
from recform.tape import Call, Map, Stages, Tape, place, unroll

Blocks = Sequence[nn.Module] | Mapping[str, Sequence[nn.Module]]
Activation = nn.Module | Callable[[torch.Tensor], torch.Tensor]


def compile(
    formula: Formula | str,
    blocks: Blocks,
    *,
    depth: int | None = None,
    act: Activation | None = None,
    norm: Callable[[], nn.Module] | None = None,
    projection: Mapping[int, Callable[[], nn.Module]] | None = None,
    functions: Mapping[str, Callable[..., torch.Tensor]] | None = None,
    example: torch.Tensor | None = None,
    channel_axis: int | None = None,
    allow_code: bool = False,
    recompute: bool = False,
    reversible: bool = False,
) -> fx.GraphModule:
    """The network of a formula whose blocks are the given modules.

    `blocks` are the modules of F, or a mapping from block names to theirs; they are handed out in
    ascending order of the indices used, and are not copied. `depth` is their number unless given
    (where blocks are shared, as in `F[0](x[l])`). `act` is what `act(...)` applies (nothing by
    default), `norm` makes the module of one `norm(...)`. All values must have one shape, unless
    `projection` says, for each block that changes the shape, what makes a module that brings an
    older value across it; each such value gets a module of its own.

    Functions with weights of their own (`gate`, `linear`, coefficients over channels, blocks from
    the library) need to know how many channels there are: `example` is an input that the blocks are
    run on once, in evaluation mode and without gradients. Channels stand on axis 1 of images
    (B C H W) and on the last axis of everything else, unless `channel_axis` says otherwise; axis 0
    is the batch. `functions` puts others in the place of the language's own, by their names, and
    "*" in the place of products. Blocks from Python are made only with `allow_code`.

    With `recompute` a training step keeps only what goes from layer to layer, and runs layers again
    for their gradients. With `reversible` it keeps no states where the formula gives them back.

    The result is an `fx.GraphModule`; its `.code` is straight-line PyTorch. Raises UserError
    `block-count`, `no-norm`, `no-example`, `absent-output`, `not-reversible`; warns of blocks that
    nothing uses.

    >>> net = compile("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", [nn.Linear(4, 4) for _ in range(3)])
    >>> net(torch.ones(2, 4)).shape
    torch.Size([2, 4])
    """
    formula = resolve(formula)
    named = dict(blocks) if isinstance(blocks, Mapping) else {"F": blocks}
    given = _Given(named, act, norm, projection or {}, functions or {}, example, channel_axis,
                   allow_code)  # fmt: skip
    depth = _depth(named) if depth is None else depth
    tape = _tape(formula, depth, tuple(sorted(given.projection)))
    parts = _ModuleParts(given, formula, tape)
    parts.add_blocks()
    parts.check_norms()
    parts.add_act()
    parts.graph.output(emit(tape, parts.graph, parts, parts.stem, given.functions))
    protect_arguments(parts.graph, parts.root)
    module = fx.GraphModule(parts.root, parts.graph, class_name="Network")
    return save_memory(module, tape, formula, recompute=recompute, reversible=reversible)


@dataclass(frozen=True)
class _Given:
    """What a network is compiled from, beside its formula: `compile` says what each is."""

    blocks: Mapping[str, Sequence[nn.Module]]
    act: Activation | None
    norm: Callable[[], nn.Module] | None
    projection: Mapping[int, Callable[[], nn.Module]]
    functions: Mapping[str, Callable[..., torch.Tensor]]
    example: torch.Tensor | None
    channel_axis: int | None
    allow_code: bool


def _handed_out(name: str, indices: Sequence[int]) -> str:
    """Which blocks the first modules are, where they are not the first blocks."""
    if list(indices) == list(range(len(indices))):
        return ""
    shown = ", ".join(f"{name}[{index}]" for index in indices[:4])
    more = ", ..." if len(indices) > 4 else ""
    return f"; the first {len(indices)} are {shown}{more}"


class _ModuleParts:
    """Blocks that are whole modules, under names such as F.0 and projection.F1_at_2."""

    widths = None

    def __init__(self, given: _Given, formula: Formula, tape: Tape) -> None:
        self.root = nn.Module()
        self.graph = fx.Graph()
        self.stem = self.graph.placeholder("input")
        self._given = given
        self._tape = tape
        self._shapes = Shapes(self.root, self.graph, self.stem, given.example, given.channel_axis)
        # What the formula defines is made when it is called, unless modules are given for it.
        self._definitions = {d.block: d for d in formula.definitions if d.block not in given.blocks}
        self._places: dict[tuple[str, int], str] = {}
        self._norms: dict[tuple[int, fx.Node], str] = {}

    def add_blocks(self) -> None:
        """Take the modules that are given, in ascending order of the indices used."""
        for name, indices in self._indices_used().items():
            modules = self._given.blocks.get(name, ())
            if len(modules) < len(indices):
                raise UserError("block-count", f"the formula uses {len(indices)} blocks {name} at "
                                f"depth {self._tape.depth}, and {len(modules)} are given",
                                f"give {len(indices)} modules for {name}")  # fmt: skip
            if len(modules) > len(indices):
                warnings.warn(f"{len(modules) - len(indices)} of the {len(modules)} blocks {name} "
                              f"are used by nothing{_handed_out(name, indices)}",
                              stacklevel=3)  # fmt: skip
            for number, index in enumerate(indices):
                self._places[name, index] = f"{name}.{number}"
                put(self.root, f"{name}.{number}", modules[number])

    def _indices_used(self) -> dict[str, list[int]]:
        """For each block that is given, or should be, the indices that the tape calls."""
        used: dict[str, set[int]] = {name: set() for name in self._given.blocks}
        for operation in self._tape.operations:
            if isinstance(operation, Call) and operation.block not in self._definitions:
                used.setdefault(operation.block, set()).add(operation.index)
        return {name: sorted(indices) for name, indices in used.items()}

    def check_norms(self) -> None:
        normalises = any(
            isinstance(op, Map) and op.function == "norm" for op in self._tape.operations
        )
        if normalises and self._given.norm is None and "norm" not in self._given.functions:
            raise UserError("no-norm", "the formula normalises, and no norm is given",
                            "pass norm=..., such as lambda: nn.LayerNorm(64)")  # fmt: skip

    def add_act(self) -> None:
        if isinstance(self._given.act, nn.Module):
            # A copy that works in place nowhere: what it reads may be read again.
            act = copy.deepcopy(self._given.act)
            for inner in act.modules():
                if getattr(inner, "inplace", False):
                    setattr(inner, "inplace", False)  # noqa: B010 - no Module declares it
            put(self.root, "act", act)

    def call(self, block: str, index: int, argument: fx.Node) -> fx.Node:
        if (block, index) not in self._places:
            module = make_block(self._definitions[block], self._shapes.layout(argument),
                                self._given.allow_code)  # fmt: skip
            self._places[block, index] = f"{block}.{index}"
            put(self.root, f"{block}.{index}", module)
        return self.graph.call_module(self._places[block, index], (argument,))

    def act(self, index: int, argument: fx.Node) -> fx.Node:
        act = self._given.act
        if act is None:
            return argument
        if isinstance(act, nn.Module):
            return self.graph.call_module("act", (argument,))
        if getattr(act, "__name__", "").endswith("_"):
            # torch's name for a function that works in place
            argument = self.graph.call_function(torch.clone, (argument,))
        return self.graph.call_function(act, (argument,))

    def norm(self, index: int, argument: fx.Node, position: int) -> fx.Node:
        """Each value that is normalised has a norm of its own: norm.3, and norm.3_1."""
        key = (index, argument)
        if key not in self._norms:
            again = sum(1 for known, _ in self._norms if known == index)
            self._norms[key] = numbered(f"norm.{index}", again)
            assert self._given.norm is not None, "a formula with norms has a maker of them"
            put(self.root, self._norms[key], self._given.norm())
        return self.graph.call_module(self._norms[key], (argument,))

    def layout(self, value: fx.Node, position: int) -> Layout:
        return self._shapes.layout(value)

    def add_module(self, name: str, module: nn.Module, arguments: tuple) -> fx.Node:
        put(self.root, f"formula.{name}", module)
        return self.graph.call_module(f"formula.{name}", arguments)

    def add_parameter(self, name: str, start: torch.Tensor) -> fx.Node:
        put(self.root, f"formula.{name}", nn.Parameter(start))
        return self.graph.get_attr(f"formula.{name}")

    def shortcut(self, border: int, argument: fx.Node) -> fx.Node:
        return self.projection(border, "shortcut", argument)

    def projection(self, border: int, label: str, argument: fx.Node) -> fx.Node:
        name = f"projection.{label}_at_{border}"
        put(self.root, name, self._given.projection[border]())
        return self.graph.call_module(name, (argument,))


def _tape(formula: Formula, depth: int, borders: tuple[int, ...]) -> Tape:
    tape = place(unroll(formula, depth, Stages.between(borders, depth)))
    if tape.output is None:
        raise UserError("absent-output", f"the output is absent at depth {depth}",
                        "give its states a start, or choose another depth")  # fmt: skip
    return tape


def _depth(blocks: Mapping[str, Sequence[nn.Module]]) -> int:
    counts = {name: len(modules) for name, modules in blocks.items()}
    if len(set(counts.values())) != 1:
        shown = ", ".join(f"{count} for {name}" for name, count in counts.items()) or "no blocks"
        raise UserError("block-count", f"the depth is not clear from {shown}",
                        "pass depth=...")  # fmt: skip
    return next(iter(counts.values()))
