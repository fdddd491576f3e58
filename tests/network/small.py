"""Small nets of ten families, and ten formulas as different as the language allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import recform

GALLERY = Path(__file__).parents[2] / "examples" / "gallery"

# family -> timm name, keywords that make it small, side of the image
FAMILIES: dict[str, tuple[str, dict[str, Any], int]] = {
    "resnet": ("resnet18", {"channels": (16, 32, 48, 64), "layers": (2, 2, 1, 1)}, 32),
    "resnetv2": ("resnetv2_18", {"channels": (16, 32, 48, 64), "layers": (2, 2, 1, 1),
                                 "stem_chs": 16}, 32),
    "resnext": ("resnext50_32x4d", {"channels": (16, 32, 48, 64), "layers": (2, 2, 1, 1),
                                    "cardinality": 4, "base_width": 8}, 32),
    "regnet": ("regnetx_002", {}, 32),
    "efficientnet": ("efficientnet_b0", {}, 32),
    "convnext": ("test_convnext", {}, 32),
    "swin": ("swin_tiny_patch4_window7_224", {"img_size": 32, "patch_size": 2, "window_size": 4,
             "embed_dim": 16, "depths": (1, 1, 1), "num_heads": (2, 2, 2)}, 32),
    "vit": ("test_vit", {"img_size": 32, "patch_size": 8}, 32),
    "nfnet": ("test_nfnet", {}, 32),
    "mixer": ("mixer_s32_224", {"img_size": 64}, 64),
}  # fmt: skip
# Class tokens that cross stage borders; none of the ten has that.
PIT = ("pit_ti_224", {"img_size": 32, "patch_size": 8, "stride": 4, "base_dims": (16, 16, 16),
                      "depth": (1, 1, 1), "heads": (1, 2, 4)}, 32)  # fmt: skip

# what is special -> a formula: an example, one of the gallery, or its text
FORMULAS = {
    "older": "liao_older",
    "cat": "densenet",
    "gates": "skip_resnet",
    "streams": "revnet",
    "products": "highway",
    "sums": "dense_sums",
    "sharing": "history stage\nx[l+1] = x[l] + (F[s](x[l]) if l == s else F[s+1](x[l]))",
    "learned": "denseformer",
    "runge-kutta": "rk4",
    "hyper-connections": "hyper_connections",
}


def formula(name: str) -> str:
    """A formula as `build` takes it: one of `FORMULAS`, of the gallery, an example, or its text."""
    text = FORMULAS.get(name, name)
    file = GALLERY / f"{text}.rf"
    return str(file) if "=" not in text and file.exists() else text


def small(family: str, name: str, **plan: Any) -> recform.network.FormulaNetwork:
    """A formula on a small net of a family, with 7 classes."""
    backbone, keywords, side = PIT if family == "pit" else FAMILIES[family]
    return recform.build(formula(name), backbone, num_classes=7, image_size=side, **keywords,
                         **plan)  # fmt: skip


def side_of(family: str) -> int:
    return 32 if family == "pit" else FAMILIES[family][2]
