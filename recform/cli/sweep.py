"""recform sweep: several formulas, backbones and seeds, one run after the other or one a GPU."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from recform.cli.arguments import FormulasArgument
from recform.cli.jobs import Job, Stopped, work_off
from recform.cli.output import counted, talk
from recform.cli.train import DataDirOption, DataOption, folder_named
from recform.cli.train import train as train_command
from recform.errors import UserError
from recform.writing import check_writable

# Options of `recform train` that the sweep itself gives.
OWN = ("--backbone", "-b", "--seed", "--out", "--resume", "--data", "--data-dir")


def sweep(
    formulas: FormulasArgument,
    out: Annotated[
        Path,
        typer.Option(help="The folder of the runs.", show_default=False, parser=folder_named,
                     metavar="PATH"),
    ],
    backbones: Annotated[
        str, typer.Option(metavar="A,B,...", help="Backbones.")
    ] = "resnet20_cifar",
    seeds: Annotated[str, typer.Option(metavar="A,B,...", help="Seeds.")] = "0,1,2",
    data: DataOption = "digits",
    data_dir: DataDirOption = None,
    train: Annotated[
        str, typer.Option(metavar="OPTIONS", help="Further options of recform train, in quotes.")
    ] = "",
) -> None:  # fmt: skip
    """Train every formula on every backbone with every seed; what is finished is not done again.

    \b
    Example:  recform sweep resnet resnet_s_net --out runs/sweep --train "--epochs 2"
              recform compare runs/sweep

    On one processor one run goes after the other; of several GPUs each has a run of its own. The
    runs end with the sweep, and the same command goes on where it stopped.
    """
    from recform.formula import resolve

    for formula in formulas:
        resolve(formula)
    further = _further(train)
    given = ["--data", data, *(["--data-dir", str(data_dir)] if data_dir is not None else [])]
    jobs = [
        Job(folder, ("train", formula, "--backbone", backbone, "--seed", seed, "--out", str(folder),
                     "--resume", "auto", *given, *further))
        for formula in formulas
        for backbone in _listed(backbones, "--backbones")
        for seed in _seeds(seeds)
        for folder in [out / _name(formula, formulas, backbone, data, seed)]
    ]  # fmt: skip
    check_writable(jobs[0].folder / "config.json")
    _check_apart(jobs)
    _check_options(jobs[0])
    _run_all(jobs)
    done = f"{counted(len(jobs), 'run')} {'is' if len(jobs) == 1 else 'are'} finished"
    talk(f"{done}; compare them: recform compare {shlex.quote(str(out))}")


def _check_apart(jobs: Sequence[Job]) -> None:
    """Raises UserError `bad-argument` where two runs would lie in one folder."""
    folders = [job.folder for job in jobs]
    for folder in folders:
        if folders.count(folder) > 1:
            raise UserError("bad-argument", f"two runs would lie in {folder}",
                            "name each formula, backbone and seed once, and give files names of "
                            "their own")  # fmt: skip


def _check_options(job: Job) -> None:
    """Reads the words of a run as `recform train` will, so that a wrong one is told at once."""
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command()(train_command)
    typer.main.get_command(alone).make_context("recform train", list(job.words[1:])).close()


def _run_all(jobs: Sequence[Job]) -> None:
    finished = [job for job in jobs if job.is_finished]
    waiting = [job for job in jobs if not job.is_finished]
    if finished:
        talk(f"finished before: {len(finished)} of {counted(len(jobs), 'run')}")
    for job in finished:
        if (command := _command_of(job.folder)) not in (None, job.words):
            talk(f"note: {job.folder} was made otherwise: recform {shlex.join(command)}")
    try:
        failed = work_off(waiting, _graphics_processors() or [None])
    except Stopped as stop:
        talk("interrupted; the same command goes on from here")
        raise typer.Exit(128 + stop.signum) from None
    if failed:
        names = ", ".join(str(job.folder) for job in failed[:3])
        raise UserError("bad-run", f"{len(failed)} of {counted(len(jobs), 'run')} failed: {names}",
                        "see their messages above; the same command tries them again")  # fmt: skip


def _command_of(folder: Path) -> tuple[str, ...] | None:
    """The words after `recform` that made a run; None where it does not say."""
    from recform.training import RunFolder, read_config

    try:
        command = read_config(RunFolder(folder)).get("command")
    except UserError:
        # `recform compare` will tell what is wrong with it.
        return None
    return tuple(map(str, command[1:])) if isinstance(command, list) and command else None


def _graphics_processors() -> list[str | None]:
    """Those that may be used, by the names that CUDA_VISIBLE_DEVICES has for them."""
    from recform.training import num_cuda_devices

    count = num_cuda_devices()
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = [name.strip() for name in named.split(",") if name.strip()]
    return [*names[:count]] or [str(number) for number in range(count)]


def _further(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UserError("bad-argument", f"--train has a quote without its partner: {text}",
                        '--train "--epochs 2"') from error  # fmt: skip
    taken = [word for word in words if word.partition("=")[0] in OWN]
    if taken:
        raise UserError("bad-argument", f"{taken[0]} belongs to the sweep, not into --train",
                        "--backbones, --seeds, --out, --data")  # fmt: skip
    return words


def _listed(text: str, option: str) -> Iterator[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        example = "0,1,2" if option == "--seeds" else "resnet20_cifar,resnet32_cifar"
        raise UserError("bad-argument", f"{option} names nothing", f"{option} {example}")
    yield from parts


def _seeds(text: str) -> Iterator[str]:
    for part in _listed(text, "--seeds"):
        if not part.isdecimal() or int(part) >= 2**32:
            raise UserError("bad-argument", f"{part} is no seed: they go from 0 to 2^32 - 1",
                            "--seeds 0,1,2")  # fmt: skip
        yield str(int(part))


def _name(formula: str, formulas: Sequence[str], backbone: str, data: str, seed: str) -> str:
    """resnet_s-resnet20_cifar-digits-0; a formula's text has no name but its place."""
    name = f"formula{formulas.index(formula) + 1}" if "=" in formula else Path(formula).stem
    return re.sub(r"[^\w.-]", "_", f"{name}-{backbone}-{data}-{seed}")
