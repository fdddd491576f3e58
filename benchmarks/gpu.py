"""All that only a graphics processor can show, within a quarter of an hour.

    python benchmarks/gpu.py --data-dir data --out results [--seconds 840] [--stages facts,speed]

    facts      the device, its memory, the versions
    speed      images/s of recform's loop beside a bare compiled loop, bf16: ResNet-18 on images of
               CIFAR's size
    speed-50   the same for ResNet-50 on images of ImageNet's size
    fast       time to 94 % on CIFAR-10 by fast-cifar: resnet on resnet18_cifar
    fast-s     the same for resnet_s_net, the best of four formulas on a CPU
    resume     a run that is killed and resumed, and one that is not, twice: how far weights differ
    identity   outputs of networks by their own formula beside timm's, same weights
    liao       ResNet18 and ResNet18s by liao-cifar in bf16, as many epochs as time is left for both

Each stage is a process of its own with a limit, and writes OUT/STAGE.json at once; one that fails
is told there, and the next begins. OUT/results.md has all of them. CIFAR-10 must lie in --data-dir.
`--device cpu --quick` takes all these ways in minutes, on digits, and measures nothing.
"""

import argparse
import copy
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from training import bare_seconds, loop_seconds, noise

import recform
from recform.errors import UserError
from recform.training import Summary, load_data, pick_device, read_run, recipe_named, train

# The goal of the speed runs on CIFAR-10 (Page 2018, Jordan 2024), in percent.
GOAL = 94.0
# Left over at the end, for processes to close.
SECONDS_ASIDE = 15.0


@dataclass(frozen=True)
class Size:
    """How much is done: `FULL` on a graphics processor, `QUICK` to see that it works."""

    data: str
    backbone: str
    limits: tuple[int | None, int | None]
    fast_epochs: int
    trial_epochs: int
    compiled: bool
    amp: str
    # Backbone, side of an image, batch, images: a small and a large one.
    speeds: tuple[tuple[str, int, int, int], tuple[str, int, int, int]]
    twins: tuple[str, ...]
    is_quick: bool = False


FULL = Size("cifar10", "resnet18_cifar", (None, None), 24, 2, True, "bf16",
            (("resnet18_cifar", 32, 512, 25_600), ("resnet50", 224, 256, 10_240)),
            ("resnet20_cifar", "resnet18_cifar", "resnet50", "convnext_atto"))  # fmt: skip
QUICK = Size("digits", "resnet20_cifar", (64, 32), 1, 2, False, "none",
             (("resnet20_cifar", 32, 2, 48), ("resnet20_cifar", 16, 2, 48)),
             ("resnet20_cifar",), is_quick=True)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What a stage works with; it has `seconds` until it is ended."""

    size: Size
    device: str
    data_dir: Path | None
    out: Path
    seconds: float

    def data(self):
        num_train, num_test = self.size.limits
        return load_data(self.size.data, self.data_dir, limit_train=num_train, limit_test=num_test)


def facts(asked: Asked) -> dict:
    found = {"device": pick_device(asked.device).describe(), "torch": torch.__version__,
             "cpus": os.cpu_count()}  # fmt: skip
    if asked.device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        found |= {"memory_gib": round(properties.total_memory / 2**30, 1),
                  "capability": f"{properties.major}.{properties.minor}",
                  "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}  # fmt: skip
    return found


def speed(asked: Asked, which: int = 0) -> dict:
    """Images a second of both loops; `ratio` is the time of the loop's step over the bare one's."""
    backbone, side, batch, num_images = asked.size.speeds[which]
    recipe = replace(recipe_named("liao-cifar"), epochs=4, batch_size=batch, learning_rate=0.01,
                     amp=asked.size.amp)  # fmt: skip
    data, seconds = noise(num_images, side), []
    for measure in (bare_seconds, loop_seconds):
        model = recform.build("resnet", backbone, 10)
        device = pick_device(asked.device)
        seconds.append(measure(model, data, recipe, device, asked.size.compiled))
    bare, loop = seconds
    return {
        "backbone": backbone,
        "batch": batch,
        "bare_images_per_second": round(batch / bare),
        "loop_images_per_second": round(batch / loop),
        "ratio": round(loop / bare, 4),
    }


def speed_50(asked: Asked) -> dict:
    return speed(asked, 1)


def fast(asked: Asked, formula: str = "resnet") -> dict:
    """Accuracies by fast-cifar, and the seconds of all epochs until the goal, tests included."""
    recipe = replace(recipe_named("fast-cifar"), epochs=asked.size.fast_epochs, amp=asked.size.amp)
    if asked.size.is_quick:
        recipe = replace(recipe, batch_size=32)
    summary = trained(asked, formula, recipe, f"fast-{formula}")
    seconds, reached = 0.0, None
    for metrics in read_run(asked.out / f"fast-{formula}").metrics:
        seconds += metrics.seconds
        if metrics.test_top1 >= GOAL and reached is None:
            reached = {"epoch": metrics.epoch, "seconds": round(seconds, 1)}
    return told(summary) | {"goal": reached}


def fast_s(asked: Asked) -> dict:
    return fast(asked, "resnet_s_net")


def liao(asked: Asked) -> dict:
    """Both nets by liao-cifar, in as many epochs as are left time for, the same for both."""
    began, found = time.monotonic(), {}
    recipe = replace(recipe_named("liao-cifar"), amp=asked.size.amp, epochs=asked.size.trial_epochs)
    trained(asked, "resnet_s_net", recipe, "trial", asked.size.compiled)
    # The first epoch compiles, and tries convolutions.
    seconds = min(metrics.seconds for metrics in read_run(asked.out / "trial").metrics)
    left = asked.seconds - (time.monotonic() - began)
    # Two nets; their first epochs take as much longer as the trial did, at most.
    starts = 2 * (time.monotonic() - began - asked.size.trial_epochs * seconds)
    epochs = max(1, min(200, int((0.9 * left - starts) / (2 * seconds))))
    if asked.size.is_quick:
        epochs = 1
    for formula in ("resnet", "resnet_s_net"):
        run = f"liao-{formula}"
        summary = trained(asked, formula, replace(recipe, epochs=epochs), run, asked.size.compiled)
        found[formula] = told(summary)
    return found | {"epochs_of_both": epochs, "of": recipe_named("liao-cifar").epochs}


def resume(asked: Asked) -> dict:
    """The largest difference of weights, beside that of two runs of which none was stopped."""
    weights, was_killed = [], False
    for name in ("whole", "again", "killed"):
        command = [sys.executable, "-m", "recform", "train", "resnet", "-b", asked.size.backbone,
                   "--data", asked.size.data, "--limit-train", "5120", "--limit-test", "500",
                   "--epochs", "4", "--amp", asked.size.amp, "--device", asked.device,
                   "--out", str(asked.out / name), "--resume", "auto",
                   *(["--data-dir", str(asked.data_dir)] if asked.data_dir else [])]  # fmt: skip
        if asked.size.is_quick:
            command += ["--limit-train", "128", "--limit-test", "32"]
        if name == "killed":
            killed = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            metrics = asked.out / name / "metrics.jsonl"
            while killed.poll() is None and not (metrics.is_file() and metrics.read_text()):
                time.sleep(0.01)
            killed.send_signal(signal.SIGKILL)
            was_killed = killed.wait() == -signal.SIGKILL
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        checkpoint = asked.out / name / "checkpoints" / "last.pt"
        weights.append(torch.load(checkpoint, weights_only=True)["model"])
    whole, again, resumed = weights
    assert was_killed, "it was done before it could be killed"
    scores = {name: read_run(asked.out / name).metrics[-1].test_top1 for name in
              ("whole", "again", "killed")}  # fmt: skip
    return {"two_whole_runs_differ_by": apart(whole, again),
            "a_resumed_one_differs_by": apart(whole, resumed), "top1": scores}  # fmt: skip


def apart(one: dict, other: dict) -> float:
    return max((one[name].double() - other[name].double()).abs().max().item() for name in one)


@torch.no_grad()
def identity(asked: Asked) -> dict:
    """The largest difference of outputs, evaluated, in float32; 0 means the same bits."""
    from recform.network.create import BackboneSpec, create, input_size

    place, found = pick_device(asked.device).place, {}
    for backbone in asked.size.twins:
        plain = create(BackboneSpec(backbone, num_classes=10), pretrained=False).eval()
        made = recform.build("x[l+1] = act(x[l] + F(x[l]))", copy.deepcopy(plain)).eval()
        images = torch.randn(8, *input_size(plain, 3, None), device=place)
        outputs = [model.to(place)(images) for model in (plain, made)]
        found[backbone] = (outputs[0] - outputs[1]).abs().max().item()
    return found


def trained(asked: Asked, formula: str, recipe, run: str, compiled: bool = False) -> Summary:
    """A run of the public door, in OUT/RUN."""
    data = asked.data()
    recform.training.seed_everything(0)
    model = recform.build(formula, asked.size.backbone, data.num_classes)
    return train(model, data, recipe, formula_text=formula, backbone=asked.size.backbone,
                 out=asked.out / run, device=asked.device, compiled=compiled)  # fmt: skip


def told(summary: Summary) -> dict:
    wanted = ("final_top1", "best_top1", "best_epoch", "epochs", "seconds", "images_per_second")
    return {name: value for name, value in asdict(summary).items() if name in wanted}


# In the order of what is wanted most; each with the seconds it may take.
STAGES: dict[str, tuple[Callable[[Asked], dict], float]] = {
    "facts": (facts, 60), "speed": (speed, 150), "fast": (fast, 150), "fast-s": (fast_s, 150),
    "speed-50": (speed_50, 210), "resume": (resume, 120), "identity": (identity, 60),
    "liao": (liao, 3600),
}  # fmt: skip


def run_stage(name: str, options: argparse.Namespace) -> None:
    """One stage in this process; its file holds what came out, or what went wrong."""
    size = QUICK if options.quick else FULL
    if options.data_dir:
        size = replace(size, data="cifar10")
    asked = Asked(size, options.device, options.data_dir, options.out,
                  options.seconds)  # fmt: skip
    write(options.out / f"{name}.json", STAGES[name][0](asked))


def run_all(options: argparse.Namespace) -> int:
    """Every stage in a process of its own; the number of those that failed."""
    began, results = time.monotonic(), {}
    for name in options.stages.split(","):
        left = options.seconds - SECONDS_ASIDE - (time.monotonic() - began)
        # A busy machine without a graphics processor is slow to begin.
        most = STAGES[name][1] * (10 if options.quick else 1)
        limit, start = min(most, left), time.monotonic()
        command = [sys.executable, __file__, "--stage", name, "--out", str(options.out),
                   "--device", options.device, "--seconds", str(limit),
                   *(["--data-dir", str(options.data_dir)] if options.data_dir else []),
                   *(["--quick"] if options.quick else [])]  # fmt: skip
        file = options.out / f"{name}.json"
        file.unlink(missing_ok=True)
        error = "no time was left" if limit <= 0 else ended(command, limit)
        if error:
            write(file, {"error": error})
        results[name] = json.loads(file.read_text()) | {"took": round(time.monotonic() - start)}
        (options.out / "results.md").write_text(page(results, options))
        print(f"{name}: {json.dumps(results[name])}", flush=True)
    return sum("error" in result for result in results.values())


def ended(command: list[str], limit: float) -> str:
    """What went wrong with a process; empty where nothing did."""
    # A session of its own, so that what it has started ends with it.
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)  # fmt: skip
    try:
        _, told = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"not done in {limit:.0f} s"
    lines = told.strip().splitlines() or [f"ended with {process.returncode}"]
    return lines[-1] if process.returncode else ""


def write(file: Path, found: dict) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=2) + "\n")


def page(results: dict[str, dict], options: argparse.Namespace) -> str:
    rows = [f"| {stage} | {name} | {json.dumps(value)} |"
            for stage, found in results.items() for name, value in found.items()]  # fmt: skip
    made = f"{time.strftime('%Y-%m-%d')}, `python benchmarks/gpu.py`, {options.seconds:.0f} s"
    if options.quick:
        made += "; quick: nothing is measured"
    return "\n".join(["# On a graphics processor", "", f"{made}.", "", "| stage | what | |",
                      "|---|---|---|", *rows, ""])  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=840)
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--stage", choices=list(STAGES), help="one, in this process")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    unknown = set(options.stages.split(",")) - set(STAGES)
    if unknown:
        parser.error(f"there is no stage {unknown.pop()}; there are {', '.join(STAGES)}")
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.stage:
        return run_all(options)
    try:
        run_stage(options.stage, options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
