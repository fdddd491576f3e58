"""A network in the form that other programs take.

    onnx          for onnxruntime and the like, by torch's exporter
    torch         an exported program, .pt2: torch.export.load(FILE).module()
    torchscript   a trace: torch.jit.load(FILE)
    source        readable PyTorch without recform
    timm          a folder that timm.create_model("local-dir:DIR", pretrained=True) loads

All but the last two hold the network in evaluation mode, for images of one size in batches of any
size; the network itself stays in the mode it was in.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.export import Dim

from recform.errors import UserError
from recform.network.create import input_size
from recform.network.mode import evaluating
from recform.network.source import write_source
from recform.network.surface import FormulaNetwork
from recform.network.timm_folder import write_timm_folder
from recform.network.writing import write_beside

# An example for the exporters, and another size of batch that what they made is tried on.
_BATCH, _OTHER_BATCH = 2, 3
_ENDINGS = {"onnx": "onnx", "torch": "pt2", "torchscript": "pt", "source": "py"}


def export(
    network: FormulaNetwork, path: str | Path, form: str, image_size: int | None = None
) -> None:
    """Write a network into a file, or for timm into a folder, in one of the `FORMS`.

    `image_size` is by default that of the backbone, or the one that the network was built for.
    Files are written beside and renamed. Raises UserError `no-export`, `bad-argument`,
    `unwritable`.
    """
    if form not in FORMS:
        raise UserError("bad-argument", f"there is no format `{form}`",
                        f"choose {', '.join(FORMS)}")  # fmt: skip
    # Told before minutes of work, not after.
    if form != "timm" and Path(path).is_dir():
        raise UserError("unwritable", f"{path} is a folder, and {form} is one file",
                        f"-o {Path(path) / f'network.{_ENDINGS[form]}'}")  # fmt: skip
    if form == "timm" and Path(path).is_file():
        raise UserError("unwritable", f"{path} is a file, and timm reads a folder",
                        f"-o {Path(path).with_suffix('')}-timm")  # fmt: skip
    FORMS[form](network, Path(path), image_size)


def _write_onnx(network: FormulaNetwork, path: Path, image_size: int | None) -> None:
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise UserError("no-export", f"ONNX needs {' and '.join(missing)}, which is not there",
                        "pip install 'recform[export]'")  # fmt: skip

    def write(part: Path, images: Tensor) -> None:
        torch.onnx.export(
            network,
            (images,),
            part,
            dynamo=True,
            verbose=False,
            # One file, as it is renamed.
            external_data=False,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: Dim("batch")},),
        )

    _export(network, path, image_size, "ONNX", write)


def _write_program(network: FormulaNetwork, path: Path, image_size: int | None) -> None:
    def write(part: Path, images: Tensor) -> None:
        program = torch.export.export(network, (images,), dynamic_shapes=({0: Dim("batch")},))
        # By way of memory, for torch asks of a file that its name ends in .pt2.
        buffer = BytesIO()
        torch.export.save(program, buffer)
        part.write_bytes(buffer.getvalue())
        buffer.seek(0)
        _check(network, torch.export.load(buffer).module(), images)

    _export(network, path, image_size, "an exported program", write)


def _write_script(network: FormulaNetwork, path: Path, image_size: int | None) -> None:
    def write(part: Path, images: Tensor) -> None:
        torch.jit.save(torch.jit.trace(network, images, check_trace=False), str(part))
        _check(network, torch.jit.load(str(part)), images)

    _export(network, path, image_size, "TorchScript", write)


def _export(
    network: FormulaNetwork,
    path: Path,
    image_size: int | None,
    told: str,
    write: Callable[[Path, Tensor], None],
) -> None:
    """Let an exporter write a network in evaluation mode; what it complains of is told."""
    side = image_size or network.architecture.plan.image_size
    like = next((p for p in network.parameters() if p.is_floating_point()), torch.zeros(()))
    images = torch.rand(_BATCH, *input_size(network, 3, side), device=like.device, dtype=like.dtype)
    try:
        with evaluating(network), torch.no_grad(), warnings.catch_warnings():
            # They are about the exporters' own insides.
            warnings.simplefilter("ignore")
            write_beside(path, lambda part: write(part, images))
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        hint = "another form may do: recform export --help lists them"
        message = f"the network does not become {told}: {reason}"
        raise UserError("no-export", message, hint) from error


def _check(network: nn.Module, made: Callable[[Tensor], Tensor], images: Tensor) -> None:
    """What was made must take batches of another size, and agree up to rounding."""
    other = torch.rand(_OTHER_BATCH, *images.shape[1:], device=images.device, dtype=images.dtype)
    difference = (made(other) - network(other)).abs().max()
    if not difference < 1e-4:
        raise ValueError(f"it computes other numbers, by {difference:.1e}")


def _write_source(network: FormulaNetwork, path: Path, image_size: int | None) -> None:
    write_source(network, path, image_size)


def _write_timm(network: FormulaNetwork, path: Path, image_size: int | None) -> None:
    write_timm_folder(network, path)


FORMS: Mapping[str, Callable[[FormulaNetwork, Path, int | None], None]] = MappingProxyType({
    "onnx": _write_onnx,
    "torch": _write_program,
    "torchscript": _write_script,
    "source": _write_source,
    "timm": _write_timm,
})  # fmt: skip
