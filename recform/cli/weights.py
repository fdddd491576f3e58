"""Networks with weights, as `recform build -o` and `recform train` leave them in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recform.cli.output import counted, talk
from recform.cli.user_code import find_code
from recform.errors import FormulaError, UserError

if TYPE_CHECKING:
    from recform.network import FormulaNetwork
    from recform.training import RunFolder

# What a run keeps of the choices that its network was built with; older runs keep nothing.
PLAN = ("project", "unit", "gate_reduction")


@dataclass(frozen=True)
class TrainedOn:
    """The data of a run, as its config.json names it, and the checkpoint that was read of it."""

    name: str
    directory: Path | None
    image_size: int | None
    num_test: int | None
    checkpoint: Path
    epoch: int = 0
    step: int = 0

    @property
    def reached(self) -> str:
        """Where the training stood, in words."""
        after = f"after epoch {self.epoch}" if self.epoch else "before the first epoch"
        return f"{after} and {counted(self.step, 'step')}" if self.step else after


def load_weights(folder: Path, allow_code: bool = False) -> tuple[FormulaNetwork, TrainedOn | None]:
    """The network in a folder, and what it was trained on where the folder is a run's.

    Of a run it is the best checkpoint, or the last where there is no best one; a file is one of a
    run's checkpoints. Code that the formula names is run only with `allow_code`. Raises UserError
    `bad-network`, `bad-run`, `damaged-checkpoint`, `code-not-allowed`.
    """
    from recform.network import load_network
    from recform.training import RunFolder

    run = RunFolder(run_of(folder))
    find_code(allow_code, run.path / "formula.rf")
    if (folder / "network.json").is_file():
        return load_network(folder, allow_code), None
    if run.config.is_file():
        return _from_run(run.path, folder if folder.is_file() else _best(run), allow_code)
    raise UserError("bad-network", f"{folder} holds neither a network nor a run",
                    "give the folder that `recform build -o` or `recform train` wrote")  # fmt: skip


def _best(run: RunFolder) -> Path:
    if run.best.is_file() or not run.last.is_file():
        return run.best
    talk(f"note: {run.best} is not there; {run.last.name} is taken")
    return run.last


def is_checkpoint(path: Path) -> bool:
    """Whether it is a file in the folder of a run, and so one of its checkpoints."""
    from recform.training import RunFolder

    return path.is_file() and RunFolder(run_of(path)).config.is_file()


def run_of(path: Path) -> Path:
    """The folder of a run, given that or one of its checkpoints."""
    return path.parent.parent if path.is_file() else path


def _from_run(folder: Path, checkpoint: Path, allow_code: bool) -> tuple[FormulaNetwork, TrainedOn]:
    from recform.network import build, note_images
    from recform.training import RunFolder, read_config, read_learned

    config = read_config(RunFolder(folder))
    place = RunFolder(folder)
    if not checkpoint.is_file():
        raise UserError("bad-run", f"{folder} holds no checkpoint", "train it: recform train")
    trained_on, formula, backbone, num_classes, plan = _described(place.config, config, checkpoint)
    learned = read_learned(checkpoint)
    try:
        network = build(formula, backbone, num_classes, image_size=trained_on.image_size,
                        allow_code=allow_code, match_params=config.get("matched") or None,
                        **plan)  # fmt: skip
    except FormulaError:
        raise
    except UserError as error:
        (wrong,) = error.diagnostics
        message = f"the network of {place.config} is not built: {wrong.message}"
        raise UserError(wrong.code, message, wrong.hint) from error
    try:
        network.load_state_dict(learned.weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise UserError("bad-run", f"{checkpoint} does not fit the network of {place.config}: "
                        f"{reason}", "train it anew: recform train")  from error  # fmt: skip
    note_images(network, **_prepared(config))
    return network, replace(trained_on, epoch=learned.epoch, step=learned.step)


def _prepared(config: Mapping[str, Any]) -> dict[str, Any]:
    """How the run prepared its images, in timm's words; older runs keep less."""
    data, recipe = config["data"], config.get("recipe", {})
    side = data.get("image_size")
    found = {
        "mean": data.get("mean"),
        "std": data.get("deviation"),
        "input_size": None if side is None else (3, side, side),
        "crop_pct": recipe.get("test_crop"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _described(
    path: Path, config: Mapping[str, Any], checkpoint: Path
) -> tuple[TrainedOn, str, str, int, dict[str, Any]]:
    """Data, formula, backbone, number of classes of a run, and how it was built beside these."""
    try:
        data = config["data"]
        directory = None if data["directory"] is None else Path(data["directory"])
        trained_on = TrainedOn(data["name"], directory, data["image_size"], data.get("num_test"),
                               checkpoint)  # fmt: skip
        named = config["formula"], config["backbone"], data["num_classes"]
        chosen = config.get("plan", {})
        plan = {key: chosen[key] for key in PLAN if key in chosen}
    except (KeyError, TypeError) as error:
        raise UserError("bad-run", f"{path} does not describe a run",
                        "train it anew: recform train") from error  # fmt: skip
    return trained_on, *named, plan
