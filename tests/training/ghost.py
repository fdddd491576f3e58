"""A device without numbers, that notes what a graphics processor would have to be waited for.

Tensors on torch's device `meta` have shapes and no content: they are computed as fast as a GPU is
asked for something, and whoever wants a number of one has to be given one. So the whole training
runs on it, and everything between the processor and the device is seen:

    read    a number, or a tensor, brought back: the processor waits for all that was asked for
    sent    a copy to the device that is waited for, because it was not asked for as non_blocking,
            or a list of numbers that becomes a tensor there
    mixed   an operation that reads from both; an index on the processor is a copy in disguise
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from recform.network import reversible
from recform.training import device
from recform.training.device import Cpu
from recform.training.loop import Task

aten = torch.ops.aten
META = torch.device("meta")
COPIES = {aten._to_copy.default, aten.copy_.default}
# In inference mode torch asks for the second.
NUMBERS = {aten._local_scalar_dense.default, aten.item.default}
FROM_NUMBERS = (torch.tensor, torch.as_tensor)
ANSWERS = {torch.bool: True, torch.int64: 1, torch.float32: 0.5, torch.float64: 0.5}


@dataclass(frozen=True)
class Ghost(Cpu):
    """The device; what it has of its own are the tensors."""

    name: str = "ghost"
    place: torch.device = META


@dataclass(frozen=True)
class Contact:
    """One moment at which both sides met: of which kind, and in which functions of recform."""

    kind: str
    operation: str
    within: tuple[str, ...]


@dataclass(eq=False)
class Watch:
    contacts: list[Contact] = field(default_factory=list)

    def note(self, kind: str, operation: object) -> None:
        frames = traceback.extract_stack()
        within = tuple(frame.name for frame in frames if "/recform/" in frame.filename)
        self.contacts.append(Contact(kind, str(operation), within))

    def outside(self, *allowed: str) -> list[Contact]:
        """Those in none of these functions."""
        return [contact for contact in self.contacts if not set(contact.within) & set(allowed)]


class _Operations(TorchDispatchMode):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        places = {tensor.device.type for tensor in tensors if tensor.ndim or tensor.is_meta}
        if func in NUMBERS and tensors[0].is_meta:
            self.watch.note("read", func)
            return ANSWERS[tensors[0].dtype]
        if func is aten._to_copy.default:
            places.add(torch.device(kwargs.get("device") or tensors[0].device).type)
        if len(places) < 2:
            return func(*args, **kwargs)
        if func not in COPIES:
            self.watch.note("mixed", func)
        elif tensors[0].is_meta and func is aten._to_copy.default:
            self.watch.note("read", func)
            return torch.ones_like(tensors[0], device="cpu")
        elif not (kwargs.get("non_blocking") or args[2:] == (True,)):
            self.watch.note("sent", func)
        return func(*args, **kwargs)


class _Numbers(TorchFunctionMode):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if func in FROM_NUMBERS and made.is_meta and not isinstance(args[0], Tensor):
            self.watch.note("sent", func.__name__)
        return made


@contextmanager
def watched() -> Iterator[Watch]:
    watch = Watch()
    with _Operations(watch), _Numbers(watch):
        yield watch


def haunt(monkeypatch: Any) -> None:
    """Lets `--device ghost` be chosen; autocast and generators, which do not know it, stay away."""
    monkeypatch.setattr(device, "_KINDS", {**device._KINDS, "ghost": Ghost})
    monkeypatch.setattr(Task, "precision", lambda task: nullcontext())
    autocast = {"device_type": "cpu", "dtype": torch.bfloat16, "enabled": False}
    monkeypatch.setattr(reversible, "_autocast", lambda place: autocast)
    make = torch.Generator
    monkeypatch.setattr(torch, "Generator", lambda device="cpu": make())
