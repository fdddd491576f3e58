"""Modules, parameters and buffers under dotted names, with containers on the way.

>>> root = nn.Module()
>>> put(root, "norm.3", nn.ReLU())
>>> [name for name, _ in root.named_modules()]
['', 'norm', 'norm.3']
>>> holds(root, "norm.3"), holds(root, "norm.4")
(True, False)
>>> numbered("norm.3", 0), numbered("norm.3", 1)
('norm.3', 'norm.3_1')
"""

from __future__ import annotations

from torch import Tensor, nn


def put(root: nn.Module, name: str, part: nn.Module | Tensor) -> None:
    """Let `root` hold a part under a name; a tensor that is no parameter becomes a buffer."""
    *containers, leaf = name.split(".")
    for container in containers:
        if container not in root._modules:
            root.add_module(container, nn.Module())
        root = root.get_submodule(container)
    if isinstance(part, nn.Module | nn.Parameter):
        setattr(root, leaf, part)
    else:
        root.register_buffer(leaf, part)


def holds(root: nn.Module, name: str) -> bool:
    """Whether there is a module under a name."""
    module: nn.Module | None = root
    for part in name.split("."):
        module = None if module is None else module._modules.get(part)
    return module is not None


def numbered(name: str, again: int) -> str:
    """The name of what is made of one index for the `again`-th time: the first has no number."""
    return f"{name}_{again}" if again else name
