"""Calls of modules on tensors without data, kept so that none is made twice.

A stage runs as a whole when its model is traced; opened, it would run again block by block, and
each block layer by layer. The calls inside of the first run are the same calls: what they came to
is looked up.

>>> kept, images, layer = CallsMade(), torch.empty(2, 3, device="meta"), nn.ReLU(inplace=True)
>>> kept.make(layer, (images,), {}, lambda: layer(images)) is images
True
>>> kept.find(layer, (images,), {})
CallMade(value=tensor(..., device='meta', size=(2, 3)), overwrites=True)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True, eq=False)
class CallMade:
    """What a call returned, and whether it changed a tensor that it was given."""

    value: Any
    overwrites: bool


class CallsMade:
    """The calls that take tensors, and nothing else, and return one."""

    def __init__(self) -> None:
        # Arguments are kept, for an id is one tensor's only while that lives.
        self._made: dict[tuple[Any, ...], tuple[tuple[Any, ...], CallMade]] = {}

    def find(
        self, module: nn.Module, arguments: tuple[Any, ...], keywords: Mapping[str, Any]
    ) -> CallMade | None:
        """A call that was made of a module on these very tensors; None if there was none."""
        found = None if keywords else self._made.get((module, *map(id, arguments)))
        return None if found is None else found[1]

    def make(
        self,
        module: nn.Module,
        arguments: tuple[Any, ...],
        keywords: Mapping[str, Any],
        call: Callable[[], Any],
    ) -> Any:
        """What `call` returns; it is `module(*arguments, **keywords)`."""
        if keywords or not all(isinstance(argument, torch.Tensor) for argument in arguments):
            return call()
        made = watched(call, arguments)
        if isinstance(made.value, torch.Tensor):
            self._made[(module, *map(id, arguments))] = arguments, made
        return made.value


def watched(call: Callable[[], Any], tensors: Sequence[torch.Tensor]) -> CallMade:
    """Make a call and see whether it changes one of the tensors that it is given."""
    versions = [tensor._version for tensor in tensors]
    value = call()
    return CallMade(value, versions != [tensor._version for tensor in tensors])
