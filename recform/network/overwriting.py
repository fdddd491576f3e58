"""Modules that work in place, kept away from values that are read again.

In a plain net nothing reads a state once its block has run, so an activation may overwrite it. A
formula reads it again: one block later, or in a sum behind the block.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn


def keep_values_intact(graph: fx.Graph, root: nn.Module) -> None:
    """Let no module overwrite a value that is read again: its `inplace` is switched off there.

    timm's activations work in place, which is right on a sum that nothing else reads, and wrong on
    a state that is read again one block later.
    """
    modules = dict(root.named_modules(remove_duplicate=False))
    for node in graph.nodes:
        if node.op != "call_module" or not getattr(modules[node.target], "inplace", False):
            continue
        if _is_shared(node.args[0], modules):
            setattr(modules[str(node.target)], "inplace", False)  # noqa: B010 - no Module declares it


def protect_arguments(graph: fx.Graph, root: nn.Module) -> None:
    """Give a block that may overwrite what it reads a copy of it, if the value is read again.

    Blocks of any library may begin in place: `nn.Sequential(nn.ReLU(inplace=True), ...)`.
    """
    modules = dict(root.named_modules(remove_duplicate=False))
    for node in list(graph.nodes):
        if node.op != "call_module" or not _may_overwrite(modules[str(node.target)]):
            continue
        if _is_shared(node.args[0], modules):
            with graph.inserting_before(node):
                node.args = (graph.call_function(torch.clone, (node.args[0],)),)


def _may_overwrite(module: nn.Module) -> bool:
    """Whether a module works in place on what it reads, as far as can be seen from outside."""
    if isinstance(module, nn.Sequential):
        # What hands its argument on unchanged is followed by what may overwrite it.
        for child in module:
            if not _hands_on(child):
                return _may_overwrite(child)
        return False
    return any(getattr(inner, "inplace", False) for inner in module.modules())


def _hands_on(module: nn.Module) -> bool:
    """Whether a module may return the very tensor that it was given."""
    if isinstance(module, nn.Sequential):
        return all(_hands_on(child) for child in module)
    return isinstance(module, nn.Identity | nn.Dropout | nn.Dropout2d)


def _is_shared(node: Any, modules: dict[str, nn.Module]) -> bool:
    """Whether the tensor of a node has another reader, through modules that hand it on as well."""
    while isinstance(node, fx.Node):
        if len(node.users) > 1 or node.op == "placeholder":
            return True
        if node.op != "call_module" or not _hands_on(modules[str(node.target)]):
            return False
        node = node.args[0]
    return True
