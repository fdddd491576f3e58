"""What is kept: values die at their last use, and a step may keep less still."""

import json
from functools import partial

import pytest
import torch
import typer
from torch import nn

import recform
from recform.cli.train import train
from recform.errors import UserError
from tests.network.measured import peak_bytes, saved_bytes

# One value of 256 x 32 floats.
VALUE = 256 * 32 * 4


def made(formula, depth, **ways):
    torch.manual_seed(0)
    blocks = [
        nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Linear(128, 32)) for _ in range(depth)
    ]
    return recform.compile(formula, blocks, **ways)


@pytest.mark.parametrize(
    ("formula", "values_alive"), [("resnet", 0), ("resnet_s", 1), ("leapfrog", 1), ("dense_sum", 1)]
)
def test_values_die_at_their_last_use(formula, values_alive):
    """Without gradients a deep net needs what a shallow one does, and as much as its history.

    The input is held by who calls. A block holds its hidden value, four times as wide, with and
    without the activation, and its result; beside it a formula holds what is read again.
    """
    images = torch.randn(256, 32)
    with torch.no_grad():
        peaks = [peak_bytes(partial(made(formula, depth), images)) for depth in (4, 32)]
    assert peaks[0] == peaks[1]
    assert peaks[0] <= (4 + 4 + 2 + values_alive) * VALUE


def test_what_is_read_to_the_end_lives_to_the_end():
    """The measurement sees history: here each block reads all older values."""
    images = torch.randn(256, 32)
    formula = "x[l+1] = sum(F[l](x[i]) for i in 0..l)"
    with torch.no_grad():
        peaks = [peak_bytes(partial(made(formula, depth), images)) for depth in (4, 8)]
    assert peaks[1] >= peaks[0] + 4 * VALUE


def test_training_keeps_the_inputs_of_linear_maps_and_activations_alone():
    """Sums of older values save nothing: ResNet-s keeps as much as ResNet."""
    images = torch.randn(256, 32)
    nets = [made(formula, 8) for formula in ("resnet", "resnet_s")]
    kept = [saved_bytes(lambda n=net: n(images), net) for net in nets]
    # In each block: its argument, and the hidden value that the activation and its map share.
    assert kept == [8 * (1 + 4) * VALUE] * 2


def test_recomputation_keeps_states_alone():
    images = torch.randn(256, 32)
    peaks: dict[str, float] = {}
    for name, ways in (("ordinary", {}), ("recomputed", {"recompute": True})):
        nets = [made("resnet", depth, **ways) for depth in (4, 12)]
        found = []
        for net in nets:
            net(images).sum().backward()
            weights = sum(p.nbytes for p in net.parameters())
            found.append(peak_bytes(lambda n=net: n(images).sum().backward()) - weights)
        peaks[name] = (found[1] - found[0]) / 8
    # A layer keeps its state; ordinarily its hidden value with the activation on top, four wide.
    assert peaks["recomputed"] <= 1.1 * VALUE
    assert peaks["ordinary"] >= 3.5 * VALUE


def trained(folder, **options):
    """The losses of a short run by the command's own function."""
    train("leapfrog", epochs=1, limit_train=16, limit_test=8, batch_size=8, device="cpu",
          out=folder, **options)  # fmt: skip
    row = json.loads((folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    return row["train_loss"]


def test_a_run_learns_the_same_in_less_memory(tmp_path):
    """recform train --recompute is exact; --reversible is so up to rounding."""
    ordinary = trained(tmp_path / "ordinary")
    assert trained(tmp_path / "recompute", recompute=True) == ordinary
    reversible = trained(tmp_path / "reversible", reversible=True)
    assert reversible == pytest.approx(ordinary, rel=1e-3)


def test_a_run_of_a_formula_that_is_not_reversible_is_refused_before_anything_is_done(tmp_path):
    with pytest.raises(UserError, match=r"x\[l\] is lost"):
        train("resnet", out=tmp_path / "run", reversible=True)
    assert not (tmp_path / "run").exists()


def test_options_that_do_not_go_together_are_refused(tmp_path):
    with pytest.raises(typer.BadParameter, match="does not go with --compile"):
        train("leapfrog", out=tmp_path / "run", reversible=True, compiled=True)
