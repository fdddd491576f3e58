"""The named nets as timm models: importing `recform.network` registers them.

    import timm, recform.network
    timm.create_model("recform_resnet50_skip_resnet", num_classes=10, features_only=True)

`pretrained=True` loads what timm has for the backbone; what the formula adds starts fresh. A tag is
the backbone's: `recform_resnet50_skip_resnet.a1_in1k`. `checkpoint_path=FILE` takes a file of the
plain backbone's weights, or of the whole network's, with `features_only` as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import torch
from timm.models import (
    DefaultCfg,
    PretrainedCfg,
    get_arch_pretrained_cfgs,
    load_pretrained,
    register_model,
)
from timm.models._features import FeatureGetterNet
from torch import nn

from recform.errors import UserError
from recform.network.build import build
from recform.network.named import NAMED_NETS, NamedNet
from recform.network.starting import accept_plain_backbone, accept_whole_network
from recform.network.surface import FormulaNetwork
from recform.network.zoo import CIFAR_INPUT, CIFAR_MEAN, CIFAR_NETS, CIFAR_STD

# The names timm looks for in the module of an entry point.
__all__: list[str] = []
default_cfgs: dict[str, DefaultCfg] = {}


def create_named(
    net: NamedNet,
    pretrained: bool = False,
    num_classes: int | None = None,
    in_chans: int = 3,
    tag: str = "",
    **keywords: Any,
) -> FormulaNetwork:
    """The network of a named net; further keywords go to its backbone.

    `tag` chooses among timm's weights for the backbone. Raises UserError as `build` does.
    """
    backbone = f"{net.backbone}.{tag}" if tag else net.backbone
    side = keywords.get("img_size")
    return build(net.formula, backbone, num_classes, in_chans, pretrained,
                 image_size=side if isinstance(side, int) else None,
                 gate_reduction=net.gate_reduction, **keywords)  # fmt: skip


def feature_extractor(
    network: FormulaNetwork, out_indices: Sequence[int] | int | None = None
) -> FeatureGetterNet:
    """The network as timm's extractor of features: images to a list of tensors, one a stage.

    `out_indices` are the numbers of the features, or how many of the last; by default all. What
    they do not need is taken out.
    """
    if out_indices is None:
        out_indices = range(len(network.architecture.features))
    if not isinstance(out_indices, int):
        out_indices = tuple(out_indices)
    extractor = FeatureGetterNet(network, out_indices)
    # timm's own extractors carry these along.
    for key in ("pretrained_cfg", "default_cfg", "in_chans", "_traits"):
        if hasattr(network, key):
            setattr(extractor, key, getattr(network, key))
    return extractor


def _entry_point(net: NamedNet) -> Callable[..., nn.Module]:
    """The function that timm calls to create a net, with the keywords of `timm.create_model`."""

    def create(
        pretrained: bool = False,
        pretrained_cfg: str | dict[str, Any] | PretrainedCfg | None = None,
        pretrained_cfg_overlay: dict[str, Any] | None = None,
        cache_dir: str | None = None,
        features_only: bool = False,
        out_indices: Sequence[int] | int | None = None,
        feature_cls: str | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        pretrained_model_args: dict[str, Any] | None = None,
        **keywords: Any,
    ) -> nn.Module:
        if feature_cls not in (None, "getter"):
            raise UserError("bad-argument", f"features are not extracted by `{feature_cls}`",
                            "leave out feature_cls")  # fmt: skip
        whole = _weights_of_whole_network(pretrained_cfg)
        if pretrained and whole is None:
            keywords |= _weights_of_backbone(pretrained_cfg, pretrained_cfg_overlay, cache_dir)
        network = create_named(net, pretrained and whole is None, **keywords)
        # timm's `checkpoint_path` may be a file of the plain backbone.
        network.register_load_state_dict_post_hook(accept_plain_backbone)
        if pretrained and whole is not None:
            classes, channels = getattr(network, "num_classes", 1000), keywords.get("in_chans", 3)
            load_pretrained(network, whole, classes, channels, cache_dir=cache_dir)
        network.to(device=device, dtype=dtype)
        if not features_only:
            return network
        names = tuple(network.state_dict())
        extractor = feature_extractor(network, out_indices)
        accept_whole_network(extractor, names)
        return extractor

    create.__name__ = create.__qualname__ = net.name
    create.__doc__ = f"{net.formula} on {net.backbone}: {net.published_as or 'not published'}."
    return create


def as_table(config: Any) -> Any:
    """timm's configuration of a model as a table, where it is one; a tag or None as it is."""
    return config.to_dict() if isinstance(config, PretrainedCfg) else config


def _weights_of_whole_network(config: Any) -> dict[str, Any] | None:
    """timm's description of weights, if a folder or a hub has them for the network as a whole."""
    config = as_table(config)
    is_whole = isinstance(config, dict) and config.get("source") in ("local-dir", "hf-hub")
    return config if is_whole else None


def _weights_of_backbone(config: Any, overlay: dict[str, Any] | None, cache: str | None) -> dict:
    config = as_table(config)
    chosen = {"tag": config} if isinstance(config, str) else {"pretrained_cfg": config}
    chosen |= {"pretrained_cfg_overlay": overlay, "cache_dir": cache}
    return {key: value for key, value in chosen.items() if value}


def _configs(net: NamedNet) -> DefaultCfg:
    """timm's weights for the backbone, as those that the net can start from."""
    if net.backbone in CIFAR_NETS:
        config = PretrainedCfg(num_classes=10, input_size=CIFAR_INPUT, mean=CIFAR_MEAN,
                               std=CIFAR_STD)  # fmt: skip
        return DefaultCfg(tags=deque([""]), cfgs={"": config})
    found = get_arch_pretrained_cfgs(net.backbone)
    configs = {name.partition(".")[2]: config for name, config in found.items()}
    has_weights = any(config.has_weights for config in configs.values())
    return DefaultCfg(tags=deque(configs), cfgs=configs, is_pretrained=has_weights)


def _register() -> None:
    for net in NAMED_NETS:
        default_cfgs[net.name] = _configs(net)
        globals()[net.name] = register_model(_entry_point(net))


_register()
