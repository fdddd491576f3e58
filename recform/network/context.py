"""What a forward pass may be given beside images: masks and the like, which no formula reads."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

from recform.errors import UserError


def accepts_context(model: nn.Module, method: str) -> bool:
    """Whether the method takes more than images."""
    return len(inspect.signature(getattr(model, method)).parameters) > 1


def refuse_context(context: dict[str, Any], *rest: Any) -> None:
    """Refuse arguments that the forward pass was not made for; None and False ask for nothing.

    Raises UserError `bad-argument`.
    """
    if any(value is not None and value is not False for value in (*rest, *context.values())):
        raise UserError("bad-argument", "a network by a formula takes images only",
                        "leave out masks and other arguments")  # fmt: skip
