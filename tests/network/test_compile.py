"""Networks from formulas and any blocks."""

import pytest
import torch
from torch import nn

import recform
from recform.errors import UserError
from tests.laws.blocks import Times


def test_the_code_is_straight_line_pytorch():
    network = recform.compile("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", [Times(2), Times(3)])
    lines = [line.strip().split(";")[0] for line in network.code.strip().splitlines()]
    assert lines == [
        "def forward(self, input):",
        "input_1 = input",
        'F_0 = getattr(self.F, "0")(input_1)',
        "x_1 = input_1 + F_0",
        'F_1 = getattr(self.F, "1")(x_1)',
        "add_1 = x_1 + F_1",
        "x_2 = add_1 - F_0",
        "return x_2",
    ]


def test_resnet_s_by_hand():
    # x1 = x + 2x = 3x; x2 = 3x + 3*3x - 2x = 10x
    network = recform.compile("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", [Times(2), Times(3)])
    assert network(torch.tensor([1.0])).item() == 10


def test_blocks_are_handed_out_in_the_order_of_the_indices_used():
    formula = "x[l+1] = F(x[l]) if l % 2 == 0 else x[l]"
    network = recform.compile(formula, [Times(2), Times(5)], depth=4)
    assert network(torch.tensor([1.0])).item() == 10


def test_a_shared_block_is_one_module():
    network = recform.compile("x[l+1] = x[l] + F[0](x[l])", [nn.Linear(4, 4)], depth=3)
    assert len(list(network.parameters())) == 2
    assert network(torch.ones(1, 4)).shape == (1, 4)


def test_unused_blocks_are_reported():
    with pytest.warns(UserWarning, match="1 of the 3 blocks F are used by nothing"):
        recform.compile("x[l+1] = x[l] + F(x[l-1])", [Times(1)] * 3)


def test_it_is_said_which_blocks_the_modules_are_where_some_are_not_used():
    told = r"1 of the 3 blocks F are used by nothing; the first 2 are F\[0\], F\[2\]"
    with pytest.warns(UserWarning, match=told):
        network = recform.compile(
            "x[l+1] = x[l] if l == 1 else F(x[l])", [Times(2), Times(3), Times(5)]
        )
    assert network(torch.ones(1)).item() == 6


def test_too_few_blocks_are_refused():
    with pytest.raises(UserError, match="the formula uses 4 blocks F at depth 4, and 2 are given"):
        recform.compile("x[l+1] = F(x[l])", [Times(1)] * 2, depth=4)


def test_the_depth_must_be_clear():
    formula = "block G\nx[l+1] = F(x[l]) + G(x[l])"
    with pytest.raises(UserError, match="pass depth="):
        recform.compile(formula, {"F": [Times(1)] * 2, "G": [Times(1)] * 3})


def test_blocks_that_read_the_same_value_run_once():
    calls = []

    class Counting(nn.Module):
        def forward(self, x):
            calls.append(x)
            return x

    recform.compile("delannoy", [Counting() for _ in range(5)])(torch.ones(1))
    assert len(calls) == 5


def test_act_is_applied_where_it_is_written_and_nowhere_else():
    formula = "x[l+1] = act(x[l] + F(x[l]))"
    minus_one = torch.tensor([-1.0])
    assert recform.compile(formula, [Times(1)])(minus_one).item() == -2
    assert recform.compile(formula, [Times(1)], act=torch.relu)(minus_one).item() == 0
    assert recform.compile(formula, [Times(1)], act=nn.ReLU(inplace=True))(minus_one).item() == 0
    assert minus_one.item() == -1


def test_an_activation_in_place_spares_what_is_read_again():
    # z = x + F = -3, kept; x1 = relu(z) = 0; z1 = 0; x2 = relu(z1) - z = 3
    formula = "z[l] = x[l] + F(x[l])\nx[l+1] = act(z[l]) - z[l-1]"
    network = recform.compile(formula, [Times(2), Times(2)], act=nn.ReLU(inplace=True))
    assert network(torch.tensor([-1.0])).item() == 3


def test_norms_need_a_maker():
    with pytest.raises(UserError, match="no-norm"):
        recform.compile("x[l+1] = x[l] + F(norm(x[l]))", [nn.Linear(4, 4)])
    network = recform.compile("x[l+1] = x[l] + F(norm(x[l]))", [nn.Linear(4, 4)] * 2,
                              norm=lambda: nn.LayerNorm(4))  # fmt: skip
    assert {name for name, _ in network.named_parameters()} >= {"norm.0.weight", "norm.1.weight"}


def test_older_values_cross_a_change_of_width_by_projections_of_their_own():
    blocks = [nn.Linear(4, 4), nn.Linear(4, 6), nn.Linear(6, 6)]
    network = recform.compile("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", blocks,
                              projection={1: lambda: nn.Linear(4, 6)})  # fmt: skip
    assert network(torch.ones(2, 4)).shape == (2, 6)
    names = {name.split(".")[1] for name, _ in network.named_parameters() if "projection" in name}
    assert names == {"shortcut_at_1", "F0_at_1"}


def test_a_zero_start_has_the_shape_of_the_input():
    network = recform.compile("block G\nx[l+1] = x[l] + F(y[l])\ny[l+1] = y[l] + G(x[l+1])\n"
                              "init y[0] = 0\noutput x[L] + y[L]",
                              {"F": [nn.Linear(3, 3)] * 2, "G": [nn.Linear(3, 3)] * 2},
                              depth=2)  # fmt: skip
    assert network(torch.ones(5, 3)).shape == (5, 3)


def test_an_absent_output_is_refused():
    with pytest.raises(UserError, match="absent-output"):
        recform.compile("x[l+1] = F(x[l-1])", [Times(1)] * 3)


IN_PLACE = {
    "activation first": lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 4)),
    "behind an identity": lambda: nn.Sequential(nn.Identity(), nn.ReLU(inplace=True)),
    "nested": lambda: nn.Sequential(nn.Sequential(nn.ReLU(inplace=True)), nn.Linear(4, 4)),
}


@pytest.mark.parametrize("make", IN_PLACE.values(), ids=IN_PLACE.keys())
def test_blocks_that_begin_in_place_spare_what_is_read_again(make):
    blocks = [make() for _ in range(3)]
    network = recform.compile("x[l+1] = x[l] + F(x[l])", blocks)
    images = torch.randn(5, 4)
    kept = images.clone()
    expected = images
    for block in blocks:
        expected = expected + block(expected.clone())
    assert torch.equal(network(images), expected)
    assert torch.equal(images, kept)


def test_blocks_that_hand_their_argument_on_may_be_followed_by_an_activation_in_place():
    network = recform.compile("x[l+1] = act(F(x[l])) + x[l]", [nn.Sequential()],
                              act=nn.ReLU(inplace=True))  # fmt: skip
    assert network(torch.tensor([-1.0])).item() == -1


def test_an_activation_function_in_place_spares_what_is_read_again():
    with pytest.warns(UserWarning, match="used by nothing"):
        network = recform.compile("x[l+1] = act(x[l]) + x[l]", [Times(1)], act=torch.relu_)
    assert network(torch.tensor([-1.0])).item() == -1


@pytest.mark.parametrize("coefficient", ["10^400", "1/10^400"])
def test_a_coefficient_beyond_floats_is_refused(coefficient):
    with pytest.raises(UserError, match="too-large"):
        recform.compile(f"x[l+1] = x[l] + {coefficient}*F(x[l])", [Times(1)])
