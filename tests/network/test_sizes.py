"""Every published size is reproduced to its last digit, or the reason why not is shown."""

from pathlib import Path

import pytest
import timm
import torch

from recform.network import num_parameters
from recform.network.named import NAMED_NETS
from tests.network.published import (
    CUT,
    DIFFERENT,
    IN_ERROR,
    Row,
    explained,
    network_of,
    num_operations,
    printed,
    rows,
)

ROWS = [row for row in rows() if row.id != IN_ERROR]


def classifier(row: Row, num_classes: int) -> int:
    """Parameters of the last layer: weights and a bias for each class."""
    return num_classes * (network_of(row).num_features + 1)


def own_classes(row: Row) -> int:
    return 10 if row.net.backbone.endswith("_cifar") else 1000


# Those that take a second and more of a processor.
LONG = {"Skip-ConvNeXt-S", "Skip-ConvNeXt-B", "Skip-ResNet-101", "Skip-ResNeXt-101-32x4d",
        "SEResNet101s", "ResNet101s", "Skip-RegNetY-1.6", "Skip-ResNet-110"}  # fmt: skip


def named(chosen: list) -> list:
    return [
        pytest.param(row, id=row.id, marks=[pytest.mark.slow] if row.model in LONG else [])
        for row in chosen
    ]


@pytest.mark.parametrize("row", named(ROWS))
def test_the_count_is_the_published_one_to_the_last_digit(row):
    count = num_parameters(network_of(row))
    if row.model in DIFFERENT:
        assert count == DIFFERENT[row.model].count
    else:
        assert printed(count / 1e6, row.params) == row.params
    assert row.net.params == count - classifier(row, row.classes) + classifier(
        row, own_classes(row)
    )


@pytest.mark.parametrize("row", named([row for row in ROWS if row.model in DIFFERENT]))
def test_where_it_is_not_the_reason_gives_the_published_number(row):
    difference = DIFFERENT[row.model]
    assert explained(row) == difference.explained
    assert printed(difference.explained / 1e6, row.params, CUT in difference.reason) == row.params


@pytest.mark.parametrize("row", named([row for row in ROWS if row.gflops]))
def test_operations_are_the_published(row):
    # SkipResNet's gates pool every state anew and begin with a product by zero, ours do not: 0.9 %
    # in ResNet-110. mmpretrain counts norms and activations as well.
    tolerance = 0.02 if row.source == "mmcls" else 0.01
    assert num_operations(row) / 1e9 == pytest.approx(float(row.gflops), rel=tolerance)


def test_resnet_50_for_imagenet_21k_was_published_with_the_size_of_a_swin():
    (row,) = [row for row in rows() if row.id == IN_ERROR]
    with torch.device("meta"):
        resnet = timm.create_model("resnet50", num_classes=row.classes)
        swin = timm.create_model("swin_base_patch4_window7_224", num_classes=0)
    assert num_parameters(resnet) == 46_499_861
    assert printed(num_parameters(swin) / 1e6, row.params) == row.params


def test_every_model_of_the_sources_has_a_named_net():
    nets = {row.net for row in rows()}
    published = {net for net in NAMED_NETS if net.published_as}
    assert published >= nets
    # The Swin rows of SkipResNet's table have accuracies, and no sizes.
    assert {net.skipresnet for net in published - nets} == {
        "SwinTiny-224", "Skip-SwinTiny-224", "SwinSmall-224", "Skip-SwinSmall-224"
    }  # fmt: skip


def test_the_docs_have_the_counts_that_differ():
    page = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
    for model, difference in DIFFERENT.items():
        counts = f"{difference.count:,} | {difference.explained:,} | {difference.reason} |"
        assert any(line.startswith(f"| {model} |") and line.endswith(counts)
                   for line in page.splitlines()), model  # fmt: skip
