"""Python's words for values: numbers, classes, functions, and how modules are made.

What the words need is gathered as they are written: import lines, and the definitions of recform's
own classes and functions, which are copied with all that they use.
"""

from __future__ import annotations

import ast
import enum
import inspect
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from types import ModuleType
from typing import Any

import timm.layers
import torch
from torch import nn
from torch.fx.node import _get_qualified_name
from torch.nn import functional

from recform.network.making import Making

_OWN = "recform."


class UnwritableError(ValueError):
    """A value for which there are no words, told in a sentence."""


@dataclass
class Words:
    """`imports` has (module, name) by the name that an import brings; a module has no name.

    `own` has the definitions that are copied.
    """

    makings: Mapping[nn.Module, Making]
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)

    def import_lines(self) -> list[str]:
        """`import torch` first, then one line for each module that names come from."""
        brought: dict[str, set[str]] = {"torch": {"nn"}}
        plain = {"torch"}
        for alias, (module, name) in self.imports.items():
            if name:
                told = name if name == alias else f"{name} as {alias}"
                brought.setdefault(module, set()).add(told)
            else:
                plain.add(module)
        lines = [f"import {module}" for module in sorted(plain)]
        return lines + [
            f"from {module} import {', '.join(sorted(names))}"
            for module, names in sorted(brought.items())
        ]

    def value(self, value: Any) -> str:
        """An expression for a value that a constructor was given."""
        if isinstance(value, enum.Enum):
            return f"{self.named(type(value))}.{value.name}"
        if value is None or isinstance(value, bool | int | float | str):
            return repr(value)
        if isinstance(value, tuple):
            return f"({', '.join(map(self.value, value))}{',' if len(value) == 1 else ''})"
        if isinstance(value, list):
            return f"[{', '.join(map(self.value, value))}]"
        if isinstance(value, dict):
            pairs = (f"{self.value(key)}: {self.value(item)}" for key, item in value.items())
            return f"{{{', '.join(pairs)}}}"
        if isinstance(value, torch.dtype | torch.memory_format):
            return repr(value)
        if isinstance(value, nn.Module):
            return self.module(value)
        if isinstance(value, partial):
            arguments = self._arguments((value.func, *value.args), value.keywords)
            return f"{self.named(partial)}({arguments})"
        if is_dataclass(value) and not isinstance(value, type):
            given = {item.name: getattr(value, item.name) for item in fields(value) if item.init}
            return f"{self.named(type(value))}({self._arguments((), given)})"
        if callable(value):
            return self.named(value)
        raise UnwritableError(f"there are no words for a {type(value).__name__}")

    def module(self, module: nn.Module, kind: type | None = None) -> str:
        """A call that makes a module like this one, its weights apart; one of `kind`, if given."""
        if type(module) is nn.Sequential:
            return self._sequential(module)
        making = self.makings.get(module)
        if making is None:
            raise UnwritableError(f"how its {type(module).__name__} was made is not known")
        known = None if kind is None else inspect.signature(kind).parameters
        given = {name: _as_it_is(module, name, value) for name, value in making.keywords.items()
                 if known is None or name in known}  # fmt: skip
        first = []
        for name in making.required:
            if name not in given:
                break
            first.append(given.pop(name))
        return (
            f"{self.named(kind or type(module))}({self._arguments((*first, *making.rest), given)})"
        )

    def named(self, thing: Any) -> str:
        """The name of a class or function, imported or copied."""
        if getattr(nn, getattr(thing, "__name__", ""), None) is thing:
            return f"nn.{thing.__name__}"
        if getattr(functional, getattr(thing, "__name__", ""), None) is thing:
            self.imports["functional"] = "torch.nn", "functional"
            return f"functional.{thing.__name__}"
        module, name = _place(thing)
        if module == "torch" or module.startswith("torch."):
            return f"{module}.{name}"
        if f"{module}.".startswith(_OWN):
            return self._copied(thing)
        if getattr(timm.layers, name, None) is thing:
            module = "timm.layers"
        return self._imported(module, name, thing)

    def _imported(self, module: str, name: str, thing: Any) -> str:
        found = sys.modules.get(module)
        if "." in name or getattr(found, name, None) is not thing:
            raise UnwritableError(f"{module}.{name} cannot be imported by that name")
        alias = name
        while self.names.setdefault(alias, thing) is not thing:
            alias += "_"
        self.imports[alias] = module, name
        return alias

    def _copied(self, thing: Any) -> str:
        """recform's own class or function: its text, behind the texts of all that it uses."""
        name = thing.__name__
        if self.names.setdefault(name, thing) is not thing:
            raise UnwritableError(f"there are two {name}")
        if name not in self.own:
            text = inspect.getsource(thing)
            around = vars(sys.modules[thing.__module__])
            read = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
            for other in sorted(read & set(around) - {name}):
                self._need(other, around[other])
            self.own[name] = text
        return name

    def _need(self, name: str, value: Any) -> None:
        """A global name that a copied text reads."""
        if isinstance(value, ModuleType):
            parent, _, leaf = value.__name__.rpartition(".")
            self.imports[name] = (parent, leaf) if parent else (leaf, "")
        elif isinstance(value, type) or inspect.isfunction(value):
            if value.__module__.startswith(_OWN):
                self._copied(value)
            else:
                self.imports[name] = _door(value), name
        elif getattr(value, "__module__", None) in ("typing", "collections.abc"):
            self.imports[name] = value.__module__, name
        else:
            self.own[name] = f"{name} = {self.value(value)}\n"

    def _sequential(self, module: nn.Sequential) -> str:
        children = dict(module.named_children())
        if list(children) == [str(place) for place in range(len(children))]:
            return f"nn.Sequential({', '.join(map(self.module, children.values()))})"
        pairs = (f"({name!r}, {self.module(child)})" for name, child in children.items())
        return f"nn.Sequential({self.named(OrderedDict)}([{', '.join(pairs)}]))"

    def _arguments(self, first: tuple[Any, ...], given: Mapping[str, Any]) -> str:
        words = [self.value(value) for value in first]
        words += [f"{name}={self.value(value)}" for name, value in given.items()]
        return ", ".join(words)


def _as_it_is(module: nn.Module, name: str, value: Any) -> Any:
    """A switch as it stands now: whether a module works in place is decided later."""
    now = getattr(module, name, None)
    return now if isinstance(value, bool) and isinstance(now, bool) else value


def _place(thing: Any) -> tuple[str, str]:
    """Module and name of a class or function."""
    if isinstance(thing, type) or inspect.isfunction(thing):
        return thing.__module__, thing.__qualname__
    try:
        module, _, name = _get_qualified_name(thing).rpartition(".")
    except (RuntimeError, AttributeError) as error:
        raise UnwritableError(f"there are no words for {thing!r}") from error
    return module, name


def _door(thing: Any) -> str:
    """Where a public class is imported from."""
    name, module = thing.__name__, thing.__module__
    doors = (
        ("torch", "torch.nn", "timm.layers") if module.split(".")[0] in ("torch", "timm") else ()
    )
    found = (door for door in doors if getattr(sys.modules[door], name, None) is thing)
    return next(found, module)
