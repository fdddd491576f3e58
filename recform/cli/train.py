"""recform train: a network from a formula learns, and leaves a run on disk."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import (
    ActOption,
    AllowCodeOption,
    BackboneOption,
    FormulaArgument,
    GateOption,
    JsonOption,
    MatchOption,
    ProjectOption,
    UnitOption,
    parameters_to_match,
)
from recform.cli.beginning import beginning_asked, network_to_train
from recform.cli.jobs import end_with_sweep
from recform.cli.output import counted, print_json, tell
from recform.cli.user_code import find_code
from recform.errors import UserError
from recform.writing import check_writable

if TYPE_CHECKING:
    from recform.formula import Formula
    from recform.network import FormulaNetwork
    from recform.training import DataSet, Progress, Recipe, Summary


DataOption = Annotated[
    str, typer.Option(help="digits, cifar10, folder, hf:OWNER/NAME, ...: see recform data list.")
]
DataDirOption = Annotated[
    Path | None, typer.Option(help="Where the data lies.", show_default=False)
]
CacheOption = Annotated[
    float | None,
    typer.Option(metavar="GB", help="Of shards from elsewhere keep so many gigabytes here, and "
                 "read the others where they lie; all are kept, if left out.", show_default=False),
]  # fmt: skip
RecipeOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE.toml",
        help="Such as liao-cifar, or a file of your own; the data's, if left out.",
        show_default=False,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a field of the recipe; repeatable.",
                 show_default=False),
]  # fmt: skip
EpochsOption = Annotated[
    int | None, typer.Option(help="Epochs; the recipe's, if left out.", show_default=False)
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(help="Images in a step; the recipe's, if left out.", show_default=False),
]
RateOption = Annotated[
    float | None,
    typer.Option(help="Learning rate; the recipe's, if left out.", show_default=False),
]
AmpOption = Annotated[
    str | None,
    typer.Option(metavar="bf16|fp16|none", help="Precision of autocast.", show_default=False),
]
SeedOption = Annotated[int, typer.Option(help="Of weights, order and augmentation.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, xla or tpu.")]
SideOption = Annotated[
    int | None,
    typer.Option(help="Side of an image in pixels; by default the data's own.", show_default=False),
]
LimitOption = Annotated[
    int | None, typer.Option(help="Use so many images; by default all.", show_default=False)
]


def folder_named(text: str) -> Path:
    """The folder that --out names. Raises UserError where it names none: "" would be here."""
    if not text:
        raise UserError("bad-argument", "--out names no folder", "--out runs/mine")
    return Path(text)


RunOption = Annotated[
    Path | None,
    typer.Option(help="The run's folder; one under runs/, if left out.", show_default=False,
                 parser=folder_named, metavar="PATH"),
]  # fmt: skip
ResumeOption = Annotated[
    str | None,
    typer.Option(
        metavar="auto|PATH",
        help="Go on from the run's last checkpoint (auto), or from this one.",
        show_default=False,
    ),
]
InitOption = Annotated[
    str | None,
    typer.Option(
        metavar="RUN|FILE|BACKBONE",
        help="Begin with the weights of a run, with the plain backbone's in a file "
        "(.safetensors, .pth), or with timm's published ones.",
        show_default=False,
    ),
]
CompileOption = Annotated[bool, typer.Option("--compile", help="Run it through torch.compile.")]
RecomputeOption = Annotated[
    bool,
    typer.Option("--recompute", help="Compute blocks a second time for their gradients, and keep "
                 "less: gradients stay equal."),
]  # fmt: skip
ReversibleOption = Annotated[
    bool,
    typer.Option("--reversible", help="Keep no states where the formula gives them back, as "
                 "recform analyze says."),
]  # fmt: skip
ShardOption = Annotated[
    bool, typer.Option("--shard", help="Deal the weights out to torchrun's processes (FSDP).")
]
KeepOption = Annotated[int, typer.Option(help="Last checkpoints to keep, beside the best.")]
BoardOption = Annotated[
    bool, typer.Option("--tensorboard", help="Write TensorBoard's files into the run's folder.")
]
WandbOption = Annotated[bool, typer.Option("--wandb", help="Tell Weights & Biases of the run.")]


@dataclass(frozen=True)
class Order:
    """How the run is to go, apart from what is trained on what."""

    folder: Path
    seed: int
    device: str
    resume: str | None
    compiled: bool
    sharded: bool
    keep: int
    tensorboard: bool
    wandb: bool


def train(
    formula: FormulaArgument,
    backbone: BackboneOption = "resnet20_cifar",
    data: DataOption = "digits",
    data_dir: DataDirOption = None,
    cache_gb: CacheOption = None,
    recipe: RecipeOption = None,
    settings: SetOption = None,
    epochs: EpochsOption = None,
    batch_size: BatchSizeOption = None,
    lr: RateOption = None,
    amp: AmpOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: RunOption = None,
    image_size: SideOption = None,
    limit_train: LimitOption = None,
    limit_test: LimitOption = None,
    resume: ResumeOption = None,
    init_from: InitOption = None,
    act: ActOption = None,
    project: ProjectOption = None,
    unit: UnitOption = "sum",
    gate_reduction: GateOption = 8,
    match_params: MatchOption = None,
    recompute: RecomputeOption = False,
    reversible: ReversibleOption = False,
    compiled: CompileOption = False,
    sharded: ShardOption = False,
    keep: KeepOption = 2,
    tensorboard: BoardOption = False,
    wandb: WandbOption = False,
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train the network of a formula and keep all that is needed to repeat it.

    \b
    Example:  recform train resnet_s --data digits --epochs 2
              recform train resnet_s_net --data cifar10 --recipe liao-cifar --set cutout=1/2

    The run's folder holds config.json, formula.rf, metrics.jsonl, checkpoints/ and summary.json.
    Ctrl-C leaves a checkpoint; --resume auto goes on from it. torchrun starts several processes.
    """
    parsed = _parsed(formula, allow_code)
    _check_memory(parsed, reversible, compiled, sharded)
    begin = beginning_asked(init_from)
    folder = _free(out or _default_folder(formula, backbone, data, seed), resume)
    shortcuts = {"epochs": epochs, "batch_size": batch_size, "learning_rate": lr, "amp": amp}
    chosen = chosen_recipe(data, recipe, settings or [], shortcuts)
    from recform.training import load_data

    images = load_data(data, data_dir, image_size=image_size, limit_train=limit_train,
                       limit_test=limit_test, cache_gb=cache_gb)  # fmt: skip
    how = {"act": act, "project": project, "unit": unit, "gate_reduction": gate_reduction,
           "match_params": parameters_to_match(match_params), "allow_code": allow_code,
           "recompute": recompute, "reversible": reversible}  # fmt: skip
    network = network_to_train(parsed, backbone, images, seed, chosen.drop_path, begin, how)
    order = Order(folder, seed, device, resume, compiled, sharded, keep, tensorboard, wandb)
    _report(_run(network, images, chosen, order), folder, as_json)


def _parsed(formula: str, allow_code: bool) -> Formula:
    end_with_sweep()
    from recform.formula import resolve

    parsed = resolve(formula)
    find_code(allow_code, formula)
    return parsed


def _free(folder: Path, resume: str | None) -> Path:
    """The folder, if a run may go there: told before data and network are made."""
    from recform.training import RunFolder, checkpoint_to_resume

    check_writable(folder / "config.json")
    checkpoint_to_resume(RunFolder(folder), resume)
    return folder


def _check_memory(formula: Formula, reversible: bool, compiled: bool, sharded: bool) -> None:
    if not reversible:
        return
    from recform.network import check_reversible

    for option, is_given in (("--compile", compiled), ("--shard", sharded)):
        if is_given:
            raise typer.BadParameter(f"does not go with {option}", param_hint="--reversible")
    check_reversible(formula)


def chosen_recipe(
    data: str,
    name: str | None,
    settings: list[str],
    shortcuts: Mapping[str, int | float | str | None],
) -> Recipe:
    """The named recipe, or the data's, with what the command line changes."""
    from recform.training import recipe_asked, recipe_for, with_settings

    plain = recipe_for(data) if name is None else recipe_asked(name)
    given = {key: value for key, value in shortcuts.items() if value is not None}
    return replace(with_settings(plain, settings), **given)


def _run(network: FormulaNetwork, images: DataSet, recipe: Recipe, order: Order) -> Summary:
    from recform.training import Interrupted, RunFolder, train

    architecture, folder = network.architecture, order.folder
    title = architecture.formula.title or str(architecture.formula)
    try:
        with _listener(title, order) as progress:
            return train(
                network,
                images,
                recipe,
                out=folder,
                seed=order.seed,
                device=order.device,
                resume=order.resume,
                progress=progress,
                command=("recform", *sys.argv[1:]),
                compiled=order.compiled,
                sharded=order.sharded,
                keep=order.keep,
            )
    except Interrupted as stop:
        tell(f"interrupted in epoch {stop.epoch}; {stop.checkpoint} is written")
        tell(f"to go on: {_to_go_on(folder)}")
        raise typer.Exit(128 + stop.signum) from None
    except KeyboardInterrupt:
        # A second Ctrl-C: there was no time for a checkpoint.
        if RunFolder(folder).newest():
            tell(f"to go on from the last checkpoint: {_to_go_on(folder)}")
        raise


@contextmanager
def _listener(title: str, order: Order) -> Iterator[Progress]:
    """A bar, and what else is asked for; nothing in the processes that do not lead."""
    from recform.cli.progress import Bar
    from recform.training import Several, Silent, TensorBoard, Wandb, is_leader

    if not is_leader():
        yield Silent()
        return
    boards: list[Progress] = []
    if order.tensorboard:
        boards.append(TensorBoard(order.folder / "tensorboard"))
    if order.wandb:
        boards.append(Wandb(order.folder))
    with Bar(title, order.folder) as bar:
        yield Several(bar, *boards)


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
    from recform.training import is_leader

    if not is_leader():
        return
    if as_json:
        print_json({**asdict(summary), "out": str(folder)})
        return
    print(f"test accuracy {summary.final_top1:.2f} % after {counted(summary.epochs, 'epoch')} "
          f"(best {summary.best_top1:.2f} % in epoch {summary.best_epoch}), "
          f"{summary.seconds:.0f} s")  # fmt: skip
    print(f"run: {folder}")
