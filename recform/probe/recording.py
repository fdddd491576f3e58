"""A forward pass of a network, kept value by value, and its derivative one operation at a time.

The network's chain runs as it is. Each value of the tape is cut from what made it, so that the
derivative of a block, an activation or a projection can be taken by itself, at the argument that
the forward pass really had. Which of these derivatives are chained, and so which paths the
gradient takes, is up to the caller.

    value v made by F[j] from a:    made[v] --autograd--> read[a]
"""

# B batch, K classes

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from recform.tape import Add, Call, Input, Map, Project, Scale, Start, Tape, Zero


@dataclass(frozen=True, eq=False)
class Recording:
    """One forward pass. `made` and `read` hold the tape's values as made, and cut off as read.

    A negation that the network does by a subtraction has no tensor of its own. `features` is what
    the graph returns; it depends on the output as read.
    """

    tape: Tape
    made: dict[int, Tensor]
    read: dict[int, Tensor]
    features: Tensor

    def pull_back(self, value: int, adjoint: Tensor) -> tuple[tuple[int, Tensor], ...]:
        """The adjoints of what an operation reads, for that of the value it makes.

        One pair for each wire, in order; nothing for the input and for zero.
        """
        operation = self.tape.operations[value]
        match operation:
            case Input() | Zero():
                return ()
            case Add(left=left, right=right):
                return (left, adjoint), (right, adjoint)
            case Scale(factor=factor, argument=argument):
                return ((argument, adjoint * float(factor)),)
            case Start(argument=argument):
                return ((argument, adjoint),)
            case Call() | Map() | Project():
                return ((operation.argument, self._through(value, operation.argument, adjoint)),)
            case _:
                raise AssertionError(f"{operation} is refused before anything is recorded")

    def _through(self, value: int, argument: int, adjoint: Tensor) -> Tensor:
        if self.read[value] is self.read[argument]:
            # `act` where the backbone has none
            return adjoint
        made, read = self.made[value], self.read[argument]
        if not made.requires_grad:
            # a block that does not look at its argument
            return torch.zeros_like(read)
        (gradient,) = torch.autograd.grad(made, read, adjoint, retain_graph=True, allow_unused=True)
        return torch.zeros_like(read) if gradient is None else gradient


def record(module: nn.Module, graph: fx.Graph, tape: Tape, *inputs: Tensor) -> Recording:
    """Run the graph of a network's chain, as `build` and `compile` make it, on a batch.

    Cost: one forward pass; all values of the tape stay in memory, with what autograd keeps.
    """
    recorder = _Recorder(module, graph)
    with torch.enable_grad():
        features = recorder.run(*inputs)
    return Recording(tape, recorder.made, recorder.read, features)


class _Recorder(fx.Interpreter):
    """Hands on each value of the tape cut off from what made it."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        super().__init__(module, graph=graph)
        self.made: dict[int, Tensor] = {}
        self.read: dict[int, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        made = super().run_node(n)
        values: Sequence[int] = n.meta.get("values", ())
        if not values:
            return made
        read = made.detach().requires_grad_()
        for value in values:
            self.made[value], self.read[value] = made, read
        # A copy: activations may work in place on what they read.
        return read.clone()
