"""The network that training begins with: a formula on a backbone, and whose weights it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recform.cli.output import tell
from recform.cli.weights import is_checkpoint, load_weights
from recform.errors import UserError

if TYPE_CHECKING:
    from recform.formula import Formula
    from recform.network import FormulaNetwork
    from recform.training import DataSet

# How files of weights are named.
WEIGHTS = (".pt", ".pth", ".safetensors", ".bin", ".ckpt")


@dataclass(frozen=True)
class Beginning:
    """The weights that a network begins with: a run's, a file's, or timm's of a name; or new."""

    run: Path | None = None
    file: Path | None = None
    published: str | None = None


def beginning_asked(text: str | None) -> Beginning:
    """What --init-from names: a run (or one of its checkpoints), a file of weights, a backbone.

    Raises UserError `bad-argument`, `no-such-file`.
    """
    if text is None:
        return Beginning()
    if not text:
        raise UserError("bad-argument", "--init-from names nothing", "--init-from runs/mine")
    path = Path(text)
    if path.is_dir() or is_checkpoint(path):
        return Beginning(run=path)
    if path.is_file():
        return Beginning(file=path)
    if path.suffix in WEIGHTS:
        raise UserError("no-such-file", f"there is no file {path}", "check the path")
    return Beginning(published=text)


def network_to_train(
    formula: Formula,
    backbone: str,
    images: DataSet,
    seed: int,
    drop_path: float,
    begin: Beginning,
    choices: Mapping[str, Any],
) -> FormulaNetwork:
    """The network that is trained; `choices` are further arguments of `build`."""
    from recform.network import build
    from recform.training import seed_everything

    seed_everything(seed)
    dropping: dict[str, Any] = {"drop_path_rate": drop_path} if drop_path > 0 else {}
    network = build(
        formula,
        begin.published or backbone,
        images.num_classes,
        image_size=images.image_size,
        pretrained=begin.published is not None,
        weights=begin.file,
        **choices,
        **dropping,
    )
    assert network.architecture.spec is not None, "the command line names the backbone"
    if network.architecture.spec.matched:
        widths = ", ".join(f"{name}={value}" for name, value in network.architecture.spec.matched)
        tell(f"note: the backbone has {widths}, for {choices['match_params']} parameters")
    for note in network.architecture.notes:
        tell(f"note: {note}")
    if begin.run is not None:
        _begin_with(network, begin.run, choices["allow_code"])
    return network


def _begin_with(network: FormulaNetwork, folder: Path, allow_code: bool) -> None:
    from recform.training import take_over

    learned, _ = load_weights(folder, allow_code)
    new = take_over(network, learned.state_dict())
    if new:
        tell(f"not in {folder}, and so new: {', '.join(new[:6])}"
              f"{f' and {len(new) - 6} more' if len(new) > 6 else ''}")  # fmt: skip
