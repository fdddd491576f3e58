"""Every formula of the gallery: read, printed, shown, analyzed, compiled, trained one step.

The tests run over the folder: a new file is tested by being there. Networks have small blocks, a
convolution and tanh of as many channels as what they read; gradients are in float64, so that zero
is told from small.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from matplotlib.mathtext import MathTextParser
from torch import Tensor, fx, nn

from recform import compile
from recform.formula import Formula, gallery_names, parse, resolve, to_latex, to_mathml
from recform.paths import analyze
from recform.paths.report import to_json
from recform.tape import Call, unroll

FOLDER = Path(__file__).parents[2] / "examples" / "gallery"
NAMES = gallery_names()
DEPTH = 6
CHANNELS = 8
# Parameters without a gradient, and why; patterns of names.
UNTRAINED = {
    # a softmax over one source is 1, whatever its logits
    "elc_bert": r"formula\.a\.0",
    "skip_resnet_static": r"formula\.gate_static\.0\.logits",
    "skip_resnet_dynamic": r"formula\.gate_dynamic\.0\..*",
    # rows of sum 1 make no difference to streams that all start the same
    "mhc": r"formula\.A\.\d+",
    # x[-1] is x[0], and the velocity is 0 at first
    "lm_resnet": r"formula\.k\.0",
    "second_order": r"formula\.a\.0",
}
SLOWEST_SECONDS = 0.005
# A citation: whose it is and when, and where to find it.
YEAR = r"[A-Z][\w ,.()-]* (19|20)\d\d\b"
PLACE = r"arXiv \d{4}\.\d{4,5}\b|github\.com/\w+/[\w-]+"
MATHML_CORE = {"math", "mtable", "mtr", "mtd", "mrow", "mi", "mn", "mo", "mtext", "msub", "msup",
               "mfrac", "msqrt", "munder", "munderover"}  # fmt: skip
NUM_CHILDREN = {"msub": 2, "msup": 2, "mfrac": 2, "munder": 2, "munderover": 3}


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.rf").read_text(encoding="utf-8")


def test_the_gallery_is_the_folder():
    assert list(NAMES) == sorted(path.stem for path in FOLDER.glob("*.rf"))
    assert len(NAMES) >= 50
    page = (FOLDER.parents[1] / "docs" / "language.md").read_text(encoding="utf-8")
    assert f"holds {len(NAMES)} formulas" in page


@pytest.mark.parametrize("name", NAMES)
def test_a_file_begins_with_title_source_and_a_sentence(name: str):
    title, source, *notes = resolve(name).comments
    assert len(title) <= 100
    assert re.search(YEAR, source)
    assert re.search(PLACE, source)
    assert notes
    assert notes[-1].endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_printing_is_read_back(name: str):
    formula = resolve(name)
    assert parse(str(formula)) == formula
    assert str(parse(str(formula))) == str(formula)


@pytest.mark.parametrize("name", NAMES)
def test_brackets_in_latex_are_balanced(name: str):
    latex = to_latex(resolve(name))
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left(") == latex.count(r"\right)")


@pytest.mark.parametrize("name", NAMES)
def test_latex_is_set_by_matplotlib(name: str):
    """Row by row: mathtext knows no `aligned` and no `cases`, and spells three signs otherwise."""
    parser = MathTextParser("path")
    for row in to_latex(resolve(name)).splitlines()[1:-1]:
        row = row.removesuffix(r" \\").replace("&", "").replace(r"\tfrac", r"\frac")
        row = row.replace(r"\bmod", r"\operatorname{mod}").replace(r"\big|", "|")
        if r"\begin{cases}" not in row:
            assert parser.parse(f"${row}$").width > 0


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex here")
def test_the_gallery_is_set_by_latex(tmp_path: Path):
    formulas = "\n".join(rf"\[{to_latex(resolve(name))}\]" for name in NAMES)
    head = r"\documentclass{article}\usepackage{amsmath,amssymb}\begin{document}"
    (tmp_path / "all.tex").write_text(f"{head}\n{formulas}\n\\end{{document}}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("name", NAMES)
def test_mathml_is_well_formed_and_of_the_core(name: str):
    root = ElementTree.fromstring(to_mathml(resolve(name)))
    assert {element.tag.partition("}")[2] for element in root.iter()} <= MATHML_CORE
    for element in root.iter():
        count = NUM_CHILDREN.get(element.tag.partition("}")[2])
        assert count is None or len(element) == count


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_has_paths_and_an_answer_in_json(name: str):
    analysis = analyze(resolve(name), DEPTH)
    assert analysis.net is not None
    assert any(analysis.distinct or ())
    assert parse(to_json(analysis)["formula"]) == replace(resolve(name), title="")
    assert to_json(analysis)["title"] == resolve(name).title


@pytest.mark.parametrize("name", NAMES)
def test_a_step_of_training_finds_finite_gradients(name: str):
    network, image = _network(resolve(name))
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)
    _loss(network, image).backward()
    optimizer.step()
    for key, parameter in network.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), key
    assert _loss(network, image).isfinite()


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_gradient_once_nothing_is_zero(name: str):
    network, image = _network(resolve(name))
    for parameter in network.parameters():
        if parameter.ndim <= 2 and not parameter.any():
            nn.init.constant_(parameter, 0.1)
    _loss(network, image).backward()
    untrained = [
        key
        for key, parameter in network.named_parameters()
        if parameter.grad is None or parameter.grad.abs().max() < 1e-12
    ]
    allowed = UNTRAINED.get(name, "none")
    assert [key for key in untrained if not re.fullmatch(allowed, key)] == []


@pytest.mark.slow
def test_a_file_is_read_in_5_milliseconds():
    texts = [text_of(name) for name in NAMES]
    parse(texts[0])
    seconds = []
    for text in texts:
        started = time.process_time()
        parse(text)
        seconds.append(time.process_time() - started)
    assert sorted(seconds)[len(seconds) // 2] < SLOWEST_SECONDS


# --- a small network ------------------------------------------------------------------------------


def _network(formula: Formula) -> tuple[fx.GraphModule, Tensor]:
    """The network of a formula on small images, and an image that it was run on once."""
    image = torch.randn(4, CHANNELS, 5, 5)
    # Split channels are added to what blocks make of them.
    channels = CHANNELS // len(formula.inputs) if formula.is_split else CHANNELS
    blocks = {
        block: [_block(channels) for _ in indices] for block, indices in _indices(formula).items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", "Lazy modules")
        network = compile(
            formula,
            blocks,
            depth=DEPTH,
            act=nn.functional.gelu,
            norm=lambda: nn.LazyBatchNorm2d(),
            functions={"drop": lambda state: state},
            example=image,
        )
        network(image)
    return network, image


def _indices(formula: Formula) -> dict[str, set[int]]:
    defined = {definition.block for definition in formula.definitions}
    indices: dict[str, set[int]] = {}
    for operation in unroll(formula, DEPTH).operations:
        if isinstance(operation, Call) and operation.block not in defined:
            indices.setdefault(operation.block, set()).add(operation.index)
    return indices


def _block(channels: int) -> nn.Module:
    return nn.Sequential(nn.LazyConv2d(channels, 3, padding=1), nn.Tanh())


def _loss(network: nn.Module, image: Tensor) -> Tensor:
    """A random direction: what a norm leaves of a mean square would be constant."""
    output = network(image)
    direction = torch.randn(output.shape, generator=torch.Generator().manual_seed(1))
    return (output * direction).sum()
