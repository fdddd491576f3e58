"""Functions, coefficients and blocks of the library as networks: by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from recform import build, compile
from recform.errors import UserError
from recform.network.functions import Attend, Drop, Gate, Gru, Layout
from recform.network.learned import sinkhorn

IMAGE = Layout(channels=16, axis=1, num_axes=4)


def image(channels: int = 16) -> torch.Tensor:
    return torch.randn(2, channels, 3, 3, generator=torch.Generator().manual_seed(0))


def identities(count: int) -> list[nn.Module]:
    return [nn.Identity() for _ in range(count)]


def test_a_gate_weighs_older_values_by_a_softmax():
    gate = Gate(2, IMAGE).eval()
    nn.init.zeros_(gate.expand.weight)
    nn.init.zeros_(gate.expand.bias)
    y, first, second = image(), image() + 1, image() - 1
    assert torch.allclose(gate(y, first, second), y / 2 + (first + second) / 2)


def test_a_dynamic_gate_leaves_the_new_value_as_it_is():
    gate = Gate(1, IMAGE, weighs_first=False).eval()
    assert torch.allclose(gate(image(), image()), 2 * image())


def test_a_gate_has_as_many_weights_as_skipresnets():
    # (1 + n)*C*m + 2m + m*(1 + n)*C + (1 + n)*C, m = ceil8(max(C // 8, 1)) = 8
    num_weights = sum(parameter.numel() for parameter in Gate(2, IMAGE).parameters())
    assert num_weights == 3 * 16 * 8 + 2 * 8 + 8 * 3 * 16 + 3 * 16


def test_attention_over_depth_starts_as_the_mean():
    attend = Attend(IMAGE)
    assert torch.allclose(attend(image(), image() + 2), image() + 1, atol=1e-6)


def test_a_gated_unit_lets_the_state_pass_at_first():
    state, incoming = image(), torch.zeros_like(image())
    gru = Gru(IMAGE)
    for parameter in gru.parameters():
        nn.init.zeros_(parameter)
    share = 1 - torch.sigmoid(torch.tensor(-2.0))
    assert torch.allclose(gru(state, incoming), share * state)


def test_drop_keeps_the_mean_and_drops_whole_samples():
    torch.manual_seed(0)
    kept = Drop(0.25)(torch.ones(4000, 3))
    assert kept.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert (kept == kept[:, :1]).all()
    assert kept.mean().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(Drop(0.25).eval()(image()), image())


def test_sinkhorn_makes_rows_and_columns_of_sum_one():
    matrix = sinkhorn(torch.randn(4, 4, generator=torch.Generator().manual_seed(0)))
    assert torch.allclose(matrix.sum(0), torch.ones(4), atol=1e-4)
    assert torch.allclose(matrix.sum(1), torch.ones(4), atol=1e-4)
    assert (matrix > 0).all()


def test_coefficients_start_as_declared():
    network = compile(
        "param a[l] = (l+1)/4 in sigmoid\nparam w[l, i] = i + 1 in softmax(i)\n"
        "x[l+1] = a[l]*F(x[l]) + sum(w[l, i]*x[i] for i in 0..l)",
        identities(2),
    )
    a = [torch.sigmoid(network.get_parameter(f"formula.a.{k}")).item() for k in range(2)]
    assert a == pytest.approx([1 / 4, 1 / 2])
    assert network.get_parameter("formula.w.1").softmax(0).tolist() == pytest.approx([1 / 3, 2 / 3])


def test_a_coefficient_over_channels_has_their_number():
    network = compile("param g[l, channel] = 1/2\nx[l+1] = x[l] + g[l]*F(x[l])", identities(1),
                      example=image())  # fmt: skip
    assert network.get_parameter("formula.g.0").tolist() == [0.5] * 16
    assert torch.allclose(network(image()), 1.5 * image())


def test_a_coefficient_for_the_whole_network_is_one_parameter():
    network = compile("param a = 2\nx[l+1] = a*F(x[l])", identities(3))
    assert [name for name, _ in network.named_parameters()] == ["formula.a"]
    assert network(torch.ones(1)).item() == 8


def test_streams_start_equal_and_are_mixed_by_matrices():
    network = compile(
        "stream h[2] = input\nparam A[l, 2, 2] = identity\nparam r[l, 2] = one_hot(l)\n"
        "h[l+1] = A[l] @ h[l] + F(r[l] @ h[l])\noutput sum(h[L])",
        [nn.Identity()],
    )
    assert network(torch.ones(1)).item() == 4


def test_inputs_are_split_and_put_together():
    text = "input x, y = split(input)\nx[l+1] = y[l]\ny[l+1] = x[l] + 0*F(y[l])\n"
    text += "output cat(x[L], y[L])"
    network = compile(text, identities(1), example=torch.ones(1, 4))
    assert network(torch.tensor([[1.0, 2, 3, 4]])).tolist() == [[3, 4, 1, 2]]


def test_two_norms_of_one_block_have_weights_of_their_own():
    network = compile("x[l+1] = x[l] + norm(F(norm(x[l])))", identities(1),
                      norm=lambda: nn.BatchNorm2d(16))  # fmt: skip
    assert {name.split(".")[1] for name, _ in network.named_parameters()} == {"0", "0_1"}


def test_weights_of_their_own_need_an_example():
    with pytest.raises(UserError) as refusal:
        compile("x[l+1] = linear(F(x[l]))", identities(1))
    assert refusal.value.code == "no-example"


def test_channels_that_do_not_fit_are_refused():
    with pytest.raises(UserError) as refusal:
        compile("x[l+1] = gate(F(x[l]), cat(x[l], x[l]))", identities(1), example=image())
    assert refusal.value.code == "no-projection"


@pytest.fixture
def user_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_gates.py").write_text(
        "from torch import nn\n"
        "class Half(nn.Module):\n"
        "    def __init__(self, channels, factor=1.0):\n"
        "        super().__init__()\n"
        "        self.factor = factor\n"
        "    def forward(self, state):\n"
        "        return self.factor * state\n"
        "def number(channels):\n"
        "    return channels\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_gates", raising=False)
    return "block T = my_gates:Half(factor=1/2)\nx[l+1] = T(x[l]) + 0*F(x[l])"


def test_code_of_a_user_is_run_if_it_may(user_code: str):
    network = compile(user_code, identities(2), depth=2, example=torch.ones(1, 4), allow_code=True)
    assert network(torch.ones(1, 4)).tolist() == [[0.25] * 4]


def test_code_is_not_run_unasked(user_code: str):
    with pytest.raises(UserError) as refusal:
        compile(user_code, identities(2), depth=2, example=torch.ones(1, 4))
    assert refusal.value.code == "code-not-allowed"
    assert "my_gates" not in sys.modules


@pytest.mark.parametrize("source", ["my_gates:Whole", "no_such_module:x", "my_gates:number"])
def test_code_that_makes_no_module_is_told(user_code: str, source: str):
    with pytest.raises(UserError) as refusal:
        compile(f"block T = {source}\nx[l+1] = T(x[l]) + 0*F(x[l])", identities(1),
                example=torch.ones(1, 4), allow_code=True)  # fmt: skip
    assert refusal.value.code == "bad-code"


@pytest.mark.parametrize("name", ["highway", "skip_resnet", "rezero", "hyper_connections"])
def test_formulas_of_the_gallery_are_built_on_a_backbone(name: str):
    network = build(name, "resnet20_cifar", num_classes=10)
    network(torch.randn(2, 3, 32, 32)).sum().backward()
    added = [key for key in network.state_dict() if key.startswith("formula.")]
    assert added


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "backbone", "millions"),
    [
        ("skip_resnet", "resnet34", 22.72),
        ("skip_resnet", "resnet50", 40.1549),
        ("dense_resnet", "resnet50", 42.9332),
        ("skip_resnet", "regnety_016", 14.764),
        ("skip_resnet", "convnext_tiny", 31.14),
        ("skip_resnet", "swin_tiny_patch4_window7_224", 32.0453),
    ],
)
def test_gated_nets_have_the_published_number_of_parameters(
    name: str, backbone: str, millions: float
):
    """The table of takedarts/skipresnet; older values are filled up with channels of zeros."""
    with torch.device("meta"):
        network = build(name, backbone, num_classes=1000, project="pad")
    count = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    digits = len(str(millions).partition(".")[2])
    assert round(count, digits) == millions
