"""Fine-tuning: a network begins with weights that were learned elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from recform.errors import UserError


def take_over(model: nn.Module, weights: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Copies every tensor of the same name and shape; the names of those that stay as they were.

    A head for another number of classes stays new. Raises UserError `bad-argument` where nothing
    fits: the weights are those of another backbone.
    """
    own = model.state_dict()
    fitting = {
        name: weights[name]
        for name, tensor in own.items()
        if name in weights and weights[name].shape == tensor.shape
    }
    if not any(tensor.ndim > 1 for tensor in fitting.values()):
        raise UserError("bad-argument", "no weight of the network fits the weights to begin with",
                        "name a run of the same backbone")  # fmt: skip
    model.load_state_dict(fitting, strict=False)
    return tuple(name for name in own if name not in fitting)
