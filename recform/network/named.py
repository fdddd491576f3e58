"""The named nets: each is a formula on a backbone, and no wiring is written for any of them.

The models of Liao et al. (2021), of takedarts/skipresnet and of mmpretrain's page on ResNet, by
their names there. As timm models they are `recform_<backbone>_<formula>`:

>>> net = named_net("recform_resnet50_skip_resnet")
>>> net.formula, net.backbone, net.skipresnet
('skip_resnet', 'resnet50', 'Skip-ResNet-50')
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from recform.errors import UserError
from recform.formula.suggest import did_you_mean

PREFIX = "recform_"


@dataclass(frozen=True)
class NamedNet:
    """A formula on a backbone, and what its sources call it.

    `formula` is the name of an example. `params` counts the parameters for as many classes as the
    backbone has by itself: 10 for CIFAR nets, 1000 otherwise. `gate_reduction` is `build`'s.
    """

    formula: str
    backbone: str
    params: int
    liao: str = ""
    skipresnet: str = ""
    mmpretrain: str = ""
    gate_reduction: int = 8

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.backbone}_{self.formula}"

    @property
    def published_as(self) -> str:
        """Its names in the literature: ResNet18 (Liao et al.), ResNet-18 (mmpretrain)."""
        sources = (("Liao et al.", self.liao), ("SkipResNet", self.skipresnet),
                   ("mmpretrain", self.mmpretrain))  # fmt: skip
        return ", ".join(f"{name} ({source})" for source, name in sources if name)

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, "formula": self.formula, "backbone": self.backbone,
                "params": self.params, "published_as": self.published_as}  # fmt: skip


def named_net(name: str) -> NamedNet:
    """The net of a name. Raises UserError `unknown-backbone`."""
    known = {net.name: net for net in NAMED_NETS}
    if name not in known:
        raise UserError("unknown-backbone", f"there is no named net `{name}`",
                        did_you_mean(name, known)
                        or "`recform backbones 'recform_*'` lists them")  # fmt: skip
    return known[name]


def find_named_nets(pattern: str = "*") -> list[NamedNet]:
    """The named nets whose names match a pattern with * and ?.

    Raises UserError `unknown-backbone` where none does.
    """
    found = [net for net in NAMED_NETS if fnmatchcase(net.name, pattern)]
    if not found:
        raise UserError("unknown-backbone", f"no named net matches `{pattern}`",
                        "use * for any letters: recform backbones 'recform_*'")  # fmt: skip
    return found


NAMED_NETS: tuple[NamedNet, ...] = (
    # Liao et al. (2021), table 8, and mmpretrain: CIFAR stem
    NamedNet("resnet", "resnet18_cifar", 11_173_962, liao="ResNet18", mmpretrain="ResNet-18"),
    NamedNet("resnet_s_net", "resnet18_cifar", 11_347_786, liao="ResNet18s"),
    NamedNet("resnet", "resnet34_cifar", 21_282_122, liao="ResNet34", mmpretrain="ResNet-34"),
    NamedNet("resnet_s_net", "resnet34_cifar", 21_455_946, liao="ResNet34s"),
    NamedNet("resnet", "resnet50_cifar", 23_520_842, liao="ResNet50", mmpretrain="ResNet-50"),
    NamedNet("resnet_s_net", "resnet50_cifar", 26_280_522, liao="ResNet50s"),
    NamedNet("resnet", "resnet101_cifar", 42_512_970, liao="ResNet101", mmpretrain="ResNet-101"),
    NamedNet("resnet_s_net", "resnet101_cifar", 45_272_650, liao="ResNet101s"),
    NamedNet("resnet", "resnet152_cifar", 58_156_618, mmpretrain="ResNet-152"),
    NamedNet("resnet", "seresnet18_cifar", 11_263_042, liao="SEResNet18"),
    NamedNet("resnet_s_net", "seresnet18_cifar", 11_436_866, liao="SEResNet18s"),
    NamedNet("resnet", "seresnet34_cifar", 21_443_318, liao="SEResNet34"),
    NamedNet("resnet_s_net", "seresnet34_cifar", 21_617_142, liao="SEResNet34s"),
    NamedNet("resnet", "seresnet50_cifar", 26_051_834, liao="SEResNet50"),
    NamedNet("resnet_s_net", "seresnet50_cifar", 28_811_514, liao="SEResNet50s"),
    NamedNet("resnet", "seresnet101_cifar", 47_290_682, liao="SEResNet101"),
    NamedNet("resnet_s_net", "seresnet101_cifar", 50_050_362, liao="SEResNet101s"),
    NamedNet("resnet", "resnext29_2x64d_cifar", 9_130_314, liao="ResNeXt2"),
    NamedNet("resnet_s_net", "resnext29_2x64d_cifar", 9_788_746, liao="ResNeXt2s"),
    NamedNet("resnet", "resnext29_4x64d_cifar", 27_106_122, liao="ResNeXt4"),
    NamedNet("resnet_s_net", "resnext29_4x64d_cifar", 29_733_706, liao="ResNeXt4s"),
    NamedNet("resnet", "res2next29_6c24w4s_cifar", 32_963_530, liao="Res2NeXt2"),
    NamedNet("resnet_s_net", "res2next29_6c24w4s_cifar", 34_442_698, liao="Res2NeXt2s"),
    NamedNet("resnet", "res2next29_8c25w4s_cifar", 47_125_110, liao="Res2NeXt4"),
    NamedNet("resnet_s_net", "res2next29_8c25w4s_cifar", 48_729_910, liao="Res2NeXt4s"),
    # takedarts/skipresnet: CIFAR
    NamedNet("resnet", "resnet110_cifar", 1_730_714, skipresnet="ResNet-110"),
    NamedNet("skip_resnet", "resnet110_cifar", 2_182_746,
             skipresnet="Skip-ResNet-110", gate_reduction=2),
    NamedNet("dense_resnet", "resnet110_cifar", 2_270_554, gate_reduction=2),
    NamedNet("resnet", "wrn28_10_cifar", 36_479_194, skipresnet="WideResNet-28-k10"),
    NamedNet("skip_resnet", "wrn28_10_cifar", 38_121_946, skipresnet="Skip-WideResNet-28-k10"),
    NamedNet("resnet", "wrn40_10_cifar", 55_841_754, skipresnet="WideResNet-40-k10"),
    NamedNet("skip_resnet", "wrn40_10_cifar", 58_579_482, skipresnet="Skip-WideResNet-40-k10"),
    # ImageNet
    NamedNet("resnet", "resnet18", 11_689_512, mmpretrain="ResNet-18"),
    NamedNet("resnet_s_net", "resnet18", 11_863_336),
    NamedNet("resnet", "resnet34", 21_797_672, skipresnet="ResNet-34", mmpretrain="ResNet-34"),
    NamedNet("resnet_s_net", "resnet34", 21_971_496),
    NamedNet("skip_resnet", "resnet34", 22_719_192, skipresnet="Skip-ResNet-34"),
    NamedNet("dense_resnet", "resnet34", 22_894_616),
    NamedNet("resnet", "resnet50", 25_557_032, skipresnet="ResNet-50", mmpretrain="ResNet-50"),
    NamedNet("resnet_s_net", "resnet50", 28_316_712),
    NamedNet("skip_resnet", "resnet50", 40_154_856, skipresnet="Skip-ResNet-50"),
    NamedNet("dense_resnet", "resnet50", 42_933_224),
    NamedNet("resnet", "resnet101", 44_549_160, skipresnet="ResNet-101", mmpretrain="ResNet-101"),
    NamedNet("resnet_s_net", "resnet101", 47_308_840),
    NamedNet("skip_resnet", "resnet101", 83_362_792, skipresnet="Skip-ResNet-101"),
    NamedNet("dense_resnet", "resnet101", 88_772_840),
    NamedNet("resnet", "resnet152", 60_192_808, mmpretrain="ResNet-152"),
    NamedNet("resnet", "seresnet50", 28_088_024, skipresnet="SE-ResNet-50"),
    NamedNet("resnet_s_net", "seresnet50", 30_847_704),
    NamedNet("resnet", "seresnet101", 49_326_872, skipresnet="SE-ResNet-101"),
    NamedNet("resnet_s_net", "seresnet101", 52_086_552),
    NamedNet("resnet", "resnext50_32x4d", 25_028_904, skipresnet="ResNeXt-50-32x4d"),
    NamedNet("resnet_s_net", "resnext50_32x4d", 27_788_584),
    NamedNet("skip_resnet", "resnext50_32x4d", 39_626_728, skipresnet="Skip-ResNeXt-50-32x4d"),
    NamedNet("resnet", "seresnext50_32x4d", 27_559_896, skipresnet="SE-ResNeXt-50-32x4d"),
    NamedNet("resnet", "resnext101_32x4d", 44_177_704, skipresnet="ResNeXt-101-32x4d"),
    NamedNet("resnet_s_net", "resnext101_32x4d", 46_937_384),
    NamedNet("skip_resnet", "resnext101_32x4d", 82_991_336, skipresnet="Skip-ResNeXt-101-32x4d"),
    NamedNet("resnet", "seresnext101_32x4d", 48_955_416, skipresnet="SE-ResNeXt-101-32x4d"),
    NamedNet("resnet", "res2next50", 24_671_464),
    NamedNet("resnet_s_net", "res2next50", 27_431_144),
    # takedarts/skipresnet: other families
    NamedNet("resnet", "regnety_016", 11_202_430, skipresnet="RegNetY-1.6"),
    NamedNet("skip_resnet", "regnety_016", 14_764_006, skipresnet="Skip-RegNetY-1.6"),
    NamedNet("resnet", "regnety_032", 19_436_338, skipresnet="RegNetY-3.2"),
    NamedNet("skip_resnet", "regnety_032", 25_349_818, skipresnet="Skip-RegNetY-3.2"),
    NamedNet("resnet", "convnext_tiny", 28_589_128, skipresnet="ConvNeXt-T"),
    NamedNet("skip_resnet", "convnext_tiny", 31_143_640, skipresnet="Skip-ConvNeXt-T"),
    NamedNet("resnet", "convnext_small", 50_223_688, skipresnet="ConvNeXt-S"),
    NamedNet("skip_resnet", "convnext_small", 56_579_224, skipresnet="Skip-ConvNeXt-S"),
    NamedNet("resnet", "convnext_base", 88_591_464, skipresnet="ConvNeXt-B"),
    NamedNet("skip_resnet", "convnext_base", 99_850_760, skipresnet="Skip-ConvNeXt-B"),
    NamedNet("resnet", "swin_tiny_patch4_window7_224", 28_288_354, skipresnet="SwinTiny-224"),
    NamedNet("skip_resnet", "swin_tiny_patch4_window7_224", 32_045_346,
             skipresnet="Skip-SwinTiny-224"),
    NamedNet("resnet", "swin_small_patch4_window7_224", 49_606_258, skipresnet="SwinSmall-224"),
    NamedNet("skip_resnet", "swin_small_patch4_window7_224", 58_803_762,
             skipresnet="Skip-SwinSmall-224"),
    # mmpretrain: ResNet-C and -D (He et al. 2019), Wide ResNet
    NamedNet("resnet", "resnet50c", 25_576_264, mmpretrain="ResNetV1C-50"),
    NamedNet("resnet", "resnet101c", 44_568_392, mmpretrain="ResNetV1C-101"),
    NamedNet("resnet", "resnet152c", 60_212_040, mmpretrain="ResNetV1C-152"),
    NamedNet("resnet", "resnet50d", 25_576_264, mmpretrain="ResNetV1D-50"),
    NamedNet("resnet", "resnet101d", 44_568_392, mmpretrain="ResNetV1D-101"),
    NamedNet("resnet", "resnet152d", 60_212_040, mmpretrain="ResNetV1D-152"),
    NamedNet("resnet", "wide_resnet50_2", 68_883_240, mmpretrain="Wide-ResNet-50"),
    NamedNet("resnet", "wide_resnet101_2", 126_886_696, mmpretrain="Wide-ResNet-101"),
)  # fmt: skip
