"""The gradients of all paths add up to the gradient.

Tolerances: everything is in float64 and of order one; sums have at most some thousand terms, so
that rounding stays below 1e-11 of the largest.
"""

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from laws.formulas import formulas
from oracles.walk import TooManyWordsError, walk
from torch import nn
from torch.nn.functional import cross_entropy

import recform
from recform.errors import UserError
from recform.formula import parse
from recform.network.zoo import ThreeStageResNet
from recform.probe import (
    cancelled_words,
    drawn_words,
    gradients_by_length,
    record,
    surviving_words,
    word_gradients,
)
from recform.tape import place, unroll
from tests.laws.blocks import Times

SIZE = 3
MAX_WORDS = 300


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-9, atol=1e-11 * (1 + other.abs().max().item()))


def compiled(text: str, blocks: list[nn.Module], **keywords):
    """A network of a formula, its tape, and a function from a point to its recording."""
    network = recform.compile(text, blocks, **keywords)
    tape = place(unroll(parse(text), len(blocks)))
    return network, tape, lambda point: record(network, network.graph, tape, point)


def test_a_path_multiplies_the_blocks_on_it():
    _, tape, run = compiled("x[l+1] = x[l] + F(x[l])", [Times(2.0), Times(3.0), Times(5.0)])
    recording = run(torch.ones(1, 1))
    found = {
        tuple(tape.operations[letter].index for letter in gradient.word): gradient.tensor().item()
        for gradient in word_gradients(recording, torch.ones(1, 1), surviving_words(tape))
    }
    assert found == {
        (): 1, (0,): 2, (1,): 3, (2,): 5, (1, 0): 6, (2, 0): 10, (2, 1): 15, (2, 1, 0): 30
    }  # fmt: skip


def test_a_coefficient_weighs_its_path():
    # x[1] = x + 2F; x[2] = x[1] + 2F(x[1]) - 1/2 F(x[0]): F0 has 3/2 by all its wires
    text = "x[l+1] = x[l] + 2*F(x[l]) - 1/2*F(x[l-1])"
    _, tape, run = compiled(text, [Times(1.0), Times(1.0)])
    gradients = word_gradients(run(torch.ones(1, 1)), torch.ones(1, 1), surviving_words(tape))
    assert sorted(gradient.tensor().item() for gradient in gradients) == [1, 1.5, 2, 4]


def test_a_word_that_cancels_flows_through_an_activation():
    # relu(x + F) - F(x[l-1]) at negative sums: the activation stops one of F0's two wires.
    text = "x[l+1] = act(x[l] + F(x[l])) - F(x[l-1])"
    blocks = [Times(1.0), Times(1.0)]
    for activation, expected in ((nn.Identity(), 0.0), (nn.ReLU(), -1.0)):
        _, tape, run = compiled(text, blocks, act=activation)
        recording = run(-torch.ones(1, 1))
        (gradient,) = word_gradients(recording, torch.ones(1, 1), cancelled_words(tape))
        assert gradient.tensor().item() == expected


@settings(max_examples=150, derandomize=True, deadline=None)
@given(formulas(), st.integers(2, 5), st.integers(0, 2**32))
def test_all_words_add_up_to_autograds_gradient(text: str, depth: int, seed: int):
    found = _random_network(text, depth, seed, nn.SiLU())
    if found is None:
        return
    network, tape, recording, adjoint, point = found
    expected = _autograd(network, point, adjoint)
    words = [g.tensor() for g in word_gradients(recording, adjoint, drawn_words(tape))]
    assert close(sum(words, torch.zeros_like(point)), expected)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(formulas(), st.integers(2, 5), st.integers(0, 2**32))
def test_words_of_a_length_add_up_to_the_gradient_of_that_length(text: str, depth: int, seed: int):
    found = _random_network(text, depth, seed, nn.SiLU())
    if found is None:
        return
    _, tape, recording, adjoint, point = found
    sums = [torch.zeros_like(point) for _ in gradients_by_length(recording, adjoint)]
    for gradient in word_gradients(recording, adjoint, drawn_words(tape)):
        sums[len(gradient.word)] += gradient.tensor()
    for one, other in zip(gradients_by_length(recording, adjoint), sums, strict=True):
        assert close(one, other)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(formulas(), st.integers(2, 4), st.integers(0, 2**32))
def test_without_activations_a_words_gradient_is_its_coefficient_times_its_blocks(
    text: str, depth: int, seed: int
):
    formula = parse(text)
    if any(name in text for name in ("relu", "gelu", "silu", "tanh", "sigmoid", "σ")):
        return
    found = _random_network(text, depth, seed, nn.Identity())
    if found is None:
        return
    network, tape, recording, adjoint, point = found
    expected = torch.zeros_like(point)
    for word, coefficient in walk(formula, depth, most=1_500).words.items():
        product = adjoint * float(coefficient)
        for call in word:
            index = sorted(network.at[call.operation[1]]).index(call.operation[2])
            product = product @ network.get_submodule(f"{call.operation[1]}.{index}").weight
        expected = expected + product
    words = [g.tensor() for g in word_gradients(recording, adjoint, surviving_words(tape))]
    assert close(sum(words, torch.zeros_like(point)), expected)
    for gradient in word_gradients(recording, adjoint, cancelled_words(tape)):
        assert gradient.tensor().abs().max() <= 1e-12 * (1 + expected.abs().max())


def _random_network(text: str, depth: int, seed: int, act: nn.Module):
    """A network with blocks of random weights, recorded at a point; None if it is too large."""
    formula = parse(text)
    try:
        letters = sorted(walk(formula, depth, most=1_500).letters)
    except TooManyWordsError:
        return None
    torch.manual_seed(seed)
    is_linear = isinstance(act, nn.Identity)
    indices = {name: [i for b, i in letters if b == name] for name in ("F", *formula.blocks)}
    blocks = {name: [_block(is_linear) for _ in used] for name, used in indices.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network = recform.compile(formula, blocks, depth=depth, act=act, norm=nn.Identity)
    except UserError:
        return None
    tape = place(unroll(formula, depth))
    if sum(drawn_words(tape).counts) > MAX_WORDS:
        return None
    network.double()
    network.at = indices
    point = torch.randn(2, SIZE, dtype=torch.float64)
    recording = record(network, network.graph, tape, point)
    return network, tape, recording, torch.randn_like(point), point


def _block(is_linear: bool) -> nn.Module:
    linear = nn.Linear(SIZE, SIZE, bias=not is_linear)
    return linear if is_linear else nn.Sequential(linear, nn.Tanh())


def _autograd(network: nn.Module, point: torch.Tensor, adjoint: torch.Tensor) -> torch.Tensor:
    point = point.clone().requires_grad_()
    output = network(point)
    if not output.requires_grad:
        return torch.zeros_like(point)
    (gradient,) = torch.autograd.grad(output, point, adjoint, allow_unused=True)
    return torch.zeros_like(point) if gradient is None else gradient


def small_network(formula: str, num_blocks: int = 1):
    """Three stages of 4, 6 and 8 channels in float64, with norms that do something."""
    torch.manual_seed(0)
    backbone = ThreeStageResNet(num_blocks, num_classes=5, channels=(4, 6, 8))
    network = recform.build(formula, backbone).double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


# RevNet's second block needs a backbone by name, of which small_network has none.
EXAMPLES = [name for name in recform.example_names() if name != "revnet"]
WITH_STARTS = (
    "x[l+1] = x[l] + F(x[l]) - F(x[l-1])\ninit F(x[-1]) = x[0]",
    "x[l+1] = act(x[l] + F(F(x[l]))) - 1/2*x[l-1]\ninit x[-1] = 2*x[0]",
)


@pytest.mark.parametrize("num_blocks", [1, 2])
@pytest.mark.parametrize("formula", [*EXAMPLES, *WITH_STARTS])
def test_all_words_of_a_network_with_stages_add_up_to_its_gradient(formula: str, num_blocks: int):
    network = small_network(formula, num_blocks)
    images, labels = torch.randn(2, 3, 8, 8, dtype=torch.float64), torch.tensor([1, 4])
    entering = []
    hook = network.act1.register_forward_hook(
        lambda module, inputs, output: (
            entering.append(output.clone().requires_grad_()) or entering[0]
        )
    )
    loss = cross_entropy(network(images), labels)
    hook.remove()
    (expected,) = torch.autograd.grad(loss, entering[0])

    architecture = network.architecture
    recording = record(network, architecture.graph, architecture.tape, images)
    loss = cross_entropy(network.forward_head(recording.features), labels)
    (adjoint,) = torch.autograd.grad(loss, recording.read[architecture.tape.output])
    words = drawn_words(architecture.tape)
    total = sum(gradient.tensor() for gradient in word_gradients(recording, adjoint, words))
    assert expected.abs().max() > 1e-6
    assert close(total, expected)
    assert close(sum(gradients_by_length(recording, adjoint)), expected)


def test_a_path_of_resnet_is_the_one_that_veit_measures():
    # Forward as always; backward through the branch of some blocks, else through the skip alone.
    network = small_network("resnet", num_blocks=2)
    images, chosen = torch.randn(2, 3, 8, 8, dtype=torch.float64), {1, 2, 4}
    entering = network.act1(network.bn1(network.conv1(images))).detach().requires_grad_()
    x = entering
    for index, unit in enumerate([*network.layer1, *network.layer2, *network.layer3]):
        branch = unit.bn2(unit.conv2(unit.act1(unit.bn1(unit.conv1(x)))))
        skip = x if unit.downsample is None else unit.downsample(x)
        x = torch.relu(branch + skip.detach() if index in chosen else branch.detach() + skip)
    (expected,) = torch.autograd.grad(network.forward_head(x).sum(), entering)

    architecture = network.architecture
    tape = architecture.tape
    recording = record(network, architecture.graph, tape, images)
    total = network.forward_head(recording.features).sum()
    (adjoint,) = torch.autograd.grad(total, recording.read[tape.output])
    [word] = [
        word
        for word in surviving_words(tape)
        if {tape.operations[letter].index for letter in word} == chosen
    ]
    [gradient] = word_gradients(recording, adjoint, [word])
    assert expected.abs().max() > 1e-6
    assert close(gradient.tensor(), expected)


class Constant(nn.Module):
    def forward(self, x):
        return torch.ones(1, 1)


def test_no_gradient_flows_through_a_block_that_ignores_its_argument():
    _, tape, run = compiled("x[l+1] = x[l] + F(x[l])", [Times(2.0), Constant()])
    recording = run(torch.ones(1, 1))
    gradients = word_gradients(recording, torch.ones(1, 1), surviving_words(tape))
    assert sorted(gradient.tensor().item() for gradient in gradients) == [0, 0, 1, 2]


def test_gradients_below_float32_keep_their_digits():
    _, tape, run = compiled("x[l+1] = x[l] + F(x[l])", [Times(1e-20)] * 4)
    recording = run(torch.ones(2, 1))
    gradients = word_gradients(recording, torch.ones(2, 1), surviving_words(tape))
    sizes = {len(gradient.word): gradient.magnitude() for gradient in gradients}
    assert sizes[4] == pytest.approx(1e-80, rel=1e-5)


def test_the_forward_pass_is_the_networks():
    network = small_network("resnet_s_net")
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    recording = record(network, network.architecture.graph, network.architecture.tape, images)
    assert torch.equal(network.forward_head(recording.features), network(images))
