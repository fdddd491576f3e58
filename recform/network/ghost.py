"""A ghost: a copy of a module without data, to be traced in its place.

Its parameters and buffers are on the meta device, which knows shapes and number types alone; all
else is copied, so that what a trace does to the ghost the module never feels.

>>> ghost = ghost_of(nn.Linear(2, 3))
>>> ghost.weight.device, ghost.weight.shape
(device(type='meta'), torch.Size([3, 2]))
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from functools import cache
from typing import Any

import torch
from torch import nn

_OWN_COPIES = {"__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__",
               "__new__", "__slots__"}  # fmt: skip
_PLAIN = frozenset((type(None), bool, int, float, str))


def ghost_of(module: nn.Module) -> nn.Module:
    """A copy of a module without data: its parameters and buffers are on the meta device."""
    tensors = [*module.parameters(), *module.buffers()]
    memo: dict[int, Any] = {}
    for tensor in tensors:
        empty = torch.empty_like(tensor, device="meta")
        is_parameter = isinstance(tensor, nn.Parameter)
        memo[id(tensor)] = nn.Parameter(empty, tensor.requires_grad) if is_parameter else empty
    plain = [inner for inner in module.modules() if _is_plain(type(inner))]
    memo |= {id(inner): type(inner).__new__(type(inner)) for inner in plain}
    for inner in plain:
        memo[id(inner)].__dict__.update(
            {name: _copied(value, memo) for name, value in inner.__dict__.items()}
        )
    return copy.deepcopy(module, memo)


@cache
def _is_plain(kind: type) -> bool:
    """Whether a copy of a module is the copies of its attributes, as far as the module says."""
    return not any(_OWN_COPIES & _said_by(base) for base in kind.__mro__)


def _said_by(base: type) -> set[str]:
    if base in (nn.Module, object):
        return set()
    # torch's own layers fill in, in __setstate__, what a file of an older torch lacks.
    is_layer = base.__module__.startswith("torch.nn.modules.")
    return set(vars(base)) - ({"__setstate__"} if is_layer else set())


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """A deep copy, which asks less than `copy` where modules have most: numbers and their dicts."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if id(value) in memo:
        return memo[id(value)]
    if kind is tuple and all(type(part) in _PLAIN for part in value):
        return value
    if not value and kind in (dict, OrderedDict, set):
        made = memo[id(value)] = kind()
        return made
    if kind not in (dict, OrderedDict) or any(type(name) is not str for name in value):
        return copy.deepcopy(value, memo)
    made = memo[id(value)] = kind()
    for name, part in value.items():
        made[name] = _copied(part, memo)
    return made
