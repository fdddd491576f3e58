"""Reversible training: the same gradients, and memory that does not grow with depth."""

import copy
import pickle

import pytest
import torch
from torch import nn

import recform
from recform.errors import UserError
from recform.formula import resolve
from recform.network.reversible_plan import Run
from tests.network.measured import peak_bytes

WIDTH = 8
REVERSIBLE = ("revnet", "leapfrog", "momentum", "irevnet", "midpoint", "second_order", "verlet",
              "liao_older", "revnet_split")  # fmt: skip
# Here an older layer's block runs once more: the second is Milne's predictor.
MADE_AGAIN = (
    "x[l+1] = x[l-2] + F(x[l]) + tanh(F(x[l-1]))",
    "x[l+1] = x[l-3] + 8/3*F(x[l]) - 4/3*F(x[l-1]) + 8/3*F(x[l-2])",
)
HALVED = ("irevnet", "revnet_split")


def blocks_of(formula, depth, width=WIDTH, drop=0.0):
    """For F, and G if the formula has it: with batch norm and an activation in place."""

    def block():
        return nn.Sequential(nn.Linear(width, 2 * width), nn.BatchNorm1d(2 * width),
                             nn.ReLU(inplace=True), nn.Dropout(drop),
                             nn.Linear(2 * width, width))  # fmt: skip

    torch.manual_seed(0)
    names = ("F", *resolve(formula).blocks)
    return {name: [block() for _ in range(depth)] for name in names}


def made(formula, depth=6, drop=0.0, **ways):
    width = WIDTH // 2 if formula in HALVED else WIDTH
    example = torch.zeros(2, WIDTH)
    net = recform.compile(formula, blocks_of(formula, depth, width, drop), depth=depth,
                          example=example, **ways)  # fmt: skip
    return net.double()


def step(net, images):
    """One step: output, gradients of images and parameters, buffers, and a number drawn after."""
    torch.manual_seed(1)
    images = images.clone().requires_grad_()
    output = net(images)
    output.square().sum().backward()
    gradients = {name: p.grad for name, p in net.named_parameters()}
    buffers = {name: b.clone() for name, b in net.named_buffers()}
    return output.detach(), {"images": images.grad, **gradients}, buffers, torch.rand(())


def assert_same_step(left, right, tolerance):
    assert torch.equal(left[0], right[0])
    assert left[1].keys() == right[1].keys()
    for name, gradient in left[1].items():
        assert (gradient is None) == (right[1][name] is None), name
        if gradient is not None:
            torch.testing.assert_close(right[1][name], gradient, rtol=tolerance, atol=tolerance)
    assert all(torch.equal(buffer, right[2][name]) for name, buffer in left[2].items())
    assert left[3] == right[3]


# 6 layers lose a few bits each where the inverse divides, and batch norm enlarges what is lost.
TOLERANCE = 1e-10


@pytest.mark.parametrize("formula", [*REVERSIBLE, *MADE_AGAIN])
def test_gradients_buffers_and_random_numbers_are_those_of_an_ordinary_step(formula):
    images = torch.randn(5, WIDTH, dtype=torch.double)
    depth = 8 if formula in MADE_AGAIN else 6
    ordinary = step(made(formula, depth, drop=0.3), images)
    backwards = made(formula, depth, drop=0.3, reversible=True)
    assert_same_step(ordinary, step(backwards, images), TOLERANCE)


@pytest.mark.parametrize("formula", MADE_AGAIN)
def test_what_a_run_reads_from_before_it_is_held(formula):
    """At a stage border a run begins anew, and the blocks before it are not its own."""
    images = torch.randn(2, 3, 8, 8, dtype=torch.double)
    found = []
    for way in (False, True):
        torch.manual_seed(0)
        net = recform.build(formula, "resnet44_cifar", num_classes=3, channels=(2, 2, 4),
                            image_size=8, reversible=way)  # fmt: skip
        found.append((net, step(net.double().train(), images)))
    pieces = found[1][0].reversible_pieces
    assert pieces is not None
    runs = [piece for piece in pieces.pieces if isinstance(piece, Run)]
    assert any(layer.held for run in runs for layer in run.layers)
    assert any(layer.again for run in runs for layer in run.layers)
    # 21 layers, some of batch norms on 32 values.
    assert_same_step(found[0][1], found[1][1], 1e-7)


def test_recomputed_gradients_are_equal_to_the_bit():
    images = torch.randn(5, WIDTH, dtype=torch.double)
    ordinary = step(made("resnet_s_net", drop=0.3), images)
    assert_same_step(ordinary, step(made("resnet_s_net", drop=0.3, recompute=True), images), 0.0)


def test_both_ways_together():
    """What is not reversible, the last layer here, is recomputed."""
    images = torch.randn(5, WIDTH, dtype=torch.double)
    ordinary = step(made("leapfrog"), images)
    both = made("leapfrog", reversible=True, recompute=True)
    assert_same_step(ordinary, step(both, images), TOLERANCE)


def test_a_copy_trains_the_same_way():
    images = torch.randn(5, WIDTH, dtype=torch.double)
    net = made("revnet", reversible=True)
    twin = copy.deepcopy(net)
    assert twin.meta["saving"] == net.meta["saving"]
    assert_same_step(step(made("revnet"), images), step(twin, images), TOLERANCE)


def test_a_shared_block_gets_its_gradients_from_every_layer():
    formula = "x[l+1] = x[l-1] + F[0](x[l])"
    images = torch.randn(5, WIDTH, dtype=torch.double)

    def shared(**ways):
        torch.manual_seed(0)
        return recform.compile(formula, [nn.Linear(WIDTH, WIDTH)], depth=6, **ways).double()

    assert_same_step(step(shared(), images), step(shared(reversible=True), images), 1e-12)


def test_frozen_parameters_get_no_gradient():
    images = torch.randn(5, WIDTH, dtype=torch.double)
    nets = made("revnet"), made("revnet", reversible=True)
    for net in nets:
        net.get_parameter("F.2.0.weight").requires_grad_(False)
    assert_same_step(step(nets[0], images), step(nets[1], images), TOLERANCE)


@pytest.mark.parametrize("way", ["recompute", "reversible"])
def test_without_gradients_nothing_is_different(way):
    images = torch.randn(5, WIDTH, dtype=torch.double)
    net, plain = made("revnet", **{way: True}).eval(), made("revnet").eval()
    with torch.no_grad():
        assert torch.equal(net(images), plain(images))


def test_autocast_of_the_forward_pass_holds_in_the_backward_pass():
    images = torch.randn(5, WIDTH)
    nets = made("revnet").float(), made("revnet", reversible=True).float()
    found = []
    for net in nets:
        with torch.autocast("cpu", torch.bfloat16):
            loss = net(images).float().square().mean()
        loss.backward()
        found.append([p.grad for p in net.parameters()])
    for left, right in zip(*found, strict=True):
        # bfloat16 has 8 bits; batch norm on 5 samples enlarges their rounding
        torch.testing.assert_close(right, left, rtol=0.2, atol=0.2 * left.abs().max().item())


@pytest.mark.parametrize("way", ["recompute", "reversible"])
def test_a_compiler_sees_the_straight_line_code(way):
    images = torch.randn(5, WIDTH, dtype=torch.double)
    net, plain = made("revnet", **{way: True}).eval(), made("revnet").eval()
    compiled = torch.compile(net, fullgraph=True, backend="eager")
    assert torch.equal(compiled(images), plain(images))


@pytest.mark.parametrize("formula", ["leapfrog", "revnet", MADE_AGAIN[0]])
def test_memory_does_not_grow_with_depth(formula):
    """Weights and their gradients aside: 64 layers within 1.3 times 8, ordinarily 8 times."""
    grown = {}
    for way in ("ordinary", "reversible"):
        peaks = []
        for depth in (8, 64):
            ways = {} if way == "ordinary" else {"reversible": True}
            blocks = blocks_of(formula, depth, width=32)
            net = recform.compile(formula, blocks, depth=depth, **ways)
            images = torch.randn(256, 32)
            net(images).sum().backward()
            weights = sum(p.nbytes for p in net.parameters())
            peaks.append(peak_bytes(lambda n=net, i=images: n(i).sum().backward()) - weights)
        grown[way] = peaks[1] / peaks[0]
    assert grown["reversible"] < 1.3
    assert grown["ordinary"] > 5


def test_a_formula_that_is_not_reversible_is_refused_with_what_is_lost():
    with pytest.raises(UserError) as caught:
        made("resnet", reversible=True)
    assert str(caught.value) == (
        "error[not-reversible]: the formula is not reversible: x[l] is lost: no equation gives it "
        "from x[l+1]\n  = hint: recompute (--recompute) goes with any formula; revnet, momentum, "
        "leapfrog and midpoint are reversible"
    )


def test_a_built_network_has_the_same_step_at_any_border():
    """Stage borders run the backbone's own formula, and are computed again."""
    torch.manual_seed(0)
    plain = recform.build("revnet", "resnet20_cifar", num_classes=5).double()
    images = torch.randn(4, 3, 8, 8, dtype=torch.double)
    for ways in (
        {"recompute": True},
        {"reversible": True},
        {"recompute": True, "reversible": True},
    ):
        net = recform.build("revnet", "resnet20_cifar", num_classes=5, **ways).double()
        net.load_state_dict(plain.state_dict())
        assert_same_step(step(copy.deepcopy(plain), images), step(net, images), 1e-9)


def test_a_built_network_stays_reversible_in_copies_and_pickles():
    net = recform.build("leapfrog", "resnet20_cifar", num_classes=5, reversible=True)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin.reversible_pieces is not None
    net.set_reversible(False)
    assert net.reversible_pieces is None


def test_a_built_network_keeps_fewer_bytes():
    """Of 27 blocks 3 are not reversible: at stage borders, and the last."""
    images = torch.randn(4, 3, 32, 32)
    net = recform.build("leapfrog", "resnet56_cifar", num_classes=5)
    net(images).sum().backward()
    ordinary = peak_bytes(lambda: net(images).sum().backward())
    net.set_reversible()
    assert peak_bytes(lambda: net(images).sum().backward()) < ordinary / 2


def test_a_network_that_is_not_reversible_is_refused_before_it_is_built():
    with pytest.raises(UserError, match=r"F\(x\[l-1\]\) and x\[l\] are lost"):
        recform.build("resnet_s", "resnet20_cifar", reversible=True)
