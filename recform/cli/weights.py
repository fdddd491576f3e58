"""Networks with weights, as `recform build -o` and `recform train` leave them in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recform.cli.user_code import find_code
from recform.errors import UserError

if TYPE_CHECKING:
    from recform.network import FormulaNetwork

# What a run keeps of the choices that its network was built with; older runs keep nothing.
PLAN = ("project", "unit", "gate_reduction")


@dataclass(frozen=True)
class TrainedOn:
    """The data of a run, as its config.json names it."""

    name: str
    directory: Path | None
    image_size: int | None


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
        best = run.best if run.best.is_file() else run.last
        return _from_run(run.path, folder if folder.is_file() else best, allow_code)
    raise UserError("bad-network", f"{folder} holds neither a network nor a run",
                    "give the folder that `recform build -o` or `recform train` wrote")  # fmt: skip


def run_of(path: Path) -> Path:
    """The folder of a run, given that or one of its checkpoints."""
    return path.parent.parent if path.is_file() else path


def _from_run(folder: Path, checkpoint: Path, allow_code: bool) -> tuple[FormulaNetwork, TrainedOn]:
    from recform.network import build, note_images
    from recform.training import RunFolder, read_run, read_weights

    config = read_run(folder).config
    place = RunFolder(folder)
    if not checkpoint.is_file():
        raise UserError("bad-run", f"{folder} holds no checkpoint", "train it: recform train")
    trained_on, formula, backbone, num_classes, plan = _described(place.config, config)
    weights = read_weights(checkpoint)
    network = build(formula, backbone, num_classes, image_size=trained_on.image_size,
                    allow_code=allow_code, match_params=config.get("matched") or None,
                    **plan)  # fmt: skip
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise UserError("bad-run", f"{checkpoint} does not fit the network of {place.config}: "
                        f"{reason}", "train it anew: recform train")  from error  # fmt: skip
    note_images(network, **_prepared(config))
    return network, trained_on


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
    path: Path, config: Mapping[str, Any]
) -> tuple[TrainedOn, str, str, int, dict[str, Any]]:
    """Data, formula, backbone, number of classes of a run, and how it was built beside these."""
    try:
        data = config["data"]
        directory = None if data["directory"] is None else Path(data["directory"])
        trained_on = TrainedOn(data["name"], directory, data["image_size"])
        named = config["formula"], config["backbone"], data["num_classes"]
        chosen = config.get("plan", {})
        plan = {key: chosen[key] for key in PLAN if key in chosen}
    except (KeyError, TypeError) as error:
        raise UserError("bad-run", f"{path} does not describe a run",
                        "train it anew: recform train") from error  # fmt: skip
    return trained_on, *named, plan
