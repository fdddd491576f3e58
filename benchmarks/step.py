"""What a training step of a built network costs, beside the plain backbone's in the same run.

    python benchmarks/step.py [BACKBONE]

Forward and backward on 16 images; the two take turns, and the median of ten counts. The backbone's
own formula must cost nothing; ResNet-s pays for its projections and for what it keeps.
"""

import statistics
import sys
import time

import torch
from torch import nn

import recform

FORMULAS = ("x[l+1] = act(x[l] + F(x[l]))", "resnet_s_net", "resnet_s_code")


def seconds(model: nn.Module, images: torch.Tensor) -> float:
    began = time.perf_counter()
    model(images).square().mean().backward()
    return time.perf_counter() - began


def main() -> None:
    backbone = sys.argv[1] if len(sys.argv) > 1 else "resnet20_cifar"
    from recform.network.create import BackboneSpec, create, input_size

    plain = create(BackboneSpec(backbone), pretrained=False)
    models = {backbone: plain} | {name: recform.build(name, backbone) for name in FORMULAS}
    images = torch.randn(16, *input_size(plain, 3, None))
    times: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(12):
        for name, model in models.items():
            times[name].append(seconds(model, images))
    peer = statistics.median(times[backbone][2:])
    for name, values in times.items():
        value = statistics.median(values[2:])
        print(f"{name:30} {1000 * value:8.1f} ms   {value / peer:5.2f} x")


if __name__ == "__main__":
    main()
