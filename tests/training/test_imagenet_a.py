"""ImageNet-A's 200 classes are asked for among a network's 1,000 outputs."""

from importlib.resources import files

import pytest
import torch
from PIL import Image
from torch import nn
from typer.testing import CliRunner

from recform.cli.main import app
from recform.errors import UserError
from recform.training import evaluate_on, load_data
from recform.training.dataset import check_trainable

INFO = files("timm.data") / "_info"
SYNSETS = (INFO / "imagenet_a_synsets.txt").read_text().split()
# Published by the authors with their data; timm keeps a copy.
OUTPUTS = [int(line) for line in (INFO / "imagenet_a_indices.txt").read_text().split()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    Image.new("RGB", (8, 8)).save(folder / "one.png")
    (folder / "README.txt").write_text("as in the archive")
    for synset in SYNSETS:
        (folder / "imagenet-a" / synset).mkdir(parents=True)
        (folder / "imagenet-a" / synset / "0.png").symlink_to(folder / "one.png")
    return folder


class Opinion(nn.Module):
    """Says the same of every image: the classes from the likeliest on."""

    def __init__(self, *classes, num_classes=1000):
        super().__init__()
        self.num_classes = num_classes
        self.logits = torch.zeros(num_classes)
        self.logits[list(classes)] = torch.arange(float(len(classes)), 0, -1)

    def forward(self, images):
        return self.logits.expand(len(images), -1)


@pytest.mark.parametrize("inside", ["", "imagenet-a"])
def test_its_classes_are_the_published_ones_among_the_thousand(folder, inside):
    data = load_data("imagenet-a", folder / inside, image_size=8)
    assert (data.num_train, data.num_test, data.num_classes) == (0, 200, 200)
    assert data.subset is not None
    assert list(data.subset.outputs) == OUTPUTS
    assert (data.subset.num_outputs, data.num_outputs) == (1000, 1000)
    assert data.classes[OUTPUTS.index(22)].startswith("bald eagle")


def test_outputs_for_other_classes_are_not_heard(folder):
    data = load_data("imagenet-a", folder, image_size=8)
    others = sorted(set(range(1000)) - set(OUTPUTS))
    # the likeliest four classes are none of the 200, the fifth has one image of the 200
    found = evaluate_on(Opinion(*others[-4:], OUTPUTS[17]), data, device="cpu")
    assert found.top1 == pytest.approx(0.5)


def test_networks_for_other_classes_are_refused(folder):
    data = load_data("imagenet-a", folder, image_size=8)
    with pytest.raises(UserError, match="the network has 200 classes, and imagenet-a has 1000"):
        evaluate_on(Opinion(0, num_classes=200), data, device="cpu")


def test_there_is_nothing_to_train_on(folder):
    data = load_data("imagenet-a", folder, image_size=8)
    with pytest.raises(UserError, match="no images to train on") as caught:
        check_trainable(data)
    assert "recform evaluate RUN --data imagenet-a" in str(caught.value)
    check_trainable(load_data("digits", limit_train=10))


def test_it_is_looked_over_without_a_training_part(folder):
    answer = CliRunner().invoke(app, ["data", "check", "imagenet-a", "--data-dir", str(folder),
                                      "--image-size", "8"])  # fmt: skip
    assert answer.exit_code == 0
    assert "200 classes" in answer.stdout


@pytest.mark.parametrize(
    ("synset", "message"),
    [(SYNSETS[5], f"lacks the folder {SYNSETS[5]}"), ("n01440764", "has the folder n01440764")],
)
def test_other_folders_are_no_imagenet_a(tmp_path, folder, synset, message):
    for name in {*SYNSETS} ^ {synset}:
        (tmp_path / name).symlink_to(folder / "imagenet-a" / SYNSETS[0])
    with pytest.raises(UserError) as caught:
        load_data("imagenet-a", tmp_path)
    assert caught.value.code == "no-data"
    assert message in str(caught.value)
