"""The modules of a network as constructor lines, under the names that its weights have.

    self.conv1 = nn.Conv2d(3, 16, kernel_size=3, padding=1, bias=False)
    self.layer1 = nn.ModuleList([
        Parts(
            conv1=nn.Conv2d(16, 16, kernel_size=3, padding=1, bias=False),
            ...

What the forward pass calls is made by a call of its class; what only holds others is `Parts`, a
list or a dict.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator

import torch
from torch import fx, nn

from recform.network.source_graph import is_plain_norm
from recform.network.source_words import Words

# Holds modules by name, where a list or a dict does not do.
PARTS = '''
class Parts(nn.Module):
    """Modules, parameters and buffers by name; the network's forward calls them."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            if isinstance(part, (nn.Module, nn.Parameter)):
                setattr(self, name, part)
            else:
                self.register_buffer(name, part)
'''


class Tree:
    """The modules that graphs call, and what holds them."""

    def __init__(self, network: nn.Module, graphs: Iterable[fx.Graph], words: Words) -> None:
        self._network = network
        self._words = words
        nodes = [node for graph in graphs for node in graph.nodes]
        self._called = {str(node.target) for node in nodes if node.op == "call_module"}
        self._read = self._called | {str(node.target) for node in nodes if node.op == "get_attr"}

    def lines(self) -> list[str]:
        """The statements of `__init__`."""
        made: list[str] = []
        for name, expression in self._parts(self._network, ""):
            first, *rest = expression
            made += [f"self.{name} = {first}", *rest]
        return made

    def path(self, target: str) -> str:
        """How a module, a parameter, or the mode of one is reached: `self.layer1[0].conv1`."""
        *containers, leaf = target.split(".")
        words, module, path = "self", self._network, ""
        for name in (*containers, leaf):
            words = self._step(words, module, path, name)
            path = f"{path}.{name}" if path else name
            module = getattr(module, name)
        return words

    def _step(self, words: str, module: nn.Module, path: str, name: str) -> str:
        """What stands in a module, given the words for that module."""
        kind = self._kind(module, path)
        if kind.endswith("List") or kind == "Sequential":
            return f"{words}[{name}]"
        if kind.endswith("Dict"):
            return f"{words}[{name!r}]"
        return f"{words}.{name}" if _is_name(name) else f"getattr({words}, {name!r})"

    def _kind(self, module: nn.Module, path: str) -> str:
        """What a module is written as: a call of its class, a list or dict of torch's, or Parts."""
        if type(module) is nn.Sequential:
            return "Sequential"
        if path in self._called or self._holds_unsaved(module):
            return "call"
        children = list(dict(module.named_children()))
        weights = [name for name, weight in module._parameters.items() if weight is not None]
        buffers = [name for name, buffer in module._buffers.items() if buffer is not None]
        if buffers or bool(children) == bool(weights):
            return "Parts"
        holder = "Module" if children else "Parameter"
        names = children or weights
        if names == [str(place) for place in range(len(names))]:
            return f"{holder}List"
        return "Parts" if all(map(_is_name, names)) else f"{holder}Dict"

    def _holds_unsaved(self, module: nn.Module) -> bool:
        """Whether a module has buffers of its own that no state_dict carries, such as masks."""
        return any(name in module._buffers and module._buffers[name] is not None
                   for name in module._non_persistent_buffers_set)  # fmt: skip

    def _expression(self, module: nn.Module, path: str) -> list[str]:
        """The lines of a call that makes a module."""
        kind = self._kind(module, path)
        if path in self._called or kind == "call":
            # Where the forward calls it, its activation is a line of its own.
            return [self._words.module(module, nn.BatchNorm2d if is_plain_norm(module) else None)]
        inner = list(self._parts(module, path))
        if kind == "Sequential" or kind.endswith("List"):
            kind = "ModuleList" if kind == "Sequential" else kind
            return _bracketed(f"nn.{kind}([", [lines for _, lines in inner], "])")
        if kind.endswith("Dict"):
            items = [[f"{name!r}: {first}", *rest] for name, (first, *rest) in inner]
            return _bracketed(f"nn.{kind}({{", items, "})")
        return _bracketed("Parts(", [_argument(name, lines) for name, lines in inner], ")")

    def _parts(self, module: nn.Module, path: str) -> Iterator[tuple[str, list[str]]]:
        """What stands directly in a module, in the order of its state_dict."""
        for name, parameter in module._parameters.items():
            if parameter is not None:
                frozen = "" if parameter.requires_grad else ", requires_grad=False"
                yield name, [f"nn.Parameter({_empty(parameter)}{frozen})"]
        for name, buffer in module._buffers.items():
            if buffer is not None and name not in module._non_persistent_buffers_set:
                yield name, [_empty(buffer)]
        for name, child in module._modules.items():
            below = f"{path}.{name}" if path else name
            if child is not None and self._is_needed(child, below):
                yield name, self._expression(child, below)

    def _is_needed(self, module: nn.Module, path: str) -> bool:
        """Whether the forward pass reads a module or something in it, or weights lie in it."""
        is_read = any(read == path or read.startswith(f"{path}.") for read in self._read)
        return is_read or bool(module.state_dict())


def _empty(tensor: torch.Tensor) -> str:
    sizes = ", ".join(map(str, tensor.shape))
    kind = "" if tensor.dtype == torch.float32 else f", dtype={tensor.dtype}"
    return f"torch.zeros({sizes or '()'}{kind})"


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _argument(name: str, lines: list[str]) -> list[str]:
    """`name=...`, also where a name is no word of Python's."""
    first, *rest = lines
    if _is_name(name):
        return [f"{name}={first}", *rest]
    *inner, last = [f"**{{{name!r}: {first}", *rest]
    return [*inner, f"{last}}}"]


def _bracketed(opening: str, items: list[list[str]], closing: str) -> list[str]:
    inner = [f"    {line}" for lines in items for line in (*lines[:-1], f"{lines[-1]},")]
    return [opening, *inner, closing]
