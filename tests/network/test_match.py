"""Parameters matched by width: as near as the widths allow, and kept wherever a network goes."""

import pickle

import pytest
import torch
from timm.models.regnet import model_cfgs

import recform
from recform.errors import UserError
from recform.network import num_parameters, size
from recform.network.create import BackboneSpec, create
from recform.network.regnets import regnet_candidates

SMALL = {"layers": (1, 1, 1, 1), "num_classes": 10}
MORE = "block G\nx[l+1] = act(x[l] + F(x[l]) + G(x[l]))"


def plain(backbone: str, **keywords: object) -> int:
    keywords.pop("image_size", None)
    num_classes = keywords.pop("num_classes", None)
    with torch.device("meta"):
        return num_parameters(
            create(BackboneSpec(backbone, num_classes, 3, tuple(keywords.items())), False)
        )


@pytest.mark.parametrize(
    ("formula", "backbone", "keywords", "share"),
    [
        (MORE, "resnet18", SMALL, 0.01),
        (MORE, "convnext_atto", {"depths": (1, 1, 2, 1)}, 0.01),
        (MORE, "vit_tiny_patch16_224", {"depth": 2, "img_size": 32, "image_size": 32}, 0.02),
        ("resnet_s_net", "regnety_004", {"num_classes": 10}, 0.01),
        # Their functions fix what their classes take.
        (MORE, "mixer_s32_224", {"num_classes": 10}, 0.01),
        ("resnet_s_net", "efficientnet_lite0", {"num_classes": 10}, 0.01),
    ],
)
def test_the_network_has_nearly_the_backbones_parameters(formula, backbone, keywords, share):
    with torch.device("meta"):
        network = recform.build(formula, backbone, match_params="backbone", **keywords)
    wanted = plain(backbone, **keywords)
    assert network.architecture.spec.matched
    assert abs(num_parameters(network) - wanted) < share * wanted


@pytest.fixture(scope="module")
def narrow():
    """Twice the blocks: widths go down by about the root of 2."""
    return recform.build(MORE, "resnet20_cifar", match_params="backbone").eval()


def test_no_other_widths_come_nearer(narrow):
    ((_, widths),) = narrow.architecture.spec.matched
    assert widths == (11, 23, 45)
    for channels in ((11, 22, 45), (11, 23, 46), (12, 23, 46)):
        other = num_parameters(recform.build(MORE, "resnet20_cifar", channels=channels))
        assert abs(num_parameters(narrow) - 272_474) <= abs(other - 272_474)


def test_other_widths_of_a_regnet_keep_its_stages():
    config = model_cfgs["regnety_004"]
    candidates = regnet_candidates(config)
    assert candidates[("w0", 48), ("wa", 27.89), ("wm", 2.09)] == 1
    assert len({factor for factor in candidates.values() if 0.9 < factor < 1.1}) > 20
    for pairs, factor in [*candidates.items()][::40]:
        with torch.device("meta"):
            wider = create(BackboneSpec("regnety_004", matched=pairs), pretrained=False)
        stages = [wider.get_submodule(f"s{number}") for number in (1, 2, 3, 4)]
        assert [len(list(stage.children())) for stage in stages] == [1, 3, 6, 6]
        assert (wider.num_features > 440) == (factor > 1) or abs(factor - 1) < 0.1


def test_a_count_that_no_widths_come_near_is_said():
    with torch.device("meta"):
        network = recform.build("resnet", "resnet20_cifar", match_params=6000)
        near = recform.build("resnet", "resnet20_cifar", match_params=272_474)
    (note,) = network.architecture.notes
    share = num_parameters(network) / 6000 - 1
    assert abs(share) > 0.01
    assert note == ("the nearest that the widths of resnet20_cifar come to 6,000 parameters is "
                    f"{abs(share):.1%} {'more' if share > 0 else 'fewer'}")  # fmt: skip
    assert near.architecture.notes == ()


def test_what_matches_already_stays_as_it_is():
    network = recform.build("resnet", "resnet20_cifar", match_params="backbone")
    assert network.architecture.spec.matched == ()


def test_the_plain_backbone_beside_it_has_its_full_width(narrow):
    sizes = size(narrow)
    assert sizes.baseline_params == 272_474
    assert sizes.params_ratio == pytest.approx(1, abs=0.02)
    assert sizes.macs_ratio < 1.1


def test_widths_go_with_a_pickle_and_a_folder(narrow, tmp_path):
    recform.save_network(narrow, tmp_path)
    images = torch.randn(2, 3, 32, 32)
    for twin in (pickle.loads(pickle.dumps(narrow)), recform.load_network(tmp_path).eval()):
        assert twin.architecture.spec.matched == narrow.architecture.spec.matched
        assert torch.equal(twin(images), narrow(images))


@pytest.mark.parametrize(
    ("backbone", "wanted", "code"),
    [
        ("resnext26ts", "backbone", "no-width"),
        ("resnet20_cifar", 5, "no-width"),
        ("resnet20_cifar", 0, "bad-argument"),
        ("resnet20_cifar", "half", "bad-argument"),
    ],
)
def test_what_cannot_be_matched_is_refused(backbone, wanted, code):
    with pytest.raises(UserError, match=code):
        recform.build("resnet", backbone, match_params=wanted)


def test_published_weights_have_one_width():
    with pytest.raises(UserError, match="no-weights"):
        recform.build("resnet", "resnet18", pretrained=True, match_params="backbone")


def test_an_instance_has_its_widths():
    backbone = create(BackboneSpec("resnet20_cifar"), pretrained=False)
    with pytest.raises(UserError, match="no-width"):
        recform.build("resnet", backbone, match_params="backbone")
