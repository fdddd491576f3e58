"""Values of another width, shared blocks, older values over borders: in each layout."""

from pathlib import Path

import pytest
import torch

import recform
from recform.errors import UserError
from tests.network.small import PIT, formula, side_of, small

# Channels first; class tokens, which cross borders; channels last.
LAYOUTS = ["resnet", "pit", "swin"]


def images_for(family: str) -> torch.Tensor:
    side = side_of(family)
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))


def unread(network: torch.nn.Module, images: torch.Tensor) -> list[str]:
    """The parameters that no gradient reaches."""
    network(images).square().mean().backward()
    return [name for name, parameter in network.named_parameters() if parameter.grad is None]


@pytest.mark.parametrize("family", LAYOUTS)
def test_a_block_reads_a_concatenation_through_a_1x1_convolution(family):
    network = small(family, "x[l+1] = x[l] + F(cat(x[l], x[l-1]))\ninit x[-1] = x[0]")
    fit = network.get_submodule("formula.fit.0")
    kernels = [p for p in fit.parameters() if p.ndim == 4]
    width = network.get_submodule("formula.fit.0").get_parameter(
        next(name for name, p in fit.named_parameters() if p.ndim == 4)
    )
    assert len(kernels) == 1
    assert width.shape[1] == 2 * width.shape[0]
    assert width.shape[2:] == (1, 1)
    assert "formula.fit.0" in network.architecture.projections
    assert unread(network, images_for(family)) == []


def test_the_1x1_convolution_stands_before_the_block_by_hand():
    network = recform.build("history stage\nx[l+1] = F(cat(x[l], x[l-1]))\ninit x[-1] = x[0]",
                            "resnet20_cifar").eval()  # fmt: skip
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        x = network.act1(network.bn1(network.conv1(images)))
        unit = network.layer1[0]
        given = network.formula.fit.get_submodule("0")(torch.cat([x, x], 1))
        expected = unit.bn2(unit.conv2(unit.act1(unit.bn1(unit.conv1(given)))))
        seen = []
        hook = network.layer1[0].bn2.register_forward_hook(lambda *call: seen.append(call[2]))
        network(images)
        hook.remove()
    assert torch.equal(seen[0], expected)


def test_one_convolution_serves_all_who_read_a_value_there():
    text = "block G\nx[l+1] = F(cat(x[l], x[0])) + G(cat(x[l], x[0]))"
    network = recform.build(text, "resnet20_cifar")
    names = [name for name in network.architecture.projections if name.startswith("formula.fit.0")]
    assert names == ["formula.fit.0"]


def test_the_head_reads_its_own_width():
    plain = small("resnet", "x[l+1] = F(x[l])")
    wide = small("resnet", "x[l+1] = F(x[l])\noutput cat(x[L], x[L])")
    assert wide.get_submodule("fc").in_features == plain.get_submodule("fc").in_features
    assert wide(images_for("resnet")).shape == (2, 7)


def test_a_norm_of_a_concatenation_is_as_wide_as_it_is():
    network = recform.build("x[l+1] = F(norm(cat(x[l], x[l])))", "resnet20_cifar")
    assert network.get_submodule("formula.norm.0").num_features == 32
    assert unread(network, images_for("resnet")) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x[l+1] = x[l] + cat(F(x[l]), x[l])", r"`\+` is given values of 16 and 32 channels"),
        ("revnet_split", "reads 16 channels where the formula has 8"),
    ],
)
def test_widths_that_do_not_fit_are_refused_before_anything_runs(text, words):
    with pytest.raises(UserError, match=words) as refusal:
        recform.build(formula(text), "resnet20_cifar")
    assert refusal.value.code == "no-projection"


def test_streams_that_are_split_are_told_the_formula_that_fits_a_backbone():
    with pytest.raises(UserError) as refusal:
        recform.build("revnet_split", "resnet20_cifar")
    (told,) = refusal.value.diagnostics
    assert told.message == (
        "the backbone reads 16 channels where the formula has 8: its blocks are as wide as the "
        "stem, and a stream of split(input) is not"
    )
    assert told.hint == (
        "let each stream begin as the stem's whole output: input x, y, as in the example revnet"
    )
    split = Path(formula("revnet_split")).read_text()
    whole = split.replace(" = split(input)", "").replace("cat(x[L], y[L])", "x[L] + y[L]")
    assert whole != split
    images = images_for("resnet")
    assert recform.build(whole, "resnet20_cifar")(images).shape[0] == images.shape[0]


@pytest.mark.parametrize("family", LAYOUTS)
@pytest.mark.parametrize("text", [
    "x[l+1] = x[l] + F(x[l]) - F(x[l-1])",
    "x[l+1] = 1/2*x[l] + 1/2*x[l-2] + F(x[l-1])",
    "history stage\nx[l+1] = x[l] + F(x[l]) - F(x[l-1])",
    "history stage\nx[l+1] = F(cat(x[s], x[l]))",
], ids=["older F", "older states", "history stage", "cat in a stage"])  # fmt: skip
def test_a_formula_reaches_every_parameter_in_each_layout(family, text):
    assert unread(small(family, text), images_for(family)) == []


@pytest.mark.parametrize(
    ("family", "text"),
    [
        ("resnet", "x[l+1] = x[l] + (F[s](x[l]) if l == s else F[s+1](x[l]))"),
        ("vit", "x[l+1] = x[l] + F[0](x[l])"),
        ("swin", "x[l+1] = x[l] + (F[0](x[l]) if l < 2 else F(x[l]))"),
    ],
)
def test_a_shared_block_is_built_once_and_reaches_every_parameter(family, text):
    network = small(family, f"history stage\n{text}")
    assert network.architecture.removed
    assert unread(network, images_for(family)) == []


def test_a_block_that_no_later_stage_can_read_is_refused():
    with pytest.raises(UserError, match=r"which the formula skips|of stage border") as refusal:
        small("pit", "x[l+1] = x[l] + F[0](x[l])")
    assert refusal.value.code in ("no-units", "no-projection")


def test_history_stage_needs_no_projection():
    network = small("pit", "history stage\nx[l+1] = x[l] + F(x[l]) - F(x[l-1])")
    assert network.architecture.projections == ()


def test_class_tokens_of_an_older_state_are_carried_over_a_border():
    network = small("pit", "x[l+1] = F(x[l]) + x[l-1]", project="pad").eval()
    side, border = PIT[2], network.architecture.borders[0]
    name = next(n for n in network.architecture.projections if n.endswith(f"_at_{border}"))
    seen = []
    network.get_submodule(name).register_forward_hook(lambda *call: seen.append(call[1:]))
    network(torch.randn(2, 3, side, side))
    (before_BNC,), after_BNC = seen[0]
    channels = before_BNC.shape[2]
    assert torch.equal(after_BNC[:, 0, :channels], before_BNC[:, 0])
    assert after_BNC.shape[1] - 1 < before_BNC.shape[1] - 1
