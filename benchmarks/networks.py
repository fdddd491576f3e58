"""Speed and memory of built networks: ratios, each of nets that ran turn by turn in one process.

    python benchmarks/networks.py [REPEATS] > benchmarks/results/networks.md

A step is forward and backward in training mode. Nets take turns, step by step, so that a busy
machine slows all of them alike; a ratio is the median over the turns of the ratio within a turn,
and its spread the middle half. Kept is what autograd saves for the backward pass, each storage
counted once and weights left out. One thread.
"""

import datetime
import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import timm
import torch
from torch import nn

import recform
from recform.network.zoo import CIFAR_NETS

Net = Callable[[torch.Tensor], torch.Tensor]


class Listing(nn.Module):
    """ResNet-s as Liao et al. print it (appendix A.5), from its description.

    Two values go from block to block as one tensor, stacked: x[l] and F(x[l-1]). At a stage border
    both pass a projection.
    """

    def __init__(self, net: nn.Module, by_hand: bool) -> None:
        super().__init__()
        self.net = net
        self.by_hand = by_hand
        wide = [64, 128, 256, 512]
        self.project = nn.ModuleList(_projection(a, b) for a, b in pairwise(wide))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        net = self.net
        state = net.maxpool(net.act1(net.bn1(net.conv1(images))))
        older = None
        for stage in range(4):
            for block in getattr(net, f"layer{stage + 1}"):
                state, older = self._block(block, state, older, stage)
        return net.forward_head(state)

    def _block(self, block, state, older, stage):
        branch = block.bn2(block.conv2(block.act1(block.bn1(block.conv1(state)))))
        if block.downsample is not None:
            state, older = block.downsample(state), self.project[stage - 1](older)
        made = torch.relu(state + branch)
        if older is not None:
            made = made - older
        if self.by_hand:
            return made, branch
        stacked = torch.stack([made, branch])
        return stacked[0], stacked[1]


def _projection(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(before, after, 1, 2, bias=False), nn.BatchNorm2d(after))


def step(net: Net, images: torch.Tensor) -> float:
    for parameter in net.parameters():  # type: ignore[attr-defined]
        parameter.grad = None
    # Time on the processor: what the machine does beside it does not count.
    began = time.process_time()
    net(images).square().mean().backward()
    return time.process_time() - began


def kept(net: nn.Module, images: torch.Tensor) -> int:
    weights = {p.untyped_storage().data_ptr() for p in (*net.parameters(), *net.buffers())}
    found: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        made = net(images)
    del made
    return sum(s.nbytes() for place, s in found.items() if place not in weights)


def compare(title: str, nets: dict[str, nn.Module], images: torch.Tensor, repeats: int) -> None:
    """The rows of one table; the first net is what the others are measured by."""
    names = list(nets)
    for net in nets.values():
        step(net.train(), images)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(repeats):
        for name in names if turn % 2 else reversed(names):
            times[name].append(step(nets[name], images))
    memory = {name: kept(net, images) for name, net in nets.items()}
    print(f"\n## {title}\n\n| net | ms a step | time | middle half | kept MB | kept |\n"
          "|---|---|---|---|---|---|")  # fmt: skip
    first = names[0]
    for name in names:
        ratios = [a / b for a, b in zip(times[name], times[first], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"| {name} | {1000 * statistics.median(times[name]):.0f} | {middle:.3f} | "
              f"{low:.3f} to {high:.3f} | {memory[name] / 1e6:.1f} | "
              f"{memory[name] / memory[first]:.3f} |", flush=True)  # fmt: skip


def identity(repeats: int) -> None:
    for name, size in (("resnet50", 96), ("convnext_atto", 96), ("vit_tiny_patch16_224", 224)):
        nets = {
            "timm": timm.create_model(name, num_classes=10),
            "x[l+1] = act(x[l] + F(x[l]))": recform.build("resnet_v1", name, num_classes=10),
        }
        compare(
            f"Identity: {name}, batch 4 at {size}", nets, torch.randn(4, 3, size, size), repeats
        )


def resnet_s(repeats: int) -> None:
    def backbone() -> nn.Module:
        return CIFAR_NETS["resnet18_cifar"](num_classes=100)

    nets = {"ResNet18": backbone(), "the paper's listing": Listing(backbone(), by_hand=False),
            "dataflow by hand": Listing(backbone(), by_hand=True),
            "recform": recform.build("resnet_s_net", "resnet18_cifar", 100)}  # fmt: skip
    compare("ResNet18s, batch 8 at 32", nets, torch.randn(8, 3, 32, 32), repeats)


def skip_resnet(repeats: int) -> None:
    nets = {"timm resnet50": timm.create_model("resnet50", num_classes=10),
            "Skip-ResNet-50": recform.build("skip_resnet", "resnet50", num_classes=10)}  # fmt: skip
    compare("Skip-ResNet-50, batch 4 at 128", nets, torch.randn(4, 3, 128, 128), repeats)


def saving(repeats: int) -> None:
    def net(formula: str = "leapfrog", **ways: bool) -> nn.Module:
        return recform.build(formula, "resnet56_cifar", num_classes=10, **ways)

    nets = {"ordinary": net(), "recompute": net(recompute=True),
            "reversible": net(reversible=True)}  # fmt: skip
    compare("leapfrog on resnet56_cifar, batch 8", nets, torch.randn(8, 3, 32, 32), repeats)


def building(repeats: int) -> None:
    def seconds(make: Callable[[], object]) -> float:
        began = time.process_time()
        make()
        return time.process_time() - began

    ways = {"timm.create_model": lambda: timm.create_model("resnet50"),
            "recform.build, resnet_v1": lambda: recform.build("resnet_v1", "resnet50"),
            "recform.build, skip_resnet": lambda: recform.build("skip_resnet", "resnet50"),
            }  # fmt: skip
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(max(5, repeats)):
        for name in ways if turn % 2 else reversed(ways):
            times[name].append(seconds(ways[name]))
    print("\n## Building resnet50\n\nSkip-ResNet-50 has 14,597,824 parameters more, and draws as "
          "many random numbers.\nThe quickest of the turns: a busy machine only adds.\n\n"
          "| | seconds | ratio | ratio of medians |\n|---|---|---|---|")  # fmt: skip
    first = times["timm.create_model"]
    for name, found in times.items():
        middle = statistics.median(found) / statistics.median(first)
        print(f"| {name} | {min(found):.3f} | {min(found) / min(first):.2f} | {middle:.2f} |",
              flush=True)  # fmt: skip


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(f"""# Speed and memory of built networks

{datetime.date.today()}, torch {torch.__version__}, timm {timm.__version__}, CPU, one thread, the
machine shared with other work. Made by `python benchmarks/networks.py {repeats}`: {repeats} turns,
seconds of the processor. Time and kept bytes are ratios to the first net of a table.""")
    for part in (identity, resnet_s, skip_resnet, saving, building):
        part(repeats)


if __name__ == "__main__":
    main()
