"""How a network weighs what it adds: its learned coefficients and its gates.

A formula with `param a[l] = 0` or `gate(...)` leaves it to training which paths count. What came of
it is read off here: the number that each coefficient stands at, the mean weight that each gate
gives each of its sources on a batch of images, and what gates that the formula writes out, as
Highway's `T(x[l])*F(x[l])`, stand at there.

>>> from recform.network import build
>>> weighing(build("rezero", "resnet20_cifar", 10)).coefficients["a[8]"]
0.0
"""

# B batch, C channels, H W space, N sources of a gate

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, fx, nn

from recform.network.learned import learned_values
from recform.network.mode import evaluating
from recform.network.surface import FormulaNetwork
from recform.tape import Parameter, parameter_to_text, written_gates

# The new modules of a built network stand under this child.
HOME = "formula."


@runtime_checkable
class Weighs(Protocol):
    """A module that multiplies each of its sources by a weight, and adds them."""

    def mean_weights(self, *sources: Tensor) -> Tensor:
        """What each source is multiplied by, averaged over all but the sources, N."""
        ...


@dataclass(frozen=True)
class Weighing:
    """Coefficients by their names, `a[3]`; over channels the mean, and so for magnitudes.

    `gates` has, by the gate's name (`gate.7`), a mean weight for each of its sources, in the order
    of the formula: 1 for a source that is added as it is. `written` has, for each gate that is
    written out (`T.7`, see `recform.tape.factors`), mean and standard deviation of what it is, over
    images, channels and places.
    """

    coefficients: Mapping[str, float]
    gates: Mapping[str, tuple[float, ...]]
    written: Mapping[str, tuple[float, float]]


def is_weighing(network: nn.Module) -> bool:
    """Whether there is anything to read: a coefficient of the formula, or a gate."""
    if not isinstance(network, FormulaNetwork):
        return False
    made = network.architecture
    learns = any(isinstance(op, Parameter) for op in made.tape.operations)
    return learns or any(_gates(network)) or bool(written_gates(made.tape, made.formula))


@torch.no_grad()
def weighing(network: FormulaNetwork, images_BCHW: Tensor | None = None) -> Weighing:
    """What a network stands at; the gates as they are on these images, in evaluation mode.

    Without images there are no gates. The mode of the network is what it was, afterwards.
    """
    parameters = {
        name.removeprefix(HOME): _whole(tensor)
        for name, tensor in network.named_parameters()
        if name.startswith(HOME)
    }
    values = learned_values(network.architecture.tape, parameters)
    coefficients = {parameter_to_text(member): value.double().mean() for member, value in values}
    gates: dict[str, Tensor] = {}
    written: dict[str, Tensor] = {}
    if images_BCHW is not None:
        with evaluating(network), _gathered(network), _noted(network, gates):
            written = _Watch(network).read(images_BCHW)
    # Read back once, when all of it is computed.
    return Weighing(
        {name: value.item() for name, value in coefficients.items()},
        {name: tuple(weights_N.tolist()) for name, weights_N in gates.items()},
        {name: (stood[0].item(), stood[1].item()) for name, stood in written.items()},
    )


class _Watch(fx.Interpreter):
    """Runs a network node by node, and notes mean and deviation of its written gates."""

    def __init__(self, network: FormulaNetwork) -> None:
        made = network.architecture
        super().__init__(network, graph=made.graph)
        self._names = {
            value: name for name, value in written_gates(made.tape, made.formula).items()
        }
        self._found: dict[str, Tensor] = {}

    def read(self, images_BCHW: Tensor) -> dict[str, Tensor]:
        self.run(images_BCHW)
        return self._found

    def run_node(self, n: fx.Node) -> Any:
        made = super().run_node(n)
        for value in n.meta.get("values", ()):
            if value in self._names:
                exact = made.double()
                self._found[self._names[value]] = torch.stack(
                    (exact.mean(), exact.std(correction=0))
                )
        return made


def _whole(tensor: Tensor) -> Tensor:
    """A parameter in one piece, also where it is dealt out to several processes (FSDP)."""
    gather = getattr(tensor, "full_tensor", None)
    return tensor if gather is None else gather()


def _gates(network: nn.Module) -> Iterator[tuple[str, Any]]:
    for name, module in network.named_modules():
        if name.startswith(HOME) and isinstance(module, Weighs):
            yield name.removeprefix(HOME), module


@contextmanager
def _noted(network: nn.Module, gates: dict[str, Tensor]) -> Iterator[None]:
    """Keeps the mean weights of every gate that runs."""

    def note(name: str, gate: Any, sources: tuple[Tensor, ...]) -> None:
        gates[name] = gate.mean_weights(*sources).double()

    hooks = [gate.register_forward_pre_hook(partial(note, name)) for name, gate in _gates(network)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _gathered(network: nn.Module) -> Iterator[None]:
    """The weights whole for the while, where they are dealt out: parts of it run, not it itself."""
    gather, part = (getattr(network, name, None) for name in ("unshard", "reshard"))
    if gather is None or part is None:
        yield
        return
    gather()
    try:
        yield
    finally:
        part()
