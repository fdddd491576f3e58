"""A network in the form that other programs take.

    onnx          for onnxruntime and the like, by torch's exporter
    torch         an exported program, .pt2: torch.export.load(FILE).module()
    torchscript   a trace: torch.jit.load(FILE)
    source        readable PyTorch without recform
    timm          a folder that timm.create_model("local-dir:DIR", pretrained=True) loads

All but the last two hold the network in evaluation mode, for images of one size in batches of any
size; the network itself stays in the mode it was in. An extractor of features is exported as a
network is, and hands on a list.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from os.path import isdir, isfile
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from recform.errors import UserError
from recform.network.create import input_size
from recform.network.exported import Exported, features_taken, network_of, output_names, tensors
from recform.network.mode import evaluating
from recform.network.source import write_source
from recform.network.timm_folder import write_timm_folder
from recform.writing import check_writable, write_beside

# An example for the exporters, and another size of batch that what they made is tried on.
_BATCH, _OTHER_BATCH = 2, 3
# How the names of files end; a folder's does not end so.
ENDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"onnx": (".onnx",), "torch": (".pt2",), "torchscript": (".pt", ".pth", ".ts"),
     "source": (".py",), "timm": ()}
)  # fmt: skip
# An ONNX file is one protocol buffer, of 2 GB at most; torch's exporter divides from here on.
ONNX_BYTES = 1536 * 1024 * 1024


def export(network: Exported, path: str | Path, form: str, image_size: int | None = None) -> None:
    """Write a network into a file, or for timm into a folder, in one of the `FORMS`.

    `network` may be timm's extractor of features around one, `feature_extractor(network)`.
    `image_size` is by default that of the backbone, or the one that the network was built for.
    Files are written beside and moved. The weights of an ONNX network of more than 1.5 GB are a
    file of their own, PATH.data. Raises UserError `no-export`, `bad-argument`, `unwritable`.
    """
    check_export(path, form)
    FORMS[form](network, Path(path), image_size)


def check_export(path: str | Path, form: str) -> None:
    """Check a form and a place to write to, before minutes of work.

    Raises UserError `bad-argument`, `unwritable`.
    """
    path = Path(path)
    if form not in FORMS:
        raise UserError("bad-argument", f"there is no format `{form}`",
                        f"choose {', '.join(FORMS)}")  # fmt: skip
    if form == "timm":
        _check_folder(path)
    elif isdir(path):
        raise UserError("unwritable", f"{path} is a folder, and {form} is one file",
                        f"-o {path / f'network{ENDINGS[form][0]}'}")  # fmt: skip
    elif path.suffix not in ENDINGS[form]:
        raise UserError("unwritable", f"the name {path.name} does not end in "
                        f"{' or '.join(ENDINGS[form])}, as {form} does",
                        f"-o {path.with_suffix(ENDINGS[form][0])}")  # fmt: skip
    check_writable(path / "config.json" if form == "timm" else path)


def _check_folder(path: Path) -> None:
    ends_as_file = path.suffix in {ending for endings in ENDINGS.values() for ending in endings}
    if isfile(path) or (ends_as_file and not isdir(path)):
        told = "is a file" if isfile(path) else "is the name of a file"
        raise UserError("unwritable", f"{path} {told}, and timm reads a folder",
                        f"-o {path.with_suffix('')}-timm")  # fmt: skip


def write_onnx(
    network: Exported, path: Path, image_size: int | None, most_bytes: int = ONNX_BYTES
) -> None:
    """An ONNX file; weights of more than `most_bytes` go into `path`.data beside it.

    Raises UserError `no-export`, `unwritable`.
    """
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise UserError("no-export", f"ONNX needs {' and '.join(missing)}, which is not there",
                        "pip install 'recform[export]'")  # fmt: skip
    weights = network.state_dict().values()
    num_bytes = sum(tensor.numel() * tensor.element_size() for tensor in weights)

    def write(part: Path, images: Tensor) -> None:
        torch.onnx.export(
            network,
            (images,),
            part,
            dynamo=True,
            verbose=False,
            external_data=num_bytes > most_bytes,
            input_names=["images"],
            output_names=output_names(network),
            dynamic_shapes=({0: Dim("batch")},),
        )

    _export(network, path, image_size, "ONNX", write)


def _write_program(network: Exported, path: Path, image_size: int | None) -> None:
    def write(part: Path, images: Tensor) -> None:
        program = torch.export.export(network, (images,), dynamic_shapes=({0: Dim("batch")},))
        torch.export.save(program, part)
        _check(network, torch.export.load(part).module(), images)

    _export(network, path, image_size, "an exported program", write)


def _write_script(network: Exported, path: Path, image_size: int | None) -> None:
    # torch wants to be told that a list is always as long.
    is_one = features_taken(network) is None

    def write(part: Path, images: Tensor) -> None:
        made = torch.jit.trace(network, images, check_trace=False, strict=is_one)
        torch.jit.save(made, str(part))
        _check(network, torch.jit.load(str(part)), images)

    _export(network, path, image_size, "TorchScript", write)


def _export(
    network: Exported,
    path: Path,
    image_size: int | None,
    told: str,
    write: Callable[[Path, Tensor], None],
) -> None:
    """Let an exporter write a network in evaluation mode; what it complains of is told."""
    inner = network_of(network)
    side = image_size or inner.architecture.plan.image_size
    like = next((p for p in network.parameters() if p.is_floating_point()), torch.zeros(()))
    images = torch.rand(_BATCH, *input_size(inner, 3, side), device=like.device, dtype=like.dtype)
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


def _check(network: nn.Module, made: Callable[[Tensor], Any], images: Tensor) -> None:
    """What was made must take batches of another size, and agree up to rounding."""
    other = torch.rand(_OTHER_BATCH, *images.shape[1:], device=images.device, dtype=images.dtype)
    for mine, its in zip(tensors(made(other)), tensors(network(other)), strict=True):
        difference = (mine - its).abs().max()
        if not difference < 1e-4:
            raise ValueError(f"it computes other numbers, by {difference:.1e}")


def _write_timm(network: Exported, path: Path, image_size: int | None) -> None:
    write_timm_folder(network, path)


FORMS: Mapping[str, Callable[[Exported, Path, int | None], None]] = MappingProxyType({
    "onnx": write_onnx,
    "torch": _write_program,
    "torchscript": _write_script,
    "source": write_source,
    "timm": _write_timm,
})  # fmt: skip
