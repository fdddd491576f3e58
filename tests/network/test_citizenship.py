"""A built network is a timm model like any other: what timm tests of its own models, and more.

The nets are small ones of different families, by a formula that reads an older block output, so
that a method that forgot the history would show.
"""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models import group_parameters, load_checkpoint
from timm.optim import create_optimizer_v2, param_groups_layer_decay
from torch import nn

import recform
from recform.errors import UserError
from recform.network import BackboneSpec, feature_extractor
from recform.network.create import create
from recform.network.identity import OWN_FORMULA, perturb
from recform.network.named import NAMED_NETS
from recform.network.steps import run_steps

WITH_HISTORY = "x[l+1] = act(x[l] + F(x[l])) - F(x[l-1])"
SWIN = {"img_size": 64, "window_size": 2, "embed_dim": 24, "depths": (1, 1, 2, 1),
        "num_heads": (1, 2, 3, 4)}  # fmt: skip
# backbone, side of the images, keywords of timm's; random depth where the backbone has it
NETS = {
    "cifar": ("resnet20_cifar", 32, {}),
    "byob": ("test_byobnet", 64, {}),
    "convnext": ("test_convnext", 64, {"drop_path_rate": 0.3}),
    "mobilenet": ("mobilenetv3_small_050", 64, {"drop_path_rate": 0.3}),
    "nfnet": ("test_nfnet", 64, {"drop_path_rate": 0.3}),
    "resnet": ("test_resnet", 64, {"drop_path_rate": 0.3}),
    "swin": ("swin_tiny_patch4_window7_224", 64, {**SWIN, "drop_path_rate": 0.3}),
    "vit": ("test_vit", 64, {"img_size": 64, "drop_path_rate": 0.3}),
}
every_net = pytest.mark.parametrize("kind", NETS)


@cache
def _built(kind, formula=WITH_HISTORY):
    backbone, side, keywords = NETS[kind]
    torch.manual_seed(0)
    network = recform.build(formula, backbone, num_classes=10, image_size=side, **keywords)
    # Norms and scales that start at zero would hide what is wrong behind them.
    perturb(network)
    return network


def net_of(kind, formula=WITH_HISTORY):
    return copy.deepcopy(_built(kind, formula)).eval()


def images_for(kind, channels=3):
    side = NETS[kind][1]
    return torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(1))


def step(network, images):
    """Output, gradients and buffers of a training step from a fixed random state."""
    network.train().zero_grad()
    torch.manual_seed(2)
    output = network(images)
    output.square().mean().backward()
    return [output.detach(), *(p.grad for p in network.parameters()), *network.buffers()]


def same_bits(mine, other):
    return len(mine) == len(other) and all(map(torch.equal, mine, other))


@every_net
def test_it_runs_and_every_parameter_gets_a_gradient(kind):
    network = net_of(kind)
    assert network(images_for(kind)).shape == (2, 10)
    step(network, images_for(kind))
    without = [name for name, p in network.named_parameters() if p.grad is None]
    assert without == []


@every_net
def test_intermediates_have_the_channels_and_reductions_that_are_told(kind):
    network, images = net_of(kind), images_for(kind)
    with torch.no_grad():
        features, found = network.forward_intermediates(images)
        assert torch.equal(features, network.forward_features(images))
    assert len(found) == len(network.feature_info)
    for feature, told in zip(found, network.feature_info, strict=True):
        assert feature.shape[1] == told["num_chs"]
        assert feature.shape[2] == -(-images.shape[2] // told["reduction"])
        assert told["module"] in dict(network.named_modules())


@pytest.mark.parametrize("kind", ["byob", "mobilenet", "swin", "vit"])
@torch.no_grad()
def test_by_its_own_formula_intermediates_are_timms_to_the_bit(kind):
    network, images = net_of(kind, OWN_FORMULA), images_for(kind)
    plain = timm.create_model(NETS[kind][0], num_classes=10, **NETS[kind][2]).eval()
    plain.load_state_dict(network.state_dict())
    for keywords in ({}, {"norm": True}, {"indices": [0, -1]}, {"indices": 2}):
        features, found = network.forward_intermediates(images, **keywords)
        expected, their = plain.forward_intermediates(images, **keywords)
        assert torch.equal(features, expected)
        assert same_bits(found, their)
    info = getattr(plain.feature_info, "info", plain.feature_info)
    told = ("num_chs", "reduction", "module")
    assert [[f[key] for key in told] for f in network.feature_info] == [
        [f[key] for key in told] for f in info
    ]


@torch.no_grad()
def test_intermediates_are_the_states_of_the_formula_by_hand():
    network = net_of("cifar")
    x = network.act1(network.bn1(network.conv1(images_for("cifar"))))
    expected, older = [x], None
    for stage in (1, 2, 3):
        for place, unit in enumerate(network.get_submodule(f"layer{stage}")):
            branch = unit.bn2(unit.conv2(unit.act1(unit.bn1(unit.conv1(x)))))
            skip = x if unit.downsample is None else unit.downsample(x)
            x = torch.relu(skip + branch)
            if older is not None:
                index = 3 * stage - 3 + place
                if unit.downsample is not None:
                    name = f"formula.projection.F{index - 1}_at_{index}"
                    older = network.get_submodule(name)(older)
                x = x - older
            older = branch
        expected.append(x)
    found = network.forward_intermediates(images_for("cifar"), intermediates_only=True)
    for mine, by_hand in zip(found, expected, strict=True):
        # Sums of float32 in another order.
        assert torch.allclose(mine, by_hand, rtol=1e-4, atol=1e-4)


@every_net
@torch.no_grad()
def test_rows_are_the_places_of_an_image(kind):
    network, images = net_of(kind), images_for(kind)
    as_images = network.forward_intermediates(images, intermediates_only=True)
    as_rows = network.forward_intermediates(images, output_fmt="NLC", intermediates_only=True)
    assert same_bits([i.flatten(2).transpose(1, 2) for i in as_images], as_rows)


@torch.no_grad()
def test_class_tokens_come_beside_the_image_if_they_are_asked_for():
    network, images = net_of("vit"), images_for("vit")
    pairs = network.forward_intermediates(
        images, norm=True, return_prefix_tokens=True, output_fmt="NLC", intermediates_only=True
    )
    last = torch.cat([pairs[-1][1], pairs[-1][0]], dim=1)
    assert torch.equal(last, network.forward_features(images))
    images_alone = network.get_intermediate_layers(images, 6, norm=True)
    assert same_bits([pair[0] for pair in pairs], images_alone)


@every_net
@torch.no_grad()
def test_stopping_early_gives_the_same_and_runs_no_later_block(kind):
    network, images = net_of(kind), images_for(kind)
    whole = network.forward_intermediates(images, [0, 1], intermediates_only=True)
    ran = []
    for name, module in network.named_modules():
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
    end, found = network.forward_intermediates(images, [0, 1], stop_early=True)
    assert same_bits(found, whole)
    assert end.shape[0] == 2
    last_block = network.feature_info[-1]["module"]
    assert not any(name.startswith(last_block) for name in ran)


@every_net
@torch.no_grad()
def test_a_pruned_network_has_the_same_features_and_nothing_behind_them(kind):
    whole, network, images = net_of(kind), net_of(kind), images_for(kind)
    expected = whole.forward_intermediates(images, [0, 1], intermediates_only=True)
    assert network.prune_intermediate_layers([0, 1]) == [0, 1]
    end, found = network.forward_intermediates(images)
    assert same_bits(found, expected)
    assert torch.equal(end, network.forward_features(images))
    left = set(network.state_dict())
    assert left < set(whole.state_dict())
    assert not any(name.startswith(whole.feature_info[-1]["module"]) for name in left)


@torch.no_grad()
def test_without_pruning_an_end_only_head_and_norm_go():
    network, images = net_of("vit"), images_for("vit")
    expected = network.forward_intermediates(images, intermediates_only=True)
    network.prune_intermediate_layers(len(expected), prune_norm=True)
    assert isinstance(network.norm, nn.Identity)
    assert same_bits(network.forward_intermediates(images, intermediates_only=True), expected)


@every_net
@torch.no_grad()
def test_as_an_extractor_it_gives_the_stages_it_is_asked_for(kind):
    network, images = net_of(kind), images_for(kind)
    expected = network.forward_intermediates(images, [0, 2], intermediates_only=True)
    extractor = feature_extractor(net_of(kind), out_indices=(0, 2))
    assert same_bits(extractor(images), expected)
    assert extractor.feature_info.channels() == [feature.shape[1] for feature in expected]


def test_what_is_no_feature_is_refused():
    network = net_of("cifar")
    with pytest.raises(UserError, match="there are no features"):
        network.forward_intermediates(images_for("cifar"), [7])
    with pytest.raises(UserError, match="there is no format `NHWC`"):
        network.forward_intermediates(images_for("cifar"), output_fmt="NHWC")
    with pytest.raises(UserError, match="takes images only"):
        net_of("vit").forward_intermediates(images_for("vit"), attn_mask=torch.ones(1))


def test_a_feature_that_the_formula_does_not_compute_is_refused_by_name():
    network = net_of("cifar")
    first, second, *others = network.architecture.features
    features = (first, replace(second, values=()), *others)
    network.architecture = replace(network.architecture, features=features)
    with pytest.raises(UserError, match="feature 1, what layer1 hands on, is no value of this"):
        network.forward_intermediates(images_for("cifar"))
    assert len(network.forward_intermediates(images_for("cifar"), [0, 3])[1]) == 2


def test_tokens_that_are_not_in_rows_are_not_made_an_image():
    network = net_of("vit")
    network.unroll = nn.Identity()
    with pytest.raises(UserError, match="are not in rows"):
        network.forward_intermediates(images_for("vit"))


@torch.no_grad()
def test_a_feature_is_not_overwritten_by_what_comes_behind_it():
    # Nothing but the first activation of the next block reads a state, and it works in place.
    network = recform.build("x[l+1] = F(x[l])", "test_nfnet", image_size=64).eval()
    for module in network.modules():
        if hasattr(module, "inplace"):
            module.inplace = True
    images = images_for("nfnet")
    found = network.forward_intermediates(images, intermediates_only=True)
    for index, feature in enumerate(found):
        alone = network.forward_intermediates(images, [index], stop_early=True)[1]
        assert torch.equal(feature, alone[0])


@torch.no_grad()
def test_of_several_streams_the_sum_is_taken():
    network = recform.build("hyper_connections", "resnet20_cifar").eval()
    found = network.forward_intermediates(images_for("cifar"), intermediates_only=True)
    told = [(f["num_chs"], 32 // f["reduction"]) for f in network.feature_info]
    assert [(f.shape[1], f.shape[2]) for f in found] == told
    second = network.architecture.features[2].values
    assert len(second) == 4
    streams = run_steps(network, network.steps, images_for("cifar"), second).values()
    assert torch.equal(found[2], sum(streams))


@every_net
@torch.no_grad()
def test_the_classifier_can_be_taken_out_and_put_back(kind):
    network, images = net_of(kind), images_for(kind)
    features = network.forward_features(images)
    network.reset_classifier(0)
    pooled = network(images)
    assert pooled.shape == (2, network.head_hidden_size)
    assert torch.equal(pooled, network.forward_head(features, pre_logits=True))
    network.reset_classifier(7)
    assert network(images).shape == (2, 7)
    assert isinstance(network.get_classifier(), nn.Module)


@pytest.mark.parametrize("kind", ["cifar", "vit"])
def test_a_changed_network_is_pickled_and_saved_as_it_is(kind, tmp_path):
    network, images = net_of(kind), images_for(kind)
    network.reset_classifier(0, "")
    network.prune_intermediate_layers([1, 2])
    recform.save_network(network, tmp_path)
    for twin in (recform.load_network(tmp_path).eval(), pickle.loads(pickle.dumps(network))):
        assert torch.equal(twin(images), network(images))


@pytest.mark.parametrize("kind", ["cifar", "vit"])
def test_channels_of_images_and_no_classes_are_timms_keywords(kind):
    backbone, side, keywords = NETS[kind]
    network = recform.build(WITH_HISTORY, backbone, 0, in_chans=4, image_size=side, **keywords)
    assert network(images_for(kind, channels=4)).shape == (2, network.num_features)


@every_net
def test_its_config_names_its_first_convolution_and_its_classifier(kind):
    network = net_of(kind)
    names = dict(network.named_modules())
    assert network.default_cfg["first_conv"] in names
    assert network.default_cfg["classifier"] in names
    assert names[network.default_cfg["classifier"]] is network.get_classifier()


@every_net
@pytest.mark.parametrize("coarse", [False, True])
def test_every_parameter_has_a_layer_and_the_backbones_have_their_own(kind, coarse):
    network = net_of(kind)
    layers = group_parameters(network, network.group_matcher(coarse=coarse), reverse=True)
    assert set(layers) == {name for name, _ in network.named_parameters()}
    timms = type(network).__mro__[2]
    if hasattr(timms, "group_matcher"):
        plain = create(BackboneSpec(NETS[kind][0], keywords=tuple(NETS[kind][2].items())), False)
        own = group_parameters(plain, plain.group_matcher(coarse=coarse), reverse=True)
        assert {name: layers[name] for name in own if name in layers} == own


def test_new_parts_are_in_the_layer_of_the_block_that_reads_them():
    formula = "param a[l] = 1\nparam b = 1\nx[l+1] = act(x[l] + b*F(x[l])) - a[l]*F(x[l-1])"
    network = recform.build(formula, "resnet20_cifar")
    layers = group_parameters(network, network.group_matcher(), reverse=True)
    for index, unit in ((3, "layer2.0"), (6, "layer3.0")):
        new = f"formula.projection.F{index - 1}_at_{index}.conv.weight"
        assert layers[new] == layers[f"{unit}.conv1.weight"]
    assert layers["formula.a.4"] == layers["layer2.1.conv1.weight"]
    assert layers["formula.b"] == layers["layer3.2.conv1.weight"]


def test_layer_decay_reaches_every_parameter_and_leaves_coefficients_alone():
    network = recform.build("param a[l] = 1\nx[l+1] = x[l] + a[l]*F(x[l])", "test_vit")
    spared = network.no_weight_decay()
    assert {"formula.a.0", "pos_embed", "cls_token"} <= spared
    groups = param_groups_layer_decay(network, 0.1, spared, layer_decay=0.5)
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    assert len({group["lr_scale"] for group in groups}) == 8
    create_optimizer_v2(network, "adamw", lr=0.1, layer_decay=0.5)


@every_net
def test_blocks_computed_twice_give_the_same_step_to_the_bit(kind):
    network, images = net_of(kind), images_for(kind)
    again = copy.deepcopy(network)
    again.set_grad_checkpointing()
    assert same_bits(step(again, images), step(network, images))


def test_blocks_computed_twice_keep_less():
    network, images = net_of("cifar").train(), images_for("cifar")

    def kept():
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t: sizes.append(t.numel()) or t, lambda t: t
        ):
            network(images)
        return sum(sizes)

    ordinary = kept()
    network.set_grad_checkpointing()
    assert kept() < ordinary / 2
    network.set_grad_checkpointing(False)
    assert kept() == ordinary


@pytest.mark.parametrize("formula", ["hyper_connections", "dense_sum", "skip_resnet", "momentum"])
def test_any_history_is_computed_twice_to_the_same_bits(formula):
    network = recform.build(formula, "resnet20_cifar")
    perturb(network)
    again = copy.deepcopy(network)
    again.set_grad_checkpointing()
    images = images_for("cifar")
    assert same_bits(step(again, images), step(network, images))


@pytest.mark.parametrize("kind", ["cifar", "vit"])
@torch.no_grad()
def test_copies_compute_the_same(kind):
    network, images = net_of(kind), images_for(kind)
    network.set_grad_checkpointing()
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(twin(images), network(images))
        assert twin.grad_checkpointing
    double = copy.deepcopy(network).double()
    # Single precision has 24 bits; three more digits are left for sums over a few hundred terms.
    assert torch.allclose(double(images.double()).float(), network(images), rtol=1e-3, atol=1e-3)
    assert pickle.loads(pickle.dumps(double))(images.double()).dtype == torch.float64
    ghost = copy.deepcopy(network).to("meta")
    assert ghost(images.to("meta")).shape == (2, 10)


@pytest.mark.parametrize("twice", [False, True])
def test_two_threads_may_call_one_network(twice):
    network = net_of("cifar")
    network.set_grad_checkpointing(twice)
    batches = [torch.randn(n, 3, 32, 32) for n in (1, 2, 3, 4)]

    def gradient(images):
        images = images.clone().requires_grad_()
        found = network.forward_intermediates(images, intermediates_only=True)
        (grad,) = torch.autograd.grad(sum(f.sum() for f in found), images)
        return grad

    alone = [gradient(images) for images in batches]
    with ThreadPoolExecutor(4) as threads:
        assert same_bits(list(threads.map(gradient, batches * 3)), alone * 3)


@pytest.mark.parametrize("kind", ["byob", "convnext", "swin", "vit"])
@torch.no_grad()
def test_channels_last_and_bfloat16_run(kind):
    network, images = net_of(kind), images_for(kind)
    expected = network(images)
    last = copy.deepcopy(network).to(memory_format=torch.channels_last)
    found = last(images.to(memory_format=torch.channels_last))
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-3)
    with torch.autocast("cpu", torch.bfloat16):
        assert network(images).isfinite().all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cifar", "convnext", "vit"])
def test_it_compiles_whole_and_exports_strictly(kind):
    network, images = net_of(kind), images_for(kind)
    torch._dynamo.reset()
    compiled = torch.compile(network, fullgraph=True, backend="aot_eager")
    expected = network(images)
    assert torch.allclose(compiled(images), expected, atol=1e-5)
    exported = torch.export.export(network, (images,), strict=True)
    assert torch.allclose(exported.module()(images), expected, atol=1e-5)
    extractor = feature_extractor(network, out_indices=(0, 1))
    compiled = torch.compile(extractor, fullgraph=True, backend="aot_eager")
    assert all(map(torch.allclose, compiled(images), extractor(images)))


@pytest.mark.slow
def test_blocks_are_computed_twice_under_a_compiler_as_well():
    network, images = net_of("cifar"), images_for("cifar")
    expected = step(copy.deepcopy(network), images)
    network.set_grad_checkpointing()
    torch._dynamo.reset()
    compiled = torch.compile(network, fullgraph=True, backend="aot_eager")
    assert all(map(torch.allclose, step(compiled, images), expected))


@torch.no_grad()
def test_timm_loads_its_weights_from_safetensors(tmp_path):
    network = net_of("convnext")
    save_file(network.state_dict(), tmp_path / "model.safetensors")
    fresh = recform.build(WITH_HISTORY, "test_convnext", 10, image_size=64).eval()
    missing = load_checkpoint(fresh, str(tmp_path / "model.safetensors"))
    assert (missing.missing_keys, missing.unexpected_keys) == ([], [])
    images = images_for("convnext")
    assert torch.equal(fresh(images), network(images))


class Plain(nn.Module):
    """A net of nobody's library: four blocks, and a head."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(4))
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + torch.relu(block(x))
        return self.head(x.mean((2, 3)))


def test_a_net_of_ones_own_has_the_surface_too():
    images = images_for("cifar")
    network = recform.build("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", Plain(), image_size=32)
    logits, found = network.forward_intermediates(images)
    assert torch.equal(logits, network(images))
    assert [f.shape for f in found] == [(2, 8, 32, 32)] * 4
    layers = group_parameters(network, network.group_matcher(), reverse=True)
    assert layers["stem.weight"] < layers["blocks.0.weight"] < layers["blocks.3.weight"]
    assert layers["blocks.3.weight"] < layers["head.weight"]
    with pytest.raises(UserError, match="the backbone Plain has no reset_classifier"):
        network.reset_classifier(3)
    with pytest.raises(UserError, match="the backbone Plain has no get_classifier"):
        network.get_classifier()


# One net of each formula here; all of them in `make test-zoo`.
@pytest.mark.parametrize("net", [
    pytest.param(net, id=net.name, marks=() if net.backbone in CHOSEN else pytest.mark.slow)
    for CHOSEN in [("resnet18_cifar", "resnext29_2x64d_cifar")]
    for net in NAMED_NETS
])  # fmt: skip
@torch.no_grad()
def test_a_named_net_has_features_of_the_told_size(net):
    with torch.device("meta"):
        network = timm.create_model(net.name)
        _, height, width = network.default_cfg["input_size"]
        found = network.forward_intermediates(torch.empty(2, 3, height, width))[1]
    assert len(found) == len(network.feature_info) >= 3
    for feature, told in zip(found, network.feature_info, strict=True):
        assert feature.shape[1] == told["num_chs"]
        assert feature.shape[2] == -(-height // told["reduction"])
    layers = group_parameters(network, network.group_matcher(), reverse=True)
    assert set(layers) == {name for name, _ in network.named_parameters()}
