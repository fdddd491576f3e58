"""The functions of the language as modules: gates, attention over depth, maps of channels.

Each is made for the layout of the values that it reads: where the channels stand, and how many
there are. Weights start as their papers say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

# B batch, C channels, N sources; between or behind them whatever places there are


@dataclass(frozen=True)
class Layout:
    """How many channels a value has, on which axis, and how many axes there are, batch included."""

    channels: int
    axis: int
    num_axes: int

    @property
    def is_image(self) -> bool:
        return self.num_axes == 4 and self.axis == 1

    @property
    def places(self) -> tuple[int, ...]:
        """The axes that are neither batch nor channels."""
        return tuple(axis for axis in range(1, self.num_axes) if axis != self.axis)

    def stretched(self, vector_C: Tensor) -> Tensor:
        """A vector over channels, so that it broadcasts over the places."""
        return vector_C.reshape(-1, *[1] * (self.num_axes - 1 - self.axis))


def channel_map(channels: int, layout: Layout, bias: bool = True) -> nn.Module:
    """A linear map of the channels at each place, to as many as the layout has."""
    if layout.is_image:
        return nn.Conv2d(channels, layout.channels, 1, bias=bias)
    linear = nn.Linear(channels, layout.channels, bias=bias)
    return linear if layout.axis == layout.num_axes - 1 else OnLastAxis(linear, layout.axis)


class OnLastAxis(nn.Module):
    """A module for channels that stand last, applied where they stand on another axis."""

    def __init__(self, module: nn.Module, axis: int) -> None:
        super().__init__()
        self.module = module
        self._axis = axis

    def forward(self, state: Tensor) -> Tensor:
        return self.module(state.movedim(self._axis, -1)).movedim(-1, self._axis)


@dataclass(frozen=True)
class GateStyle:
    """What SkipResNet's gates are made of between their two maps of the channels.

    As many channels as the state has, divided by `reduction` and brought up to a multiple of 8;
    then a norm and an activation. takedarts/skipresnet has 8, BatchNorm and ReLU, but 2 in its
    ResNet-110, and LayerNorm and GELU in ConvNeXt and Swin.
    """

    reduction: int = 8
    norm: Callable[[int], nn.Module] = nn.BatchNorm1d
    act: Callable[[], nn.Module] = nn.ReLU

    def hidden(self, channels: int) -> int:
        return -(-max(channels // self.reduction, 1) // 8) * 8


class Gate(nn.Module):
    """SkipResNet's gate: weighted y + weighted sum of the older values, weights per channel.

    Squeeze of y and all xs, a 1x1 convolution to fewer channels, norm, activation, a 1x1
    convolution to one weight for each source and channel: sigmoid for y, softmax over the xs
    (takedarts/skipresnet, GateJunction). Not `weighs_first`: y as it is (DynamicJunction).

    `pooled` are the squeezed sources where they are known: a state is squeezed once, whichever
    gates read it, so that no gate hands a gradient of full size back through its squeeze.
    """

    def __init__(
        self,
        num_older: int,
        layout: Layout,
        weighs_first: bool = True,
        style: GateStyle = GateStyle(),
    ) -> None:
        super().__init__()
        hidden = style.hidden(layout.channels)
        weighed = num_older + weighs_first
        self.reduce = nn.Linear((1 + num_older) * layout.channels, hidden, bias=False)
        self.norm = style.norm(hidden)
        self.act = style.act()
        self.expand = nn.Linear(hidden, weighed * layout.channels)
        self._layout = layout
        self._weighs_first = weighs_first

    def forward(
        self, new: Tensor, *older: Tensor, pooled: Sequence[Tensor] | None = None
    ) -> Tensor:
        own_BC, weights_BNC = self._weights(pooled or self._pool(new, *older))
        if own_BC is not None:
            new = new * self._stretch(own_BC)
        for place, state in enumerate(older):
            new = torch.addcmul(new, state, self._stretch(weights_BNC[:, place]))
        return new

    def mean_weights(self, new: Tensor, *older: Tensor) -> Tensor:
        """What each source is multiplied by, averaged over batch and channels, N."""
        own_BC, weights_BNC = self._weights(self._pool(new, *older))
        own = weights_BNC.new_ones(()) if own_BC is None else own_BC.mean()
        return torch.cat((own[None], weights_BNC.mean((0, 2))))

    def _pool(self, *sources: Tensor) -> list[Tensor]:
        return [_pool(source, self._layout) for source in sources]

    def _weights(self, pooled: Sequence[Tensor]) -> tuple[Tensor | None, Tensor]:
        """Those of the new value, if it is weighed, and of the older ones."""
        hidden = self.act(self.norm(self.reduce(torch.cat(tuple(pooled), dim=1))))
        logits_BNC = self.expand(hidden).unflatten(1, (-1, self._layout.channels))
        if not self._weighs_first:
            return None, logits_BNC.softmax(dim=1)
        return logits_BNC[:, 0].sigmoid(), logits_BNC[:, 1:].softmax(dim=1)

    def _stretch(self, weights_BC: Tensor) -> Tensor:
        for axis in self._layout.places:
            weights_BC = weights_BC.unsqueeze(axis)
        return weights_BC


class StaticGate(nn.Module):
    """y + a sum of the older values, weighted by the softmax of learned numbers.

    SkipResNet's StaticJunction.
    """

    def __init__(self, num_older: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.randn(num_older))

    def forward(self, new: Tensor, *older: Tensor) -> Tensor:
        weights = self.logits.softmax(dim=0)
        for place, state in enumerate(older):
            new = new + weights[place] * state
        return new

    def mean_weights(self, new: Tensor, *older: Tensor) -> Tensor:
        """What each source is multiplied by, N."""
        return torch.cat((self.logits.new_ones(1), self.logits.softmax(dim=0)))


class Attend(nn.Module):
    """A mean of the sources with weights of their own at each place: attention over depth.

    The weights are the softmax over the sources of q * RMSNorm(source), with a learned query q that
    starts as zero, so that all weights are equal (Attention Residuals, arXiv 2603.15031).
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(layout.channels))
        self._layout = layout

    def forward(self, *sources: Tensor) -> Tensor:
        return (self._weights(sources) * torch.stack(sources)).sum(dim=0)

    def mean_weights(self, *sources: Tensor) -> Tensor:
        """What each source is multiplied by, averaged over batch and places, N."""
        return self._weights(sources).flatten(1).mean(1)

    def _weights(self, sources: Sequence[Tensor]) -> Tensor:
        query = self._layout.stretched(self.query)
        axis = self._layout.axis
        scores = [
            (query * state * torch.rsqrt(state.square().mean(axis, keepdim=True) + 1e-6)).sum(
                axis, keepdim=True
            )
            for state in sources
        ]
        return torch.stack(scores).softmax(dim=0)


class Gru(nn.Module):
    """A gated recurrent unit over depth: the state, and what comes in.

    The update gate has a bias of -2, so that the state passes nearly unchanged at the start
    (Parisotto et al. 2020, GTrXL, section 3.2).
    """

    def __init__(self, layout: Layout, bias: float = 2.0) -> None:
        super().__init__()
        channels = layout.channels
        self.reset_in, self.update_in, self.new_in = (
            channel_map(channels, layout, bias=False) for _ in range(3)
        )
        self.reset_state, self.update_state, self.new_state = (
            channel_map(channels, layout, bias=False) for _ in range(3)
        )
        self._bias = bias

    def forward(self, state: Tensor, incoming: Tensor) -> Tensor:
        reset = torch.sigmoid(self.reset_in(incoming) + self.reset_state(state))
        update = torch.sigmoid(self.update_in(incoming) + self.update_state(state) - self._bias)
        new = torch.tanh(self.new_in(incoming) + self.new_state(reset * state))
        return (1 - update) * state + update * new


class SqueezeExcite(nn.Module):
    """Each channel times a number between 0 and 1 that its mean and the others' decide.

    Hu et al. (2018), with a sixteenth of the channels in between.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        hidden = max(layout.channels // 16, 4)
        self.reduce = nn.Linear(layout.channels, hidden)
        self.expand = nn.Linear(hidden, layout.channels)
        self._layout = layout

    def forward(self, state: Tensor) -> Tensor:
        weights_BC = self.expand(functional.relu(self.reduce(_pool(state, self._layout))))
        for axis in self._layout.places:
            weights_BC = weights_BC.unsqueeze(axis)
        return state * weights_BC.sigmoid()


class Drop(nn.Module):
    """Stochastic depth: nothing at all for a sample with probability `rate`, in training.

    What is kept is scaled up, so that the mean stays (Huang et al. 2016).
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, state: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return state
        kept = torch.rand(state.shape[0], *[1] * (state.ndim - 1), device=state.device) >= self.rate
        return state * (kept.to(state.dtype) / (1 - self.rate))

    def extra_repr(self) -> str:
        return f"rate={self.rate}"


def _pool(state: Tensor, layout: Layout) -> Tensor:
    """The mean over all places, B C."""
    return state.mean(layout.places) if layout.places else state


def cat(*states: Tensor, axis: int) -> Tensor:
    """The channels of all values, one after the other."""
    return torch.cat(states, dim=axis)


def maximum(*states: Tensor) -> Tensor:
    """The largest of the values, element by element."""
    largest = states[0]
    for state in states[1:]:
        largest = torch.maximum(largest, state)
    return largest


def part(state: Tensor, number: int, count: int, axis: int) -> Tensor:
    """One of the equal parts that the channels are split into."""
    return state.chunk(count, dim=axis)[number]


# What makes the module of a function, from the layouts of its arguments and the style of gates.
MAKERS: Mapping[str, Callable[[Sequence[Layout], GateStyle], nn.Module]] = MappingProxyType({
    "linear": lambda layouts, _: channel_map(layouts[0].channels, layouts[0]),
    "conv1x1": lambda layouts, _: channel_map(layouts[0].channels, layouts[0]),
    "se": lambda layouts, _: SqueezeExcite(layouts[0]),
    "gate": lambda layouts, style: Gate(len(layouts) - 1, layouts[0], style=style),
    "gate_dynamic": lambda layouts, style: Gate(len(layouts) - 1, layouts[0], False, style),
    "gate_static": lambda layouts, _: StaticGate(len(layouts) - 1),
    "attend": lambda layouts, _: Attend(layouts[0]),
    "gru": lambda layouts, _: Gru(layouts[0]),
})  # fmt: skip
# These need no layout to be made.
SHAPELESS = frozenset({"gate_static"})
