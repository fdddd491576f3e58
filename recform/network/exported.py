"""What is exported: a network, or timm's extractor of features around one.

    extractor = feature_extractor(network, out_indices=(1, 2, 3))

An extractor hands on a list of states, one for each of its indices, where a network hands on
logits; a network that was cut short hands on the state that it ends with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from timm.models._features import FeatureGetterNet
from torch import Tensor, nn

from recform.errors import UserError
from recform.network.surface import FormulaNetwork

Exported: TypeAlias = FormulaNetwork | FeatureGetterNet


def network_of(exported: nn.Module) -> FormulaNetwork:
    """The network itself. Raises UserError `no-export` for a module that follows no formula."""
    inner = exported.model if isinstance(exported, FeatureGetterNet) else exported
    if not isinstance(inner, FormulaNetwork):
        raise UserError("no-export", f"a {type(inner).__name__} follows no formula",
                        "give what recform.build made, or its feature_extractor")  # fmt: skip
    return inner


def features_taken(exported: nn.Module) -> tuple[int, ...] | None:
    """The numbers of the features that an extractor hands on; None for a network."""
    if not isinstance(exported, FeatureGetterNet):
        return None
    taken, _ = network_of(exported).take(exported.out_indices)
    return tuple(taken)


def output_word(exported: nn.Module) -> str:
    """What is handed on, in a word: logits, or features where there is no classifier."""
    is_cut = features_taken(exported) is not None or getattr(exported, "num_classes", None) == 0
    return "features" if is_cut else "logits"


def output_names(exported: nn.Module) -> list[str]:
    """`logits` or `features` of a network; `features_1`, ... of an extractor, by their numbers.

    >>> from recform.network import build, feature_extractor
    >>> output_names(feature_extractor(build("resnet", "resnet20_cifar"), (0, 2)))
    ['features_0', 'features_2']
    """
    taken = features_taken(exported)
    word = output_word(exported)
    return [word] if taken is None else [f"{word}_{index}" for index in taken]


def tensors(made: Tensor | Sequence[Tensor]) -> list[Tensor]:
    """What a network or an extractor computed, as a list."""
    return [made] if isinstance(made, Tensor) else list(made)
