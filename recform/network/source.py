"""A network as one readable file of PyTorch, which runs without recform.

The forward pass in straight lines, as the formula was unrolled; the modules under the names that
the network's weights have, so that these load strictly. The modules are torch's where timm only
wraps them, and timm's where timm has written one (attention, say): then the file imports timm.
Before it is handed out, the file is run and compared with the network to the last bit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from itertools import count
from pathlib import Path
from textwrap import indent
from types import ModuleType

import torch
from timm.models._features import FeatureGetterNet
from torch import nn
from torch.fx.proxy import TraceError

from recform.errors import UserError
from recform.network.build import build
from recform.network.create import input_size
from recform.network.exported import Exported, network_of, output_word, tensors
from recform.network.making import recorded
from recform.network.mode import evaluating
from recform.network.source_graph import ForwardPass, forward_pass
from recform.network.source_lines import lines_of
from recform.network.source_tree import PARTS, Tree
from recform.network.source_words import UnwritableError, Words
from recform.network.surface import apply_changes
from recform.writing import write_beside

_CLASS = "Network"
_numbers = count()
_HEAD = '''"""A network by its recursion formula, on {backbone}.

{formula}

Written by recform {version}, and runs without it: needs {needs}. Weights start as torch
starts them; the network's own load strictly:

    network = Network()
    network.load_state_dict(safetensors.torch.load_file("weights.safetensors"))
    {made} = network.eval()(torch.zeros(1, {sizes}))
"""
'''


def source_of(network: Exported, image_size: int | None = None) -> str:
    """The file's text: a class `Network` without arguments, with the network's forward pass.

    Of an extractor of features, its forward gives their list, and weights have the names that they
    have in the network inside. `image_size` is what the network is compared at. Weights are loaded
    from the network's `state_dict()`. Raises UserError `no-export` for a network that was built on
    a model instance, or that has a part for which there are no words.
    """
    whole = network_of(network)
    image = input_size(whole, 3, image_size or whole.architecture.plan.image_size)
    with recorded() as makings, torch.device("meta"):
        twin = _twin(network)
    words = Words(makings)
    try:
        text = _text(twin, forward_pass(twin, image), words, image)
    except (UnwritableError, TraceError) as error:
        raise _refusal(str(error)) from error
    _check_same(text, network, image)
    return text


def write_source(network: Exported, path: str | Path, image_size: int | None = None) -> None:
    """`source_of` into a file, written beside and renamed. Raises UserError `unwritable`."""
    text = source_of(network, image_size)
    write_beside(Path(path), lambda part: part.write_text(text, encoding="utf-8"))


def _twin(exported: Exported) -> Exported:
    """What is exported, built once more without weights."""
    network = network_of(exported)
    spec, plan = network.architecture.spec, network.architecture.plan
    if spec is None:
        raise UserError("no-export", "a network built on a model instance has no source",
                        "name the backbone instead of passing an instance")  # fmt: skip
    twin = build(
        network.architecture.formula,
        spec.name,
        spec.num_classes,
        spec.in_chans,
        # Its code has run already, when the network was built.
        allow_code=True,
        **asdict(plan),
        **dict((*spec.keywords, *spec.matched)),
    )
    apply_changes(twin, network.changes)
    if not isinstance(exported, FeatureGetterNet):
        return twin
    # What it prunes is among the changes.
    return FeatureGetterNet(twin, exported.out_indices, output_fmt=exported.output_fmt,
                            norm=exported.norm, prune=False)  # fmt: skip


def _text(exported: Exported, made: ForwardPass, words: Words,
          image: tuple[int, int, int]) -> str:  # fmt: skip
    network = network_of(exported)
    graphs = [made.body] if made.head is None else [made.body, made.head]
    tree = Tree(network, graphs, words)
    methods = [("__init__", "", ["super().__init__()", *tree.lines()])]
    for method, graph in zip((made.method, "forward_head"), graphs, strict=False):
        argument = ", features" if method == "forward_head" else ", images"
        lines = lines_of(graph, words, tree.path, network.architecture.tape)
        methods.append((method, argument, lines))
    if made.head is not None:
        whole = "return self.forward_head(self.forward_features(images))"
        methods.append(("forward", ", images", [whole]))
    body = [line for method in methods for line in _method(*method)]
    imports = words.import_lines()
    definitions = [
        *words.own.values(),
        *([PARTS] if any("Parts(" in line for line in body) else []),
    ]
    sections = [
        _head(exported, imports, image),
        "from __future__ import annotations\n",
        *imports,
        *(f"\n\n{definition.strip()}" for definition in definitions),
        f"\n\nclass {_CLASS}(nn.Module):",
        *body,
    ]
    return "\n".join(sections).rstrip() + "\n"


def _method(name: str, arguments: str, lines: list[str]) -> Iterator[str]:
    yield f"    def {name}(self{arguments}):"
    yield from (f"        {line}".rstrip() for line in lines)
    yield ""


def _head(exported: Exported, imports: list[str], image: tuple[int, int, int]) -> str:
    """The docstring of the file: what it holds, what it needs, how weights get into it."""
    architecture = network_of(exported).architecture
    assert architecture.spec is not None, "a twin is built by name"
    needs_timm = any("timm" in line for line in imports)
    formula = str(architecture.formula).replace("\\", "\\\\").replace('"', "'")
    return _HEAD.format(
        backbone=architecture.spec.name,
        formula=indent(formula, "    "),
        version=version("recform"),
        needs="torch, and timm for layers that timm has written" if needs_timm else "torch alone",
        made=output_word(exported),
        sizes=", ".join(map(str, image)),
    )


def _check_same(text: str, exported: Exported, image: tuple[int, int, int]) -> None:
    """Run the file and compare it with the network: keys, and outputs to the last bit."""
    state = network_of(exported).state_dict()
    like = next((t for t in state.values() if t.is_floating_point()), torch.zeros(()))
    made = _run(text).to(like.device, like.dtype)
    if list(made.state_dict()) != list(state):
        raise _refusal("its weights would have other names")
    made.load_state_dict(state)
    images = torch.rand(2, *image, device=like.device, dtype=like.dtype)
    with torch.no_grad(), evaluating(exported):
        pairs = zip(tensors(made.eval()(images)), tensors(exported(images)), strict=True)
        same = all(torch.equal(mine, other) for mine, other in pairs)
    if not same:
        raise _refusal("the file would compute other numbers")


def _run(text: str) -> nn.Module:
    """The network of a file that is not there yet; dataclasses want theirs to be a module."""
    file = ModuleType(f"recform_source_{next(_numbers)}")
    sys.modules[file.__name__] = file
    try:
        exec(compile(text, "<source>", "exec"), vars(file))
        return vars(file)[_CLASS]()
    finally:
        del sys.modules[file.__name__]


def _refusal(reason: str) -> UserError:
    return UserError("no-export", f"the network has no source: {reason}",
                     "export it in another form: recform export --format torch")  # fmt: skip
