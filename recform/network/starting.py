"""Weights of a plain backbone, for a network by a formula on it: what is new starts fresh.

    timm.create_model("recform_resnet50_skip_resnet", checkpoint_path="resnet50.safetensors")

The file must be the backbone's: each of its tensors has a place, of its shape, in the network or in
a module that the formula does not read; and it holds nothing of the formula's own parts. A file
that has some of these is one of a whole network, and then none may be missing.
"""

from __future__ import annotations

import pickle
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from timm.models import load_state_dict
from timm.models._features import FeatureGetterNet
from torch import Tensor, nn

from recform.errors import UserError

OWN = "formula."
# Where timm's extractors hold their network.
INSIDE = "model."


def start_from(model: nn.Module, path: Path, name: str) -> tuple[str, ...]:
    """Load a plain backbone's weights from a file, `.safetensors` or torch's; what stays new.

    That is nothing, or the classifier, where the file's is for another number of classes. Raises
    UserError `no-weights` where a tensor is missing, has no place, or another shape.
    """
    weights = _read(path)
    new = _classifier_of_others(model, weights)
    own = model.state_dict()
    wrong = [
        *_told(set(own) - set(weights) - set(new), "it lacks"),
        *_told(set(weights) - set(own), "no place for"),
        *_told({key for key in own if key in weights and key not in new
                and weights[key].shape != own[key].shape}, "another shape has"),
    ]  # fmt: skip
    if wrong:
        raise UserError("no-weights", f"{path} does not fit {name}: {'; '.join(wrong)}",
                        f"give weights of timm's {name}, or name their backbone")  # fmt: skip
    model.load_state_dict({key: weights[key] for key in own if key not in new}, strict=False)
    return new


def accept_plain_backbone(module: nn.Module, incompatible: Any) -> None:
    """Let a strict load pass that found the backbone's weights and none of the formula's parts.

    A hook behind `load_state_dict` of a network, or of an extractor around one: what has no place
    must belong to modules that the formula has taken out of the backbone.
    """
    inside = INSIDE if isinstance(module, FeatureGetterNet) else ""
    network: Any = module.get_submodule(inside.rstrip("."))
    missing = set(incompatible.missing_keys)
    # Counters of batches are never missed: torch starts them anew.
    own = {f"{inside}{name}" for name, _ in network.named_parameters() if name.startswith(OWN)}
    removed = [f"{inside}{path}" for path in network.architecture.removed]
    has_none = own <= missing and all(key.startswith(f"{inside}{OWN}") for key in missing)
    if has_none and all(
        any(key == path or key.startswith(f"{path}.") for path in removed)
        for key in incompatible.unexpected_keys
    ):
        incompatible.missing_keys.clear()
        incompatible.unexpected_keys.clear()


def accept_whole_network(extractor: FeatureGetterNet, names: Collection[str]) -> None:
    """Let an extractor of features load what the network held that it was cut from.

    `names` are those of that network's weights: what the extractor has no more is passed over.
    """
    extractor.register_load_state_dict_pre_hook(partial(_as_inside, names=frozenset(names)))
    extractor.register_load_state_dict_post_hook(accept_plain_backbone)


def _as_inside(
    extractor: nn.Module, weights: dict[str, Tensor], *_: Any, names: frozenset[str]
) -> None:
    """Give weights the names that they have in an extractor, unless they have these already."""
    own = extractor.state_dict()
    if own.keys() & weights.keys():
        return
    for name in list(weights):
        tensor = weights.pop(name)
        if f"{INSIDE}{name}" in own or name not in names:
            weights[f"{INSIDE}{name}"] = tensor


def _read(path: Path) -> Mapping[str, Tensor]:
    try:
        with path.open("rb"):
            weights = load_state_dict(str(path))
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (RuntimeError, ValueError, EOFError, AttributeError, LookupError, TypeError,
            pickle.UnpicklingError, SafetensorError) as error:  # fmt: skip
        raise _unreadable(path, "it holds no weights that torch reads") from error
    if not weights or not all(isinstance(part, Tensor) for part in weights.values()):
        raise _unreadable(path, "it holds more, or less, than weights")
    return weights


def _unreadable(path: Path, reason: str) -> UserError:
    return UserError("no-weights", f"the weights in {path} cannot be had: {reason}",
                     "give a file that torch.save or safetensors made of a state_dict")  # fmt: skip


def _classifier_of_others(model: nn.Module, weights: Mapping[str, Tensor]) -> tuple[str, ...]:
    """The names of the classifier, if the file has one for another number of classes."""
    config = getattr(model, "default_cfg", None)
    named = config.get("classifier") if isinstance(config, Mapping) else None
    heads = (named,) if isinstance(named, str) else tuple(named or ())
    own = model.state_dict()
    found = [key for head in heads for key in (f"{head}.weight", f"{head}.bias") if key in own]
    is_other = any(key in weights and weights[key].shape != own[key].shape
                   and weights[key].shape[1:] == own[key].shape[1:] for key in found)  # fmt: skip
    return tuple(found) if is_other else ()


def _told(keys: Iterable[str], what: str) -> list[str]:
    """One clause about some keys: the first of them, and how many there are."""
    names = sorted(keys)
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return [f"{what} {names[0]}{more}"]
