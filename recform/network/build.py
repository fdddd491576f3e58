"""A formula on a real backbone: take it apart, put it together by the formula.

    timm model --take_apart--> stem, units, head --tape--> the same model, another recursion

`x[l+1] = act(x[l] + F(x[l]))` gives the backbone back, bit for bit and key for key.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from recform.errors import UserError
from recform.formula import Formula, equation_to_text, resolve, uses_act, with_act
from recform.network.architecture import Architecture
from recform.network.assemble import (
    BackboneParts,
    assemble,
    forward_from,
    remove_unread,
    spare_blocks,
)
from recform.network.backbone import Backbone, take_apart
from recform.network.create import BackboneSpec, create, input_size
from recform.network.features import block_ends, features_of, final_norm
from recform.network.functions import Gate
from recform.network.match import with_matched_widths
from recform.network.memory import check_reversible
from recform.network.options import Options, check_options
from recform.network.plan import Plan
from recform.network.resolution import take_apart_at
from recform.network.stages import stages_in
from recform.network.starting import start_from
from recform.network.steps import steps_of
from recform.network.surface import FormulaNetwork, along, apply_changes
from recform.tape import Call, Stages, Tape, place, unroll


def build(
    formula: Formula | str,
    backbone: str | nn.Module = "resnet50",
    num_classes: int | None = None,
    in_chans: int = 3,
    pretrained: bool = False,
    act: str | None = None,
    image_size: int | None = None,
    project: str | None = None,
    unit: str = "sum",
    gate_reduction: int = 8,
    allow_code: bool = False,
    recompute: bool = False,
    reversible: bool = False,
    match_params: str | int | Mapping[str, Any] | None = None,
    weights: str | Path | None = None,
    **keywords: Any,
) -> FormulaNetwork:
    """The network of a formula on a backbone.

    `backbone` is a timm model, one of recform's CIFAR nets, or any model with a chain of residual
    units, which is then changed. `num_classes` defaults to the backbone's own. `act` puts `act`
    into a formula that has none: around x[l] + F(x[l]) ("sum") or the right side ("end").

    `image_size` matters where the forward pass depends on it. `project` is what older values pass
    a stage border by: "conv", "pad" or "pool-conv". `unit` is "sum", where attention and MLP are
    units of their own, or "block", where a module with several sums is one unit: F(x) is then the
    sum of its branches, and the backbone comes back up to rounding. `gate_reduction` is what a gate
    divides the channels by, between its two maps: 8 in SkipResNet, 2 in its ResNet-110. Blocks from
    Python are made only with `allow_code`. `recompute` and `reversible` train in less memory:
    `set_grad_checkpointing`, `set_reversible`. `match_params` makes the backbone narrower or wider,
    until the network has the plain backbone's parameters ("backbone") or a number of them, as
    nearly as its widths allow. `weights` is a file of the plain backbone's weights to start from.
    Further keywords go to timm.

    The network is of the backbone's class, with its parameter names. Raises UserError with
    `unknown-backbone`, `no-units`, `no-weights`, `absent-output`, `no-projection`, and others.

    >>> net = build("resnet_s_net", backbone="resnet20_cifar", num_classes=10)
    >>> net(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """
    formula = resolve(formula)
    options = Options(Plan(image_size, project, unit, gate_reduction), allow_code, pretrained,
                      weights, match_params, recompute, reversible)  # fmt: skip
    if reversible:
        check_reversible(formula)
    check_options(options, backbone, num_classes, in_chans)
    if act is not None:
        formula = with_act(formula, act)
    if isinstance(backbone, str):
        spec = BackboneSpec(backbone, num_classes, in_chans, tuple(sorted(keywords.items())))
        make = partial(_on_backbone, formula, options)
        network = _noted(*with_matched_widths(spec, match_params, make))
    else:
        whole = take_apart(backbone, input_size(backbone, in_chans, image_size), unit)
        network = _put_together(formula, whole, None, options)
    return _in_less_memory(network, options)


def _in_less_memory(network: FormulaNetwork, options: Options) -> FormulaNetwork:
    if options.recompute:
        network.set_grad_checkpointing()
    if options.reversible:
        network.set_reversible()
    return network


def _on_backbone(formula: Formula, options: Options, spec: BackboneSpec) -> FormulaNetwork:
    """The network of a formula on a backbone that is made anew."""
    model = create(spec, options.pretrained)
    weights = options.weights
    new = () if weights is None else start_from(model, Path(weights), spec.name)
    whole = take_apart_at(model, spec, options.plan.image_size, options.plan.unit)
    network = _put_together(formula, whole, spec, options)
    said = f"the file's classifier is for other classes: {', '.join(new)} start afresh"
    return _noted(network, said if new else "")


def _noted(network: FormulaNetwork, note: str) -> FormulaNetwork:
    """A network with one more note, if there is something to note."""
    if note:
        architecture = replace(network.architecture, notes=(*network.architecture.notes, note))
        network.architecture = architecture  # type: ignore[assignment]
    return network


def _put_together(
    formula: Formula, backbone: Backbone, spec: BackboneSpec | None, options: Options
) -> FormulaNetwork:
    """The backbone's model with the forward pass of a formula: it becomes a network by it."""
    tape = _unrolled(formula, backbone)
    placed = place(tape)
    spares = _spares(backbone, spare_blocks(placed, formula.definitions), spec)
    parts = BackboneParts(backbone, spares, formula.definitions, options.plan,
                          options.allow_code)  # fmt: skip
    # Read off before anything is added to the model, or taken out of it.
    coverage = backbone.coverage
    graph = assemble(backbone, placed, parts)
    features = features_of(backbone, parts, placed)
    norm = final_norm(backbone)
    removed = remove_unread(backbone, graph)
    forward, code = forward_from(graph, backbone)
    architecture = Architecture(
        formula=formula,
        spec=spec,
        tape=placed,
        graph=graph,
        code=code,
        borders=backbone.borders,
        projections=tuple(parts.projections),
        removed=removed,
        plain_borders=tape.plain_borders,
        notes=tuple(_notes(formula, backbone, tape)),
        plan=options.plan,
        coverage=coverage,
        stages=stages_in(backbone),
        features=tuple(feature for feature, _ in features),
        norm=norm,
    )
    kept = [node for _, nodes in features for node in nodes]
    make_steps = partial(steps_of, graph, block_ends(backbone, placed, graph), kept)
    surface = {
        backbone.method: along(forward),
        "make_steps": staticmethod(make_steps),
        "needs_batches": _needs_batches(parts.added),
    }
    return _by_formula(backbone.model, surface, architecture)


def _unrolled(formula: Formula, backbone: Backbone) -> Tape:
    tape = unroll(formula, backbone.depth, Stages.between(backbone.borders, backbone.depth))
    if tape.output is None:
        raise UserError("absent-output", f"the output is absent at depth {tape.depth}",
                        "give its states a start")  # fmt: skip
    return tape


def _by_formula(
    model: nn.Module, surface: Mapping[str, Any], architecture: Architecture
) -> FormulaNetwork:
    """The model itself, which becomes of a class of its own: its own class along a formula."""
    own = {**surface, "__reduce__": _reduce, "__module__": __name__}
    kind = type(model)
    model.__class__ = type(f"{kind.__name__}ByFormula", (FormulaNetwork, kind), own)
    model.feature_info = [dict(f.info) for f in architecture.features]  # type: ignore[assignment]
    model.architecture = architecture  # type: ignore[assignment]
    return model  # type: ignore[return-value]


def _needs_batches(added: nn.Module) -> bool:
    """Whether a gate normalises one number a channel of each image."""
    gates = (module for module in added.modules() if isinstance(module, Gate))
    return any(isinstance(gate.norm, _BatchNorm) for gate in gates)


def _spares(
    backbone: Backbone, blocks: tuple[str, ...], spec: BackboneSpec | None
) -> dict[str, nn.Module]:
    """For each further block a fresh copy of the backbone, to take its branches from."""
    if blocks and spec is None:
        raise UserError("no-units", f"block {', '.join(blocks)} needs a fresh copy of the backbone",
                        "name the backbone instead of passing an instance")  # fmt: skip
    return {block: create(spec, pretrained=False) for block in blocks}  # type: ignore[arg-type]


def _notes(formula: Formula, backbone: Backbone, tape: Tape) -> list[str]:
    notes = []
    if backbone.has_act and not uses_act(formula):
        notes.append("the backbone applies an activation after its additions, and this formula "
                     f"none; with it: {_with_act_text(formula)}")  # fmt: skip
    if tape.plain_borders:
        units = ", ".join(backbone.units[border].path for border in tape.plain_borders)
        notes.append(f"the formula cannot cross the stage border in {units}: the backbone's own "
                     "formula runs there")  # fmt: skip
    again = _called_again(tape)
    if any(_has_batch_norm(backbone, index) for index in again):
        notes.append(f"{len(again)} blocks run on several values a step, and their batch norms "
                     "keep one running mean for all of them, which fits none: judge with the "
                     "statistics of the batch (recform evaluate --batch-statistics), or take a "
                     "backbone without batch norms")  # fmt: skip
    return notes


def _called_again(tape: Tape) -> list[int]:
    """The blocks F that the tape applies to more than one value."""
    calls = Counter(op.index for op in tape.operations if isinstance(op, Call) and op.block == "F")
    return [index for index, count in calls.items() if count > 1]


def _has_batch_norm(backbone: Backbone, index: int) -> bool:
    """Whether a statistic that is kept stands in the branch of a unit."""
    unit = backbone.units[index]
    branches = (node for part in (unit, *unit.more) for node in part.branch)
    modules = (backbone.model.get_submodule(str(node.target))
               for node in branches if node.op == "call_module")  # fmt: skip
    return any(isinstance(inner, _BatchNorm) for module in modules for inner in module.modules())


def _with_act_text(formula: Formula) -> str:
    for where in ("sum", "end"):
        try:
            rewritten = with_act(formula, where)
        except UserError:
            continue
        changed = [new for old, new in zip(formula.equations, rewritten.equations, strict=True)
                   if old != new]  # fmt: skip
        return f"{equation_to_text(changed[0])} (--act {where})"
    return "write act(...) where it belongs"


def _reduce(network: FormulaNetwork) -> tuple[Any, ...]:
    """Pickled as formula, backbone and weights: generated code does not travel."""
    spec = network.architecture.spec
    if spec is None:
        raise pickle.PicklingError(
            "a network built on a model instance cannot be pickled: build it by name"
        )
    formula, plan = str(network.architecture.formula), network.architecture.plan
    state, training = network.state_dict(), network.training
    return _rebuild, (formula, spec, plan, network.changes, state, training)


def _rebuild(
    text: str,
    spec: BackboneSpec,
    plan: Plan,
    changes: Sequence[tuple[str, dict[str, Any]]],
    state: dict[str, torch.Tensor],
    training: bool,
) -> FormulaNetwork:
    network = _on_backbone(resolve(text), Options(plan), spec)
    apply_changes(network, changes)
    floating = next((tensor for tensor in state.values() if tensor.is_floating_point()), None)
    if floating is not None:
        network.to(floating.device, floating.dtype)
    network.load_state_dict(state)
    return network.train(training)
