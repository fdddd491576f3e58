"""What the training loop and the CIFAR data path cost, as ratios measured in one run.

    python benchmarks/training.py [--device cuda] [--turns 15]

The loop: steps of recform's own loop beside a bare forward, backward and step on the same batches,
by turns; the median of the ratios counts. On a processor its own time is measured, not the clock's,
so that what else runs on the machine counts less: give it one thread (OMP_NUM_THREADS=1). The data
path: images a second that one core fetches, augments and normalizes, beside those that ResNet-18
trains on with two; the median of five turns.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

import recform
from recform.training import Silent, load_data, pick_device, recipe_named, train
from recform.training.batches import load, normalized, training_batches
from recform.training.dataset import DataSet, Pixels

# Steps before the clock starts: as many as the loop takes to its first report.
WARM = 10
CLOCKS = {"cpu": time.process_time, "cuda": time.perf_counter}


def noise(num_images: int) -> DataSet:
    """Images of CIFAR's size."""
    plain = load_data("digits", limit_test=10)
    chance = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (num_images, 3, 32, 32), dtype=torch.uint8, generator=chance)
    return replace(plain, train=Pixels(pixels, torch.arange(num_images) % 10))


def bare_seconds(model, data: DataSet, recipe, device) -> float:
    """Seconds of a step and nothing else, on the batches that the loop has."""
    descent = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    model.to(device.place, memory_format=torch.channels_last).train()
    batches = [
        (normalized(images, data), labels)
        for images, labels in load(training_batches(data.train, recipe, 0, 1), device)
    ]
    loss, began = torch.zeros(()), 0.0
    for step, (images, labels) in enumerate(batches):
        if step == WARM:
            loss.item()
            began = CLOCKS[device.name]()
        loss = cross_entropy(model(images), labels)
        descent.zero_grad()
        loss.backward()
        descent.step()
    loss.item()
    return (CLOCKS[device.name]() - began) / (len(batches) - WARM)


class Stopwatch(Silent):
    """The time at each report of the loop: every ten steps, and at the end."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.times: list[tuple[int, float]] = []

    def step(self, report) -> None:
        self.times.append((report.step, self.clock()))


def loop_seconds(model, data: DataSet, recipe, device) -> float:
    """Seconds of a step of recform's loop, with its data path."""
    watch = Stopwatch(CLOCKS[device.name])
    with tempfile.TemporaryDirectory() as place:
        train(model, data, recipe, formula_text="x", backbone="b", out=Path(place) / "run",
              device=device.name, progress=watch)  # fmt: skip
    (first, began), *_, (last, ended) = watch.times
    return (ended - began) / (last - first)


def data_images_per_second(data: DataSet, recipe, device) -> float:
    clock = CLOCKS[device.name]
    began = clock()
    for epoch in range(1, 4):
        for images, _ in load(training_batches(data.train, recipe, 0, epoch), device):
            last = normalized(images, data)
    last.sum().item()
    return 3 * data.num_train / (clock() - began)


def told(values: list[float], form: str) -> str:
    """The median, and all of them."""
    spread = " ".join(format(value, form) for value in sorted(values))
    return f"{statistics.median(values):{form}} ({spread})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--backbone", default="resnet20_cifar")
    parser.add_argument("--images", type=int, default=3840)
    parser.add_argument("--turns", type=int, default=15)
    options = parser.parse_args()
    device = pick_device(options.device)
    recipe = replace(recipe_named("liao-cifar"), epochs=1, learning_rate=0.01)
    data = noise(options.images)  # 30 batches
    ratios = []
    for turn in range(options.turns):
        seconds = {}
        # Who goes first changes, so that a machine that warms up or slows down favors nobody.
        for measure in (bare_seconds, loop_seconds)[:: 1 if turn % 2 else -1]:
            model = recform.build("resnet", options.backbone, 10)
            seconds[measure] = measure(model, data, recipe, device)
        ratios.append(seconds[loop_seconds] / seconds[bare_seconds])
    print(f"loop / bare steps on {options.backbone}: {told(ratios, '.3f')}")
    few, small, many = noise(384), replace(recipe, batch_size=32), noise(12_800)
    trained, fetched = [], []
    for _ in range(5):
        model = recform.build("resnet", "resnet18_cifar", 10)
        trained.append(32 / bare_seconds(model, few, small, device))
        fetched.append(data_images_per_second(many, recipe, device))
    print(f"resnet18_cifar trains on {told(trained, ',.1f')} images/s a core")
    print(f"data path: {told(fetched, ',.0f')} images/s a core")
    ratios = [path / (2 * net) for path, net in zip(fetched, trained, strict=True)]
    print(f"one core's data path / two cores' training: {told(ratios, ',.0f')}")


if __name__ == "__main__":
    main()
