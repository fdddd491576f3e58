"""recform train: a network from a formula learns, and leaves a run on disk."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import ActOption, BackboneOption, FormulaArgument, JsonOption
from recform.cli.output import print_json, talk

if TYPE_CHECKING:
    from recform.training import Recipe, Summary


def train(
    formula: FormulaArgument,
    backbone: BackboneOption = "resnet20_cifar",
    data: Annotated[
        str, typer.Option(help="digits, cifar10, cifar100 or folder.")
    ] = "digits",
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the data lies.", show_default=False)
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="By default the recipe's.",
                                               show_default=False)] = None,
    batch_size: Annotated[int | None, typer.Option(help="By default the recipe's.",
                                                   show_default=False)] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate; by default the recipe's.",
                                             show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and augmentation.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    out: Annotated[
        Path | None,
        typer.Option(help="The run's folder; by default one under runs/.", show_default=False),
    ] = None,
    limit_train: Annotated[int | None, typer.Option(help="Use so many training images.",
                                                    show_default=False)] = None,
    limit_test: Annotated[int | None, typer.Option(help="Use so many test images.",
                                                   show_default=False)] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="auto|PATH", help="Go on from the run's last checkpoint (auto), or "
                     "from this one.", show_default=False),
    ] = None,
    act: ActOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Train the network of a formula and keep all that is needed to repeat it.

    \b
    Example:  recform train resnet_s --data digits --epochs 2

    The folder of the run holds config.json, formula.rf, metrics.jsonl (one object an epoch),
    checkpoints/ and summary.json. Ctrl-C leaves a checkpoint; --resume auto goes on from it.
    """
    from recform.cli.progress import Bar
    from recform.formula import resolve
    from recform.network import build
    from recform.training import Interrupted, load_data, recipe_for, seed_everything
    from recform.training import train as run

    parsed = resolve(formula)
    folder = out if out is not None else _default_folder(formula, backbone, data, seed)
    recipe = _recipe(recipe_for(data), epochs, batch_size, lr)
    images = load_data(data, data_dir, limit_train=limit_train, limit_test=limit_test)
    seed_everything(seed)
    network = build(parsed, backbone, images.num_classes, act=act, image_size=images.image_size)
    for note in network.architecture.notes:
        talk(f"note: {note}")
    try:
        with Bar(network.architecture.formula.title or formula, folder) as bar:
            summary = run(
                network,
                images,
                recipe,
                formula_text=f"{network.architecture.formula}\n",
                backbone=backbone,
                out=folder,
                seed=seed,
                device=device,
                resume=resume,
                progress=bar,
                command=("recform", *sys.argv[1:]),
            )
    except Interrupted as stop:
        talk(f"interrupted in epoch {stop.epoch}; {stop.checkpoint} is written")
        talk(f"to go on: {_to_go_on(folder)}")
        raise typer.Exit(128 + stop.signum) from None
    _report(summary, folder, as_json)


def _recipe(recipe: Recipe, epochs: int | None, batch_size: int | None, lr: float | None) -> Recipe:
    changes = {"epochs": epochs, "batch_size": batch_size, "learning_rate": lr}
    return replace(recipe, **{key: value for key, value in changes.items() if value is not None})


def _default_folder(formula: str, backbone: str, data: str, seed: int) -> Path:
    """runs/resnet_s-resnet20_cifar-digits-0; a formula's text has no name."""
    name = "formula" if "=" in formula else Path(formula).stem
    return Path("runs") / re.sub(r"[^\w.-]", "_", f"{name}-{backbone}-{data}-{seed}")


def _to_go_on(folder: Path) -> str:
    """The command that was typed, with the folder and --resume auto."""
    words = sys.argv[1:]
    if "--resume" not in words:
        words = [*words, "--resume", "auto"]
    if "--out" not in words:
        words = [*words, "--out", str(folder)]
    return shlex.join(["recform", *words])


def _report(summary: Summary, folder: Path, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(summary), "out": str(folder)})
        return
    print(f"test accuracy {summary.final_top1:.2f} % after {summary.epochs} epochs "
          f"(best {summary.best_top1:.2f} % in epoch {summary.best_epoch}), "
          f"{summary.seconds:.0f} s")  # fmt: skip
    print(f"run: {folder}")
