"""kill -9 at random moments: do the final weights stay what they would have been?

    python benchmarks/kills.py [--kills 20] [--seed 0]

One run of `recform train` is left alone. Another, by the same words and `--resume auto`, is killed
and begun again, at moments drawn from the seed: after so many further checkpoints, and up to half
a second later, wherever it is then (in a step, an evaluation, a checkpoint). At the end weights,
running mean and metrics of the two must be equal, bit for bit.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

WORDS = (
    "train", "resnet_s_net", "--data", "digits", "--limit-train", "120", "--limit-test", "20",
    "--device", "cpu", "--backbone", "resnet20_cifar", "--epochs", "50", "--batch-size", "40",
    "--set", "mixup=0.5", "--set", "cutmix=1", "--set", "accumulate=2", "--set", "clip_norm=1",
    "--set", "ema_decay=0.9", "--set", "alternate_flip=yes", "--set", "drop_path=0.1",
)  # fmt: skip
UNTIMED = ("train_loss", "train_top1", "test_loss", "test_top1", "learning_rate")


def command(out: Path) -> list[str]:
    return [sys.executable, "-m", "recform", *WORDS, "--resume", "auto", "--out", str(out)]


def wait_for_checkpoints(out: Path, number: int, going: subprocess.Popen) -> None:
    """Until the last checkpoint was written so many times more."""
    path, seen = out / "checkpoints" / "last.pt", set()
    while len(seen) <= number and going.poll() is None:
        try:
            seen.add(path.stat().st_mtime_ns)
        except FileNotFoundError:
            # Not yet there, or between two names.
            continue
        finally:
            time.sleep(0.002)


def killed_run(out: Path, num_kills: int, chance: random.Random) -> int:
    """The kills that hit a living process; then the run is left to end."""
    hits = 0
    for _ in range(num_kills):
        going = subprocess.Popen(command(out), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_for_checkpoints(out, chance.randint(0, 3), going)
        time.sleep(chance.random() / 2)
        going.kill()
        hits += going.wait() == -9
    subprocess.run(command(out), check=True, capture_output=True)
    return hits


def same(one: Path, other: Path) -> bool:
    mine, theirs = (
        torch.load(out / "checkpoints" / "last.pt", weights_only=True) for out in (one, other)
    )
    weights = all(
        torch.equal(tensor, theirs[kind][name])
        for kind in ("model", "average")
        for name, tensor in mine[kind].items()
    )
    told = [[untimed(line) for line in lines_of(out)] for out in (one, other)]
    return weights and told[0] == told[1]


def lines_of(out: Path) -> list[str]:
    return (out / "metrics.jsonl").read_text().splitlines()


def untimed(line: str) -> list[float]:
    metrics = json.loads(line)
    return [metrics[name] for name in UNTIMED]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as place:
        whole, killed = Path(place) / "whole", Path(place) / "killed"
        subprocess.run(command(whole), check=True, capture_output=True)
        hits = killed_run(killed, options.kills, random.Random(options.seed))
        verdict = "equal bit for bit" if same(whole, killed) else "DIFFERENT"
        print(f"seed {options.seed}: {hits} kills, weights and metrics {verdict}")


if __name__ == "__main__":
    main()
