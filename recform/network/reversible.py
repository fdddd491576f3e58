"""A training step that stores no states: the backward pass computes them from later ones.

Layers whose equations can be solved for the older states (`tape.reversible`) run as one function of
autograd. Its forward pass keeps the states that it ends with, nothing else. Its backward pass goes
through the layers from the last to the first, and in each

    solves for the states before it, running each block once    x = x' - F(y)
    hands the gradients back, block by block                    dy += F'(y) dx'

So a step costs one forward pass more, as recomputation does, and the memory for activations is that
of one layer, at any depth (Gomez et al. 2017, arXiv 1707.04585, algorithm 1, for any such formula).
What is drawn at random is drawn again from the same state, and running statistics are not written
a second time. The states come back up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.autograd.function import once_differentiable

from recform.network.recompute import buffers_kept
from recform.network.reversible_plan import Backwards, Run, cluster_of, is_sum, parameters_of
from recform.network.running import run_node
from recform.network.sums import equation_of, to_shape


def reverse(run: Run, model: nn.Module, read: Sequence[Any]) -> tuple[Any, ...]:
    """Run reversible layers so that the backward pass computes their states anew."""
    parameters = [p for p in run.parameters(model) if p.requires_grad]
    return _Reversed.apply(run, model, len(read), *read, *parameters)  # type: ignore[return-value]


class _Reversed(torch.autograd.Function):
    """A run, and its way back. Keeps what lives behind it and the inputs that later layers read."""

    @staticmethod
    def forward(ctx: Any, run: Run, model: nn.Module, num_read: int, *given: Any) -> Any:
        values: dict[fx.Node, Any] = dict(zip(run.reads, given[:num_read], strict=True))
        device = next((v.device for v in values.values() if isinstance(v, Tensor)), None)
        kept = _Kept({}, {}, device or torch.device("cpu"), _autocast(device))
        for backwards in run.layers:
            _go(backwards, model, values, kept)
        ctx.nodes = [node for node, value in values.items() if isinstance(value, Tensor)]
        kept.others.update((n, v) for n, v in values.items() if not isinstance(v, Tensor))
        ctx.save_for_backward(*(values[node] for node in ctx.nodes))
        ctx.run, ctx.model, ctx.kept = run, model, kept
        return tuple(values[node] for node in run.makes)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        run, model, kept = ctx.run, ctx.model, ctx.kept
        values = {**kept.others, **dict(zip(ctx.nodes, ctx.saved_tensors, strict=True))}
        of_nodes = {node: g for node, g in zip(run.makes, gradients, strict=True) if g is not None}
        of_parameters: dict[int, Tensor] = {}
        with torch.autocast(**kept.autocast), torch.enable_grad():
            for backwards in reversed(run.layers):
                undoing = _Undoing(backwards, model, kept, of_parameters)
                undoing.states(values)
                undoing.gradients(values, of_nodes)
        wanted = [p for p in run.parameters(model) if p.requires_grad]
        of_inputs = (of_nodes.get(node) for node in run.reads)
        return None, None, None, *of_inputs, *(of_parameters.get(id(p)) for p in wanted)


@dataclass(frozen=True)
class _Kept:
    """What a run remembers beside tensors: states of the random numbers, sizes, autocast."""

    draws: dict[fx.Node, _RandomState]
    others: dict[fx.Node, Any]
    device: torch.device
    autocast: dict[str, Any]


def _go(backwards: Backwards, model: nn.Module, values: dict[fx.Node, Any], kept: _Kept) -> None:
    """A layer forwards. In `values`, what it makes takes the place of what ends in it."""
    piece, copies = backwards.piece, backwards.copies
    inner = {copies[node]: values[node] for node in piece.reads}
    made = {copies[node]: node for node in piece.makes}
    for node in backwards.ends - backwards.held:
        del values[node]
    left = {node: len(node.users) for node in backwards.graph.nodes}
    for node in backwards.nodes:
        before = _RandomState.now(kept.device)
        inner[node] = run_node(node, model, inner)
        if before.has_moved():
            kept.draws[backwards.originals[node]] = before
        if node in made:
            values[made[node]] = inner[node]
        for read in node.all_input_nodes:
            left[read] -= 1
            if not left[read]:
                del inner[read]


class _Undoing:
    """One layer backwards: first its states, then its gradients.

    Each node in `kept` is a leaf to those who read it; `results` has what it was made as, with the
    graph of autograd behind it that leads to the leaves before.
    """

    def __init__(self, backwards: Backwards, model: nn.Module, kept: _Kept,
                 of_parameters: dict[int, Tensor]) -> None:  # fmt: skip
        self._back = backwards
        self._model = model
        self._kept = kept
        self._of_parameters = of_parameters
        self._leaves: dict[fx.Node, Any] = {}
        self._results: dict[fx.Node, Any] = {}

    def states(self, values: dict[fx.Node, Any]) -> None:
        """Put what lived before the layer into `values`, in the place of what it made."""
        piece, copies = self._back.piece, self._back.copies
        for node in (*piece.makes, *piece.reads, *self._back.sources):
            if node in values:
                self._leaves[copies[node]] = _leaf(values[node])
        for node in piece.makes:
            del values[node]
        with buffers_kept(self._back.modules(self._model)):
            for node, by in self._back.order:
                self._find(node, by)
        for node in self._back.ends:
            values[node] = _value(self._leaves[copies[node]])

    def gradients(self, values: dict[fx.Node, Any], of_nodes: dict[fx.Node, Tensor]) -> None:
        """Hand the gradients of what lives behind the layer on to what lived before."""
        piece, copies = self._back.piece, self._back.copies
        found = {copies[node]: of_nodes.pop(node) for node in piece.makes if node in of_nodes}
        for node in reversed(self._back.nodes):
            gradient = found.pop(node, None)
            if gradient is None:
                continue
            equation = equation_of(node)
            if equation is not None and equation.is_linear:
                for factor, operand in equation.terms:
                    self._add(found, operand, gradient if factor == 1.0 else gradient * factor)
            else:
                self._through(node, gradient, found)
        for node in piece.reads:
            if copies[node] in found:
                gradient = found[copies[node]]
                of_nodes[node] = of_nodes[node] + gradient if node in of_nodes else gradient

    def _find(self, node: fx.Node, by: fx.Node | None) -> None:
        if by is not None:
            equation = equation_of(by)
            assert equation is not None, "only sums and multiples are solved"
            with torch.no_grad():
                solved = equation.solve(node, self._leaves[by], self._leaves)
            self._leaves[node] = _leaf(solved)
            return
        if is_sum(node):
            with torch.no_grad():
                self._leaves[node] = _leaf(self._run(node))
            return
        if node in self._back.again:
            with torch.no_grad():
                self._leaves[node] = _leaf(self._drawn(node))
            return
        made = self._drawn(node)
        if node not in self._back.kept:
            self._leaves[node] = made
            return
        self._results[node] = made
        self._leaves.setdefault(node, _leaf(made))

    def _drawn(self, node: fx.Node) -> Any:
        """Run a node, with the random numbers that it had."""
        draw = self._kept.draws.get(self._back.originals.get(node, node))
        return self._run(node) if draw is None else draw.again(self._run, node)

    def _run(self, node: fx.Node) -> Any:
        return run_node(node, self._model, self._leaves)

    def _through(self, node: fx.Node, gradient: Tensor, found: dict[fx.Node, Tensor]) -> None:
        """Through a block, or a part of one, by autograd."""
        result = self._results.pop(node, None)
        if not isinstance(result, Tensor) or not result.requires_grad:
            return
        sources, inside = cluster_of(node, self._back.kept)
        sources = [s for s in sources if _is_differentiable(self._leaves[s])]
        parameters = {id(p): p for p in parameters_of(inside, self._model) if p.requires_grad}
        wanted = [*(self._leaves[source] for source in sources), *parameters.values()]
        gradients = torch.autograd.grad(result, wanted, to_shape(gradient, result),
                                        allow_unused=True)  # fmt: skip
        for source, part in zip(sources, gradients, strict=False):
            if part is not None:
                self._add(found, source, part)
        for name, part in zip(parameters, gradients[len(sources) :], strict=True):
            if part is not None:
                known = self._of_parameters.get(name)
                self._of_parameters[name] = part if known is None else known + part

    def _add(self, found: dict[fx.Node, Tensor], node: fx.Node, gradient: Tensor) -> None:
        leaf = self._leaves[node]
        if not _is_differentiable(leaf):
            return
        gradient = to_shape(gradient, leaf)
        found[node] = found[node] + gradient if node in found else gradient


def _leaf(value: Any) -> Any:
    """A tensor without its past, which gradients can be asked for."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return value
    return value.detach().requires_grad_()


def _value(leaf: Any) -> Any:
    return leaf.detach() if isinstance(leaf, Tensor) else leaf


def _is_differentiable(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _autocast(device: torch.device | None) -> dict[str, Any]:
    kind = device.type if device is not None else "cpu"
    return {
        "device_type": kind,
        "dtype": torch.get_autocast_dtype(kind),
        "enabled": torch.is_autocast_enabled(kind),
    }


@dataclass(frozen=True)
class _RandomState:
    """The states of the random numbers of the processor and, where there is one, of the GPU."""

    device: torch.device
    states: tuple[Tensor, ...]

    @classmethod
    def now(cls, device: torch.device) -> _RandomState:
        states = [torch.get_rng_state()]
        if device.type == "cuda":
            states.append(torch.cuda.get_rng_state(device))
        return cls(device, tuple(states))

    def has_moved(self) -> bool:
        later = _RandomState.now(self.device).states
        return not all(map(torch.equal, self.states, later))

    def again(self, run: Callable[[fx.Node], Any], node: fx.Node) -> Any:
        """Run a node from this state, and leave the state of today as it is."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.set_rng_state(self.states[0])
            if devices:
                torch.cuda.set_rng_state(self.states[1], self.device)
            return run(node)
