"""Sizes of images that a backbone does not take, or cannot shrink, are told as such."""

import pytest
from torch import nn

import recform
from recform.errors import UserError
from recform.network.create import BackboneSpec, create


@pytest.mark.parametrize(
    ("backbone", "side", "told"),
    [
        ("resnet20_cifar", -3, "the image size must be 1 or more, not -3"),
        ("resnet20_cifar", 0, "the image size must be 1 or more, not 0"),
        ("resnet20_cifar", 1, "1x1 are too small for resnet20_cifar: every state is one pixel"),
        ("resnet18", 4, "images of 4x4 are too small for resnet18: every state is one pixel"),
        ("convnext_atto", 3, "convnext_atto does not take images of 3x3: "),
        ("vit_tiny_patch16_224", 100, r"does not take images of 100x100: Input height \(100\)"),
    ],
)
def test_a_size_that_will_not_do_is_refused(backbone, side, told):
    with pytest.raises(UserError, match=rf"error\[bad-argument\]: .*{told}"):
        recform.build("resnet", backbone, image_size=side)


def test_the_backbones_own_size_is_the_hint():
    with pytest.raises(UserError, match=r"hint: --image-size 224 is its own \(image_size=224\)"):
        recform.build("resnet", "vit_tiny_patch16_224", image_size=100)


def test_a_size_that_one_stage_can_shrink_is_taken():
    assert recform.build("resnet", "resnet20_cifar", image_size=2).architecture.num_blocks == 9


def test_what_is_no_chain_at_any_size_is_told_so():
    with pytest.raises(UserError, match=r"no-units.*VGG adds no value to an earlier one"):
        recform.build("resnet", "vgg11", image_size=64)


def test_a_part_of_a_model_may_work_on_one_pixel():
    """There the size is that of the part's own states."""
    blocks: nn.Module = create(BackboneSpec("resnet20_cifar"), pretrained=False).layer3  # type: ignore[assignment]
    assert recform.build("resnet", blocks, in_chans=32, image_size=1).architecture.num_blocks == 3
