"""A network on disk: formula, backbone and weights, in a folder of three files.

formula.rf           the formula, as text
network.json         the backbone and what it was created with
weights.safetensors  parameters and buffers, under timm's names
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from recform.errors import UserError
from recform.formula import load
from recform.network.build import build
from recform.network.plan import Plan
from recform.network.surface import FormulaNetwork, apply_changes
from recform.writing import write_beside


def save_network(network: FormulaNetwork, folder: str | Path) -> None:
    """Write a network that was built by name into a folder, which is made if it is not there.

    Files are written beside and moved. Raises UserError `unwritable`, or `bad-argument` for a
    network that was built on a model instance.
    """
    architecture, folder = network.architecture, Path(folder)
    if architecture.spec is None:
        raise UserError("bad-argument", "a network built on a model instance cannot be saved",
                        "name the backbone instead of passing an instance")  # fmt: skip
    spec = architecture.spec
    description = {
        "backbone": spec.name,
        "num_classes": getattr(network, "num_classes", spec.num_classes),
        "in_chans": spec.in_chans,
        "keywords": dict(spec.keywords),
        "matched": dict(spec.matched),
        "changes": network.reshapings(),
        **asdict(architecture.plan),
        "recform": version("recform"),
    }
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    try:
        text = json.dumps(description, indent=2) + "\n"
    except TypeError as error:
        raise UserError("bad-argument", f"the backbone's keywords cannot be written: {error}",
                        "use numbers, strings and lists") from error  # fmt: skip
    write_beside(folder / "weights.safetensors", lambda part: save_file(weights, part))
    for name, content in (("formula.rf", f"{architecture.formula}\n"), ("network.json", text)):
        write_beside(folder / name, partial(Path.write_text, data=content, encoding="utf-8"))


def load_network(folder: str | Path, allow_code: bool = False) -> FormulaNetwork:
    """The network that `save_network` or `recform build -o` wrote.

    Blocks from Python are made only with `allow_code`. Raises UserError `bad-network` with the file
    that is missing or damaged, `code-not-allowed`.
    """
    path = Path(folder) / "network.json"
    told = _described(path)
    network = build(load(path.with_name("formula.rf")), told.backbone, told.num_classes,
                    told.in_chans, allow_code=allow_code, match_params=told.matched or None,
                    **told.plan, **told.keywords)  # fmt: skip
    try:
        apply_changes(network, told.changes)
    except (UserError, TypeError, ValueError) as error:
        raise _bad(path, f"does not describe a network: {error}") from error
    _load_weights(network, path.with_name("weights.safetensors"))
    return network


@dataclass(frozen=True)
class _Described:
    """What network.json says, beside the version that wrote it."""

    backbone: str
    num_classes: int
    in_chans: int
    keywords: Mapping[str, Any]
    matched: Mapping[str, Any] | None
    plan: Mapping[str, Any]
    changes: Sequence[tuple[str, dict[str, Any]]]


def _described(path: Path) -> _Described:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        found = _Described(
            said["backbone"],
            said["num_classes"],
            said["in_chans"],
            said["keywords"],
            said.get("matched"),
            # What networks of version 0.1 did not choose has its default.
            {key: said[key] for key in asdict(Plan()) if key in said},
            [(method, dict(given)) for method, given in said.get("changes", ())],
        )
        if not isinstance(found.backbone, str) or not isinstance(found.keywords, dict):
            raise TypeError("a name and keywords are expected")
    except OSError as error:
        raise _bad(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _bad(path, "does not describe a network") from error
    return found


def _load_weights(network: FormulaNetwork, path: Path) -> None:
    try:
        network.load_state_dict(load_file(path))
    except OSError as error:
        raise _bad(path, f"cannot be read: {error.strerror or error}") from error
    except (SafetensorError, RuntimeError) as error:
        raise _bad(path, f"does not fit: {str(error).splitlines()[0]}") from error


def _bad(path: Path, why: str) -> UserError:
    return UserError("bad-network", f"{path} {why}", "make the folder anew: recform build ... -o")
