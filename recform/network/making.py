"""How each module of a network was made: its class, and what its constructor was given.

Modules forget their arguments: a window attention keeps its heads, not whether it was asked for a
bias. While `recorded` is open, every module that is made anywhere tells them, for its constructor
calls that of nn.Module, whose caller's arguments can be read.

    >>> with recorded() as makings:
    ...     layer = nn.Linear(2, 3, bias=False)
    >>> makings[layer].keywords
    {'in_features': 2, 'out_features': 3, 'bias': False}
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from types import FrameType
from typing import Any
from unittest.mock import patch

from torch import nn

_RECORDING = RLock()
# Where and in what precision a module is made is no part of what it is.
_PLACE = ("device", "dtype")


@dataclass(frozen=True)
class Making:
    """`rest` are the arguments of a `*` parameter; those that have their default are left out.

    `required` names the parameters that have none.
    """

    keywords: dict[str, Any]
    rest: tuple[Any, ...]
    required: tuple[str, ...]


@contextmanager
def recorded() -> Iterator[dict[nn.Module, Making]]:
    """How the modules were made that were made since. One thread at a time."""
    makings: dict[nn.Module, Making] = {}
    plain = nn.Module.__init__

    def remember(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        frame = _constructor(self, sys._getframe(1))
        # Without a constructor of its own, a module is made of nothing.
        makings.setdefault(self, Making({}, (), ()) if frame is None else _making(self, frame))
        plain(self, *args, **kwargs)

    with _RECORDING, patch.object(nn.Module, "__init__", remember):
        yield makings


def _constructor(module: nn.Module, frame: FrameType | None) -> FrameType | None:
    """The outermost constructor of a module that is running."""
    found = None
    while frame is not None:
        if frame.f_code.co_name == "__init__":
            own = frame.f_code.co_varnames[0]
            found = frame if frame.f_locals.get(own) is module else found
        frame = frame.f_back
    return found


def _making(module: nn.Module, frame: FrameType) -> Making:
    names, rest, others, values = inspect.getargvalues(frame)
    given = {name: values[name] for name in names[1:]} | (values[others] if others else {})
    given = {name: _snapshot(value) for name, value in given.items()}
    parameters = inspect.signature(type(module)).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    keywords = {
        name: value
        for name, value in given.items()
        if name not in _PLACE and not _is_same(value, defaults.get(name, inspect.Parameter.empty))
    }
    required = [name for name, value in defaults.items() if value is inspect.Parameter.empty]
    return Making(keywords, tuple(values[rest]) if rest else (), tuple(required))


def _snapshot(value: Any) -> Any:
    """A value as it is now: constructors take lists and tables apart (timm's EfficientNet)."""
    if type(value) is list:
        return [_snapshot(part) for part in value]
    if type(value) is dict:
        return {key: _snapshot(part) for key, part in value.items()}
    return value


def _is_same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))
