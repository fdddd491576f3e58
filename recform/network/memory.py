"""Training in less memory: layers computed a second time, or states that later ones give back.

Both ways cut the straight-line forward pass into pieces that end where layers do. They change what
is kept for the backward pass and nothing else; without gradients, and under torch.compile, export
and tracing, a network runs as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import fx, nn

from recform.errors import UserError
from recform.formula import Formula
from recform.network.recompute import Pieces, cut, is_recording, recompute
from recform.network.reversible import reverse
from recform.network.reversible_plan import Run, with_runs
from recform.tape import Tape, layer_ends, reversibility


def check_reversible(formula: Formula) -> None:
    """Raises UserError `not-reversible`, with the value that is lost."""
    found = reversibility(formula)
    if found is not None and not found.is_reversible:
        raise UserError("not-reversible", f"the formula is not reversible: {found.reason}",
                        "recompute (--recompute) goes with any formula; revnet, momentum, leapfrog "
                        "and midpoint are reversible")  # fmt: skip


def reversible_pieces(graph: fx.Graph, tape: Tape, formula: Formula, model: nn.Module) -> Pieces:
    """The forward pass with its reversible layers as runs.

    Raises UserError `not-reversible` if there are none.
    """
    check_reversible(formula)
    values = set(tape.states.values())
    states = [node for node in graph.nodes if values.intersection(node.meta.get("values", ()))]
    pieces = with_runs(cut(graph, layer_ends(tape, formula), model), graph, model, states)
    if not any(isinstance(piece, Run) for piece in pieces.pieces):
        raise UserError("not-reversible", "no layer of this network can be computed backwards",
                        "recompute (--recompute) goes with any")  # fmt: skip
    return pieces


def run_in_pieces(pieces: Pieces, model: nn.Module, images: Any, recomputes: bool = False) -> Any:
    """The output of the forward pass; what is in no run is recomputed if `recomputes`."""

    def how(piece: Any, model: nn.Module, read: Sequence[Any]) -> Any:
        if isinstance(piece, Run):
            return reverse(piece, model, read)
        return recompute(piece, model, read) if recomputes else piece.run(model, *read)

    return pieces(model, images, how=how)


class SavingModule(fx.GraphModule):
    """A module of straight-line code that trains in less memory; see `save_memory`.

    A copy does the same. What comes out of a pickle is an ordinary module.
    """

    pieces: Pieces | None = None

    def recompile(self) -> Any:
        code = super().recompile()
        # torch.fx gives each graph module a class of its own, for its forward.
        own = type(self)
        own.forward, own.pieces = _when_recording(own.forward), None
        return code


def save_memory(
    module: fx.GraphModule, tape: Tape, formula: Formula, *, recompute: bool, reversible: bool
) -> fx.GraphModule:
    """The same module, which keeps less while it trains, if one of both ways is wanted."""
    if not (recompute or reversible):
        return module
    made = SavingModule(module, module.graph, class_name=type(module).__name__)
    made.meta["saving"] = (tape, formula, recompute, reversible)
    if reversible:
        check_reversible(formula)
        _pieces(made)
    return made


def _when_recording(straight: Callable[..., Any]) -> Callable[..., Any]:
    def forward(self: SavingModule, input: Any) -> Any:
        if not is_recording():
            return straight(self, input)
        return run_in_pieces(_pieces(self), self, input, recomputes=self.meta["saving"][2])

    return forward


def _pieces(module: SavingModule) -> Pieces:
    if module.pieces is None:
        tape, formula, _, reversible = module.meta["saving"]
        type(module).pieces = (
            reversible_pieces(module.graph, tape, formula, module)
            if reversible
            else cut(module.graph, layer_ends(tape, formula), module)
        )
    assert module.pieces is not None
    return module.pieces
