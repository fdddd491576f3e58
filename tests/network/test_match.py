"""Parameters matched by width: as near as the widths allow, and kept wherever a network goes."""

import pickle

import pytest
import torch

import recform
from recform.errors import UserError
from recform.network import num_parameters, size
from recform.network.create import BackboneSpec, create
from recform.network.match import Widths

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
        (MORE, "resnet18", SMALL, 0.05),
        (MORE, "convnext_atto", {"depths": (1, 1, 2, 1)}, 0.05),
        (MORE, "vit_tiny_patch16_224", {"depth": 2, "img_size": 32, "image_size": 32}, 0.1),
        # Groups of 8 and a first width of 24 leave few choices.
        (MORE, "regnety_002", {}, 0.4),
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


def test_the_stages_of_a_narrower_regnet_stay():
    narrower = Widths((("w0", 24), ("wa", 36.0)), 8).scaled(0.6)
    assert narrower == (("w0", 16), ("wa", 24.0))


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
        ("efficientnet_b0", "backbone", "no-width"),
        ("mixer_s16_224", "backbone", "does not let its embed_dim be set"),
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
