"""recform backbones: families, backbones taken apart, the named nets, the identity law of one."""

import json

import pytest
import timm


def test_without_a_pattern_every_family_is_listed(here):
    done = here("backbones")
    assert done.returncode == 0
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names[:2] == ["family", "recform"]
    assert {"resnet", "vision_transformer", "convnext"} <= set(names)
    assert "recform backbones 'convnext_*'" in done.stderr


def test_families_in_json_count_timms_models(here):
    found = {family["name"]: family for family in json.loads(here("backbones", "--json").stdout)}
    assert found["resnet"]["num_models"] == len(timm.list_models(module="resnet"))


def test_a_pattern_shows_units_stages_and_coverage(here):
    done = here("backbones", "resnet20_cif*")
    head, row = done.stdout.splitlines()
    assert head.split()[:2] == ["backbone", "units"]
    assert row.split() == ["resnet20_cifar", "9", "100%", "3", "x", "16x32x32",
                           "3", "x", "32x16x16", "3", "x", "64x8x8"]  # fmt: skip


def test_json_has_the_numbers_of_the_row(here):
    (found,) = json.loads(here("backbones", "resnet20_cifar", "--json").stdout)
    assert (found["num_units"], found["num_params"], found["has_act"]) == (9, 272_474, True)
    assert [stage["num_units"] for stage in found["stages"]] == [3, 3, 3]
    assert found["refusal"] == ""


def test_what_is_no_chain_is_listed_with_the_reason(here):
    done = here("backbones", "vgg11")
    assert done.returncode == 0
    assert "it is a plain net" in done.stdout


def test_the_named_nets_stand_by_their_formulas(here):
    done = here("backbones", "recform_resnet50_skip*")
    assert done.returncode == 0
    assert "skip_resnet on resnet50: Skip-ResNet-50 (SkipResNet)" in done.stdout


def test_the_check_of_one_backbone_says_that_it_holds(here):
    done = here("backbones", "--check", "resnet20_cifar")
    assert done.returncode == 0
    assert "resnet20_cifar is its own formula to the last bit: 9 units, at 32x32" in done.stdout


def test_a_pattern_without_a_match_is_refused(here):
    done = here("backbones", "resnett*")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[unknown-backbone]" in done.stderr


@pytest.mark.parametrize("words", [("--check", "resnet20_cifar"), ("resnet20_cifar",)])
def test_an_image_without_pixels_is_refused(here, words):
    done = here("backbones", *words, "--image-size", 0)
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[bad-argument]: the image size must be 1 or more, not 0" in done.stderr


def test_the_check_of_a_plain_net_is_refused(here):
    done = here("backbones", "--check", "vgg11")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[no-units]" in done.stderr
