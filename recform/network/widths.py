"""Values of another width than the backbone's: what `cat` and `split` make, fit for a block.

    cat(x[l], x[l-1])   2C channels  --1x1 convolution, norm-->  C channels   F

DenseNet's blocks are made for what they are given; a backbone's blocks have a width of their own.
So a wider value is brought to it where a block, a shortcut or the head reads it, by one convolution
for each value and place, shared by all who read it there. A narrower one is refused: a convolution
would fill a half stream up to a whole one. Functions without a width (sums of equal widths, `cat`
again, `norm`, `gate`) take any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from torch import fx, nn

from recform.errors import UserError
from recform.network.dotted import numbered
from recform.network.projection import NormMaker, make_projection
from recform.network.shape import Shape


@dataclass
class Widths:
    """The channels of values that have another number than the units' states.

    `reads` are the shapes before each unit and before the head. `add_module` puts a module into
    the graph; its name is added to `names`.
    """

    reads: tuple[Shape, ...]
    norm: NormMaker
    add_module: Callable[[str, nn.Module, tuple], fx.Node]
    names: list[str]
    known: dict[fx.Node, int] = field(default_factory=dict)
    _fitted: dict[tuple[fx.Node, int], fx.Node] = field(default_factory=dict)

    def keep(self, value: fx.Node, channels: int) -> fx.Node:
        self.known[value] = channels
        return value

    def pass_on(self, values: Iterable[object], made: fx.Node) -> None:
        """What is made of values, place by place and channel by channel, is as wide as they are."""
        for value in values:
            if isinstance(value, fx.Node) and value in self.known:
                self.known.setdefault(made, self.known[value])

    def channels(self, value: fx.Node, position: int) -> int:
        return self.known.get(value, self.reads[position].channels)

    def fit(self, value: fx.Node, position: int) -> fx.Node:
        """A value with as many channels as are read at a position.

        Raises UserError `no-projection` for one that has fewer.
        """
        wanted = self.reads[position]
        channels = self.channels(value, position)
        if channels == wanted.channels:
            return value
        if channels < wanted.channels:
            raise UserError("no-projection", f"the backbone reads {wanted.channels} channels where "
                            f"the formula has {channels}: its blocks are as wide as the stem, and "
                            "a stream of split(input) is not", "let each stream begin as the "
                            "stem's whole output: input x, y, as in the example revnet"
                            )  # fmt: skip
        if (value, position) not in self._fitted:
            given = replace(wanted, sizes=_with_channels(wanted, channels))
            again = sum(1 for _, known in self._fitted if known == position)
            name = numbered(f"fit.{position}", again)
            module = make_projection(given, wanted, self.norm)
            self._fitted[value, position] = self.add_module(name, module, (value,))
            self.names.append(f"formula.{name}")
        return self._fitted[value, position]


def _with_channels(shape: Shape, channels: int) -> tuple[int, ...]:
    sizes = list(shape.sizes)
    sizes[shape.channel_axis] = channels
    return tuple(sizes)
