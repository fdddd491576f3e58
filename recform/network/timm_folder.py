"""A network as a folder that timm loads, on disk or from the hub.

    import timm, recform.network
    timm.create_model("local-dir:DIR", pretrained=True)

config.json names an entry point and what it is called with. `recform_network`, registered here,
makes the network of any formula on any backbone; the named nets have entry points of their own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import save_file
from timm.layers import Format
from timm.models import PretrainedCfg, load_pretrained, register_model
from timm.models._features import FeatureGetterNet
from torch import nn

from recform.errors import UserError
from recform.network.build import build
from recform.network.exported import Exported, features_taken, network_of
from recform.network.registry import as_table, feature_extractor
from recform.network.surface import RESHAPING, FormulaNetwork, apply_changes
from recform.writing import write_beside

# The names timm looks for in the module of an entry point.
__all__ = ["recform_network"]

# What of timm's configuration is about images and names; the rest says where weights come from.
_KEPT = ("input_size", "fixed_input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std",
         "first_conv", "classifier")  # fmt: skip


def write_timm_folder(exported: Exported, folder: Path) -> None:
    """config.json and model.safetensors, as timm lays them out.

    What was done to the network since it was built is told too: timm makes it cut as short, and an
    extractor of features as one. Raises UserError `no-export` for a network that was built on a
    model instance, `unwritable`.
    """
    network = network_of(exported)
    if network.architecture.spec is None:
        raise UserError("no-export", "a network built on a model instance has no name in timm",
                        "name the backbone instead of passing an instance")  # fmt: skip
    arguments = _arguments(exported)
    num_classes = arguments["num_classes"]
    config = {
        "architecture": "recform_network",
        "num_classes": num_classes,
        "num_features": getattr(network, "num_features", None),
        "pretrained_cfg": {"num_classes": num_classes, **_images_of(_config(network))},
        "model_args": {key: value for key, value in arguments.items() if value is not None},
    }
    try:
        text = json.dumps(config, indent=2) + "\n"
    except TypeError as error:
        raise UserError("no-export", f"the backbone's keywords cannot be written: {error}",
                        "use numbers, strings and lists") from error  # fmt: skip
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    write_beside(folder / "model.safetensors",
                 lambda part: save_file(weights, part, {"format": "pt"}))  # fmt: skip
    write_beside(folder / "config.json", lambda part: part.write_text(text, encoding="utf-8"))


def _arguments(exported: Exported) -> dict[str, Any]:
    """What `recform_network` is called with."""
    network = network_of(exported)
    spec, plan = network.architecture.spec, network.architecture.plan
    assert spec is not None, "checked by who asks"
    return {
        "formula": str(network.architecture.formula),
        "backbone": spec.name,
        "num_classes": getattr(network, "num_classes", spec.num_classes),
        "in_chans": spec.in_chans,
        **asdict(plan),
        "match_params": dict(spec.matched) or None,
        "changes": network.reshapings() or None,
        **_taken(exported),
        **dict(spec.keywords),
    }


def _taken(exported: Exported) -> dict[str, Any]:
    """Of an extractor what timm calls it with."""
    taken = features_taken(exported)
    if taken is None:
        return {}
    assert isinstance(exported, FeatureGetterNet), "nothing else takes features"
    if exported.norm or exported.output_fmt != Format.NCHW:
        raise UserError("no-export", "timm makes extractors of features as images, without norm",
                        "leave out norm and output_fmt, or choose another format")  # fmt: skip
    return {"features_only": True, "out_indices": list(taken)}


def note_images(network: nn.Module, **about: Any) -> None:
    """Keep how images were prepared for a network in training: mean, std, input_size, crop_pct."""
    cast("Any", network).pretrained_cfg = {**_config(network), **about}


def _images_of(config: dict[str, Any]) -> dict[str, Any]:
    """What a configuration says of images, and of the names of the first and the last layer."""
    return {key: config[key] for key in _KEPT if config.get(key) is not None}


def _config(network: nn.Module) -> dict[str, Any]:
    return as_table(getattr(network, "pretrained_cfg", None) or {})


def recform_network(
    pretrained: bool = False,
    pretrained_cfg: dict[str, Any] | PretrainedCfg | None = None,
    pretrained_cfg_overlay: dict[str, Any] | None = None,
    cache_dir: str | None = None,
    features_only: bool = False,
    out_indices: tuple[int, ...] | int | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    pretrained_model_args: dict[str, Any] | None = None,
    formula: str = "",
    changes: Sequence[tuple[str, dict[str, Any]]] = (),
    **keywords: Any,
) -> nn.Module:
    """The network of a formula; `keywords` are those of `recform.build`.

    `pretrained` loads the whole network's weights from the folder or the hub that named it.
    `changes` are calls of `reset_classifier` and `prune_intermediate_layers`, in order, with their
    keywords; `num_classes` holds behind them, where the network is not cut short.

    Raises UserError `bad-argument` without a formula, and as `recform.build` does.
    """
    if not formula:
        raise UserError("bad-argument", "recform_network is given no formula",
                        'timm.create_model("recform_network", formula="resnet_s", '
                        'backbone="resnet50")')  # fmt: skip
    network = build(formula, **keywords)
    _change(network, changes, keywords.get("num_classes"))
    config = as_table(pretrained_cfg or {})
    note_images(network, **_images_of(config))
    if pretrained:
        load_pretrained(network, config, keywords.get("num_classes", 1000),
                        keywords.get("in_chans", 3), cache_dir=cache_dir)  # fmt: skip
    network.to(device=device, dtype=dtype)
    return feature_extractor(network, out_indices) if features_only else network


def _change(
    network: FormulaNetwork,
    changes: Sequence[tuple[str, dict[str, Any]]],
    num_classes: int | None,
) -> None:
    apply_changes(network, [change for change in changes if change[0] in RESHAPING])
    is_whole = network.last_feature is None and hasattr(network, "num_classes")
    if changes and is_whole and num_classes not in (None, network.num_classes):
        # Who loads it may want other classes than it had.
        network.reset_classifier(num_classes)


register_model(recform_network)
