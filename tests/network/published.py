"""The published sizes, what recform builds for each, and why some differ.

    python -m tests.network.published > benchmarks/results/sizes.md

tests/data/model_sizes.csv has the numbers of three sources, as printed: table 8 of Liao et al.
(2021) for CIFAR-100, the tables of takedarts/skipresnet, and mmpretrain's page on ResNet.
"""

from __future__ import annotations

import csv
import datetime
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from recform import build
from recform.network import BackboneSpec, num_macs, num_parameters
from recform.network.create import create
from recform.network.named import NAMED_NETS, NamedNet

SIZES = Path(__file__).parents[1] / "data" / "model_sizes.csv"
# eq. (20) with its start, under which an older value is projected in the first block too
WITH_START = "init F(x[-1]) = x[0]\nx[l+1] = act(x[l] + F(x[l])) - F(x[l-1])"

START = "the start F(x[-1]) = x[0], which projects an older value in the first block too"
CUT = "published cut after two digits, not rounded"
BIAS = "convolutions with biases, which the norm behind them undoes"


@dataclass(frozen=True)
class Row:
    """A row of the file; `params` and `gflops` as printed, empty where they are not."""

    source: str
    model: str
    dataset: str
    classes: int
    resolution: int
    params: str
    gflops: str

    @property
    def id(self) -> str:
        return f"{self.source}-{self.model}-{self.dataset}"

    @property
    def net(self) -> NamedNet:
        """The named net; on CIFAR one with a CIFAR stem."""
        field = {"recursion-formulas": "liao", "skipresnet": "skipresnet", "mmcls": "mmpretrain"}
        (net,) = [
            net
            for net in NAMED_NETS
            if getattr(net, field[self.source]) == self.model
            and net.backbone.endswith("_cifar") == self.dataset.startswith("cifar")
        ]
        return net


@dataclass(frozen=True)
class Difference:
    """A count that is not the published one, the count with the reason in it, and the reason."""

    count: int
    explained: int
    reason: str


# The rows whose count is not, rounded, the published number.
DIFFERENT = {
    "ResNet50": Difference(23_705_252, 23_705_252, CUT),
    "ResNet50s": Difference(26_464_932, 26_481_828, START),
    "ResNet101s": Difference(45_457_060, 45_473_956, START),
    "ResNeXt4s": Difference(29_918_116, 29_951_908, START),
    "Res2NeXt4s": Difference(48_874_000, 48_914_800, START),
    "ResNeXt2s": Difference(9_880_996, 9_897_892, f"{START}; {CUT}"),
    "Res2NeXt2s": Difference(34_581_028, 34_618_660, f"{START}; {CUT}"),
    "SEResNet34": Difference(21_489_488, 21_498_000, BIAS),
    "SEResNet34s": Difference(21_663_312, 21_672_720, BIAS),
    "SEResNet50": Difference(26_236_244, 26_262_804, BIAS),
    "SEResNet50s": Difference(28_995_924, 29_043_220, f"{START}; {BIAS}"),
    "SEResNet101": Difference(47_475_092, 47_527_764, BIAS),
    "SEResNet101s": Difference(50_234_772, 50_308_180, f"{START}; {BIAS}"),
}
# Published in error: of ResNet-50 with 11,221 classes mmpretrain prints the size of a Swin-B.
IN_ERROR = "mmcls-ResNet-50-imagenet21k"


def rows() -> list[Row]:
    with SIZES.open(encoding="utf-8") as file:
        return [
            Row(row["source"], row["model"], row["dataset"], int(row["classes"]),
                int(row["resolution"]), row["params_millions"], row["gflops"])
            for row in csv.DictReader(file)
            if row["params_millions"]
        ]  # fmt: skip


@cache
def built(formula: str, backbone: str, num_classes: int, gate_reduction: int) -> nn.Module:
    """A network without storage: shapes are all that counts.

    By its own formula a backbone is itself (tests/network/test_identity.py), and comes as it is.
    """
    with torch.device("meta"):
        if formula == "resnet":
            return create(BackboneSpec(backbone, num_classes), pretrained=False)
        return build(formula, backbone, num_classes, gate_reduction=gate_reduction)


def network_of(row: Row, formula: str = "") -> nn.Module:
    net = row.net
    return built(formula or net.formula, net.backbone, row.classes, net.gate_reduction)


def printed(count: float, like: str, cut: bool = False) -> str:
    """A number in the digits of another, rounded or cut: 26.46 for 26,464,932 like 26.48."""
    digits = len(like.partition(".")[2])
    if cut:
        return f"{int(count * 10**digits) / 10**digits:.{digits}f}"
    return f"{count:.{digits}f}"


def biases(network: nn.Module) -> int:
    """How many numbers biases of all its convolutions would be, where they have none."""
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    return sum(module.out_channels for module in convolutions if module.bias is None)


def explained(row: Row) -> int:
    """The count with the reason in it, from a network."""
    reason = DIFFERENT[row.model].reason
    network = network_of(row, WITH_START if START in reason else "")
    return num_parameters(network) + (biases(network) if BIAS in reason else 0)


FOR_EACH = {
    "native_batch_norm": 2, "native_layer_norm": 8, "relu": 2, "relu_": 2, "gelu": 8, "sigmoid": 4,
    "_softmax": 3, "add": 1, "add_": 1, "sub": 1, "mul": 1, "addcmul": 2,
    "max_pool2d_with_indices": 8,
}  # fmt: skip


class Operations(TorchDispatchMode):
    """Counts operations as takedarts/skipresnet does (src/utils/opcounter.py).

    A multiply-accumulate of a convolution or a matrix product is one, and so is a bias added; for
    each number a BatchNorm is two, a LayerNorm and a GELU eight, a ReLU two, a sigmoid four, a
    softmax three; sums, products and means are one each.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        first = made[0] if isinstance(made, tuple) else made
        name = func.overloadpacket.__name__
        if name == "convolution":
            self.total += first.numel() * (args[1][0].numel() + (args[2] is not None))
        elif name in ("addmm", "mm"):
            self.total += first.numel() * (args[-2].shape[-1] + (name == "addmm"))
        elif name == "mean":
            self.total += args[0].numel()
        else:
            self.total += FOR_EACH.get(name, 0) * getattr(first, "numel", int)()
        return made


def num_operations(row: Row) -> int:
    """Operations of a row's network for one image.

    Counted as SkipResNet's authors do for their table; for mmpretrain's, multiply-accumulates of
    convolutions and matrix products.
    """
    network, image = network_of(row), (3, row.resolution, row.resolution)
    if row.source == "mmcls":
        return num_macs(network, image)
    with torch.no_grad(), Operations() as counted:
        network.eval()(torch.empty(1, *image, device="meta"))
    return counted.total


def line_of(row: Row) -> str:
    """A row of benchmarks/results/sizes.md."""
    count = num_parameters(network_of(row))
    operations = ""
    if row.gflops:
        ours = num_operations(row) / 1e9
        operations = f"{ours:.4f} ({ours / float(row.gflops) - 1:+.1%})"
    difference = DIFFERENT.get(row.model)
    told = ""
    if difference is not None:
        with_reason = f"{difference.explained:,} with " if difference.explained != count else ""
        told = with_reason + difference.reason
    if row.id == IN_ERROR:
        told = "published in error: the size of Swin-B without its classifier"
    cells = (row.model, row.dataset, row.net.name, f"{count:,}", f"{row.params} M", operations,
             row.gflops and f"{row.gflops} G", told)  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    today = datetime.date.today()
    print(f"# Published sizes\n\n`python -m tests.network.published`, {today}.\n")
    print("Operations in thousand millions, for one image: of SkipResNet's nets as its authors "
          "count (tests/network/published.py), of mmpretrain's the multiply-accumulates of "
          "convolutions and matrix products.\n")  # fmt: skip
    print("| model | data | named net | parameters | published | operations | published | why it "
          "differs |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
    for row in rows():
        print(line_of(row), flush=True)


if __name__ == "__main__":
    main()
