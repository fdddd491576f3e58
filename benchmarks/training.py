"""What the training loop and the CIFAR data path cost, as ratios measured in one run.

    OMP_NUM_THREADS=1 python benchmarks/training.py [--device cuda] [--compile] [--amp bf16]

The loop: steps of recform's own loop, data path included, beside a bare forward, backward and step
on ready batches. On a processor both take turns step by step, in its own time rather than the
clock's, so that whatever else happens on the machine happens to both; the median of the ratios
counts, with the interval in which it lies by chance (95 %). A graphics processor must not be waited
for in every step: there whole runs take turns. The data path: images a second that one core
fetches, augments and normalizes, beside those that ResNet-18 trains on with two.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

import recform
from recform.training import Silent, load_data, pick_device, recipe_named, train
from recform.training.batches import load, normalized, training_batches
from recform.training.dataset import DataSet, Pixels

# Steps before the clock starts: as many as the loop takes to its first report.
WARM = 10
# Ready batches that the bare steps go round.
MOST_KEPT = 30
CLOCKS = {"cpu": time.process_time, "cuda": time.perf_counter}


def noise(num_images: int, side: int = 32) -> DataSet:
    """Images without a subject, of CIFAR's size or another."""
    plain = load_data("digits", limit_train=10, limit_test=10, image_size=side)
    chance = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (num_images, 3, side, side), dtype=torch.uint8, generator=chance)
    return replace(plain, train=Pixels(pixels, torch.arange(num_images) % 10))


def bare_steps(model, data: DataSet, recipe, device, compiled: bool = False) -> Callable[[], None]:
    """A step and nothing else, on the batches that the loop has; each call takes one."""
    model.to(device.place, memory_format=torch.channels_last).train()
    descent = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    near = data.train.to(device.place)
    batches = [
        (normalized(images, data), labels)
        for images, labels in islice(load(training_batches(near, recipe, 0, 1), device), MOST_KEPT)
    ]
    run, number = torch.compile(model) if compiled else model, 0
    half = torch.autocast(device.place.type, torch.bfloat16)

    def step() -> None:
        nonlocal number
        images, labels = batches[number % len(batches)]
        number += 1
        with half if recipe.amp == "bf16" else nullcontext():
            loss = cross_entropy(run(images), labels)
        descent.zero_grad()
        loss.backward()
        descent.step()

    return step


def bare_seconds(model, data: DataSet, recipe, device, compiled: bool = False) -> float:
    """Seconds of such a step."""
    step = bare_steps(model, data, recipe, device, compiled)
    num_steps = len(training_batches(data.train, recipe, 0, 1)) * recipe.epochs
    for _ in range(WARM):
        step()
    wait(device)
    began = CLOCKS[device.name]()
    for _ in range(num_steps - WARM):
        step()
    wait(device)
    return (CLOCKS[device.name]() - began) / (num_steps - WARM)


def wait(device) -> None:
    if device.name == "cuda":
        torch.cuda.synchronize()


class Stopwatch(Silent):
    """The time at each report of the loop: every ten steps, and at the end of an epoch."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.times: dict[int, list[tuple[int, float]]] = {}

    def step(self, report) -> None:
        self.times.setdefault(report.epoch, []).append((report.step, self.clock()))

    def seconds(self, first: int) -> float:
        """Of a step, from epoch `first` on, between the first and the last report of each."""
        ends = [(times[0], times[-1]) for epoch, times in self.times.items() if epoch >= first]
        num_steps = sum(last[0] - begin[0] for begin, last in ends)
        return sum(last[1] - begin[1] for begin, last in ends) / num_steps


def loop_seconds(model, data: DataSet, recipe, device, compiled: bool = False) -> float:
    """Seconds of a step of recform's loop, with its data path, after its first epoch."""
    watch = Stopwatch(CLOCKS[device.name])
    run_loop(model, data, recipe, device, watch, compiled)
    return watch.seconds(first=2 if recipe.epochs > 1 else 1)


def run_loop(model, data: DataSet, recipe, device, progress, compiled: bool = False) -> None:
    with tempfile.TemporaryDirectory() as place:
        train(model, data, recipe, formula_text="x", backbone="b", out=Path(place) / "run",
              device=device.name, progress=progress, compiled=compiled)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Turns(Pixels):
    """Images that, asked for a batch by the loop, first let the bare step have its turn.

    `marks` are the times at which turns end: the loop's, the bare step's, the loop's, ...
    """

    bare: Callable[[], None] = lambda: None
    marks: list[float] = field(default_factory=list)

    def fetch_changed(self, indices, changes, recipe):
        self.marks.append(time.process_time())
        self.bare()
        self.marks.append(time.process_time())
        return super().fetch_changed(indices, changes, recipe)

    def ratios(self) -> list[float]:
        """Of each pair of turns: the loop's time over the bare step's before it."""
        ends = self.marks[2 * WARM :]
        return [
            (loop - bare) / (bare - before)
            for before, bare, loop in zip(ends[::2], ends[1::2], ends[2::2], strict=False)
        ]


def turns(backbone: str, data: DataSet, recipe, device) -> list[float]:
    """The loop beside the bare step, step by step."""
    bare = bare_steps(recform.build("resnet", backbone, 10), data, recipe, device)
    assert isinstance(data.train, Pixels), "noise lies in memory"
    images = Turns(data.train.pixels, data.train.labels, bare=bare)
    run_loop(recform.build("resnet", backbone, 10), replace(data, train=images), recipe, device,
             Silent())  # fmt: skip
    return images.ratios()


def runs(backbone: str, data: DataSet, recipe, device, compiled: bool, num_runs: int) -> list:
    """The loop beside the bare steps, run by run; who goes first changes."""
    ratios = []
    for run in range(num_runs):
        seconds = {}
        for measure in (bare_seconds, loop_seconds)[:: 1 if run % 2 else -1]:
            model = recform.build("resnet", backbone, 10)
            seconds[measure] = measure(model, data, recipe, device, compiled)
        ratios.append(seconds[loop_seconds] / seconds[bare_seconds])
    return ratios


def data_images_per_second(data: DataSet, recipe, device) -> float:
    clock = CLOCKS[device.name]
    began = clock()
    for epoch in range(1, 4):
        for images, _ in load(training_batches(data.train, recipe, 0, epoch), device):
            last = normalized(images, data)
    last.sum().item()
    return 3 * data.num_train / (clock() - began)


def median(values: list[float], form: str) -> str:
    """The median, and between which values it lies in 95 of 100 cases, by order statistics."""
    ordered, aside = sorted(values), 0.98 * len(values) ** 0.5
    low, high = (ordered[round(max(0, min(len(ordered) - 1, len(ordered) / 2 + side)))]
                 for side in (-aside, aside))  # fmt: skip
    return f"{statistics.median(values):{form}} ({low:{form}} to {high:{form}}, n = {len(values)})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--backbone", default="resnet20_cifar")
    parser.add_argument("--images", type=int, default=3840)
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--amp", default="none")
    options = parser.parse_args()
    device = pick_device(options.device)
    recipe = replace(recipe_named("liao-cifar"), epochs=options.epochs, learning_rate=0.01,
                     amp=options.amp)  # fmt: skip
    data = noise(options.images)  # 30 batches
    if device.name == "cpu":
        ratios = turns(options.backbone, data, recipe, device)
    else:
        ratios = runs(options.backbone, data, recipe, device, options.compile, options.epochs)
    print(f"loop / bare steps on {options.backbone}: {median(ratios, '.3f')}")
    few, small, many = noise(384), replace(recipe, epochs=1, batch_size=32), noise(12_800)
    trained, fetched = [], []
    for _ in range(5):
        model = recform.build("resnet", "resnet18_cifar", 10)
        trained.append(32 / bare_seconds(model, few, small, device))
        fetched.append(data_images_per_second(many, recipe, device))
    print(f"resnet18_cifar trains on {median(trained, ',.1f')} images/s a core")
    print(f"data path: {median(fetched, ',.0f')} images/s a core")
    ratios = [path / (2 * net) for path, net in zip(fetched, trained, strict=True)]
    print(f"one core's data path / two cores' training: {median(ratios, ',.0f')}")


if __name__ == "__main__":
    main()
