"""evaluate, predict, data, sweep and fine-tuning, from the command line."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, fields

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.transforms import v2
from typer.testing import CliRunner

from recform.cli import jobs as jobs_file
from recform.cli import sweep as sweep_file
from recform.cli.beginning import Beginning, beginning_asked
from recform.cli.main import app
from recform.cli.weights import load_weights
from recform.errors import UserError
from recform.network import build
from recform.training import (
    Summary,
    TensorBoard,
    evaluate_on,
    evaluation_batch,
    load_data,
    norms_of_the_batch,
    read_weights,
    take_over,
)

from .test_folder import write_images

SMALL = ["--limit-train", "64", "--limit-test", "32", "--batch-size", "16", "--device", "cpu"]


SUMMARY = {field.name: None for field in fields(Summary)}


def run(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on a few digits."""
    out = tmp_path_factory.mktemp("runs") / "run"
    assert run("train", "resnet_s_net", "--epochs", 2, "--out", out, *SMALL).exit_code == 0
    return out


def test_a_run_is_judged_as_it_was_when_it_was_trained(trained):
    summary = json.loads((trained / "summary.json").read_text())
    (found,) = json.loads(run("evaluate", trained, "--json").stdout)
    assert (found["image_size"], found["top1"]) == (32, summary["best_top1"])
    assert (found["num_images"], found["epoch"]) == (32, summary["best_epoch"])
    assert found["checkpoint"] == str(trained / "checkpoints" / "best.pt")


def test_all_test_images_are_taken_on_demand(trained):
    assert (
        json.loads(run("evaluate", trained, "--all-test", "--json").stdout)[0]["num_images"] == 360
    )
    assert run("evaluate", trained, "--all-test", "--limit-test", 3).exit_code == 2
    with pytest.raises(UserError, match="--limit-test must be 1 or more"):
        run("evaluate", trained, "--limit-test", 0)


def test_it_is_told_what_was_judged_on_what(trained):
    summary = json.loads((trained / "summary.json").read_text())
    best = trained / "checkpoints" / "best.pt"
    done = run("evaluate", trained, "--limit-test", 1)
    assert f"\n1 test image; {best}, after epoch {summary['best_epoch']}\n" in done.stdout
    assert "note" not in done.stderr
    best.rename(trained / "kept.pt")
    try:
        done = run("evaluate", trained)
    finally:
        (trained / "kept.pt").rename(best)
    assert f"note: {best} is not there; last.pt is taken" in done.stderr
    assert "32 test images" in done.stdout
    assert "last.pt, after epoch 2\n" in done.stdout


def test_several_resolutions_are_several_rows(trained):
    told = run("evaluate", trained, "--resolutions", "24,32", "--limit-test", 16).stdout
    assert [line.split()[0] for line in told.splitlines()[1:3]] == ["24", "32"]
    for wrong in ("small", "0", "224,-1", "10001"):
        with pytest.raises(UserError, match="no list of sides from 1 to 10,000 pixels"):
            run("evaluate", trained, "--resolutions", wrong)


def test_a_network_must_be_told_on_what_it_is_judged(trained, tmp_path):
    run("build", "resnet", "--backbone", "resnet20_cifar", "--num-classes", 10, "-o", tmp_path)
    with pytest.raises(UserError, match="does not say what images it is for"):
        run("evaluate", tmp_path)
    (found,) = json.loads(
        run("evaluate", tmp_path, "--data", "digits", "--limit-test", 16, "--json").stdout
    )
    assert 0 <= found["top1"] <= found["top5"] <= 100


def test_another_number_of_classes_is_told(data):
    model = nn.Sequential(nn.Flatten(), nn.Linear(3072, 5))
    model.num_classes = 5
    with pytest.raises(UserError, match="the network has 5 classes, and digits has 10"):
        evaluate_on(model, data, device="cpu")


def test_batch_norms_can_take_the_statistics_of_the_batch():
    norm = nn.BatchNorm1d(2).eval()
    norm.running_mean.fill_(7)
    batch = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    with norms_of_the_batch(norm):
        assert torch.allclose(norm(batch), torch.tensor([[-1.0, -1.0], [1.0, 1.0]]), atol=1e-4)
    assert norm(batch)[0, 0] < -5
    assert norm.running_mean.tolist() == [7, 7]


def test_a_run_is_judged_with_the_statistics_of_the_batch(trained):
    words = ["evaluate", trained, "--limit-test", 64, "--json"]
    kept, fresh = (json.loads(run(*words, *more).stdout)[0]["loss"]
                   for more in ((), ("--batch-statistics",)))  # fmt: skip
    assert kept != fresh


def test_a_checkpoint_that_is_named_is_judged(trained):
    words = ["--limit-test", 64, "--json"]
    last = run("evaluate", trained / "checkpoints" / "last.pt", *words)
    (trained / "checkpoints" / "best.pt").rename(trained / "kept.pt")
    try:
        assert last.stdout == run("evaluate", trained, *words).stdout
    finally:
        (trained / "kept.pt").rename(trained / "checkpoints" / "best.pt")
    with pytest.raises(UserError, match="holds neither a network nor a run"):
        run("evaluate", trained / "formula.rf")


def test_a_picture_is_named_by_the_classes_of_the_run(trained, tmp_path):
    digits = load_data("digits")
    for number in range(2):
        v2.functional.to_pil_image(digits.test.pixels[number]).save(tmp_path / f"{number}.png")
    words = ["predict", trained, tmp_path / "0.png", tmp_path / "1.png"]
    answers = json.loads(run(*words, "--json").stdout)
    assert [len(answer["guesses"]) for answer in answers] == [5, 5]
    chances = [guess["chance"] for guess in answers[0]["guesses"]]
    assert chances == sorted(chances, reverse=True)
    assert answers[0]["guesses"][0]["name"] == str(answers[0]["guesses"][0]["label"])
    assert "%" in run(*words).stdout
    with pytest.raises(UserError, match=r"no picture .*gone\.png"):
        run("predict", trained, tmp_path / "gone.png")


def test_what_is_no_picture_is_not_to_be_removed(trained, tmp_path):
    (tmp_path / "README.md").write_text("words")
    with pytest.raises(UserError) as told:
        run("predict", trained, tmp_path / "README.md")
    (diagnostic,) = told.value.diagnostics
    assert diagnostic.message.endswith("README.md is no image that can be read: its content is of "
                                       "no known kind")  # fmt: skip
    assert diagnostic.hint == "name a picture instead, or leave it out"


def test_a_picture_is_seen_as_in_the_evaluation(trained, tmp_path):
    few = load_data("digits", limit_test=4)
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for path, pixels in zip(paths, few.test.pixels, strict=True):
        v2.functional.to_pil_image(pixels).save(path)
    answers = json.loads(run("predict", trained, *paths, "--json").stdout)
    network, _ = load_weights(trained)
    images, _ = evaluation_batch(few)
    with torch.no_grad():
        chances = network.eval()(images).softmax(1)
    for answer, expected in zip(answers, chances, strict=True):
        for guess in answer["guesses"]:
            assert guess["chance"] == pytest.approx(expected[guess["label"]].item(), abs=1e-5)


def test_data_sets_are_listed_and_looked_over(tmp_path):
    assert "fashion-mnist" in run("data", "list").stdout
    found = json.loads(run("data", "check", "digits", "--json").stdout)
    assert (found["train"]["num_images"], found["test"]["damaged"]) == (1437, [])
    write_images(tmp_path)
    (tmp_path / "val" / "ant" / "1.png").write_bytes(b"")
    with pytest.raises(UserError) as caught:
        run("data", "check", "folder", "--data-dir", tmp_path, "--image-size", 8)
    assert caught.value.code == "damaged-data"
    assert "1 damaged image: " in str(caught.value)


def test_fine_tuning_begins_with_the_weights_of_a_run(trained, tmp_path):
    write_images(tmp_path / "photos")
    done = run("train", "resnet_s_net", "--init-from", trained, "--data", "folder", "--data-dir",
               tmp_path / "photos", "--image-size", 32, "--epochs", 1, "--lr", 1e-9,
               "--batch-size", 4, "--set", "weight_decay=0", "--out", tmp_path / "run",
               "--device", "cpu")  # fmt: skip
    assert done.exit_code == 0
    assert "so new: fc.weight, fc.bias" in done.stderr
    before = read_weights(trained / "checkpoints" / "best.pt")
    after = read_weights(tmp_path / "run" / "checkpoints" / "last.pt")
    assert torch.allclose(before["conv1.weight"], after["conv1.weight"], atol=1e-6)
    assert after["fc.weight"].shape[0] == 2


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Files with the weights of a plain backbone, for ten classes: torch's, and safetensors."""
    folder = tmp_path_factory.mktemp("plain")
    model = build("resnet", "resnet20_cifar", 10)
    torch.save(model.state_dict(), folder / "plain.pth")
    save_file(model.state_dict(), folder / "plain.safetensors")
    return folder, model.state_dict()


@pytest.mark.parametrize("name", ["plain.pth", "plain.safetensors"])
def test_training_begins_with_the_weights_in_a_file(plain, tmp_path, name):
    folder, weights = plain
    words = ["--init-from", folder / name, "--limit-train", 8, "--limit-test", 4, "--epochs", 1,
             "--lr", 1e-9, "--set", "weight_decay=0", "--device", "cpu"]  # fmt: skip
    done = run("train", "resnet_s_net", *words, "--out", tmp_path / "run")
    assert done.exit_code == 0
    after = read_weights(tmp_path / "run" / "checkpoints" / "last.pt")
    for key, weight in weights.items():
        if "running" not in key and "num_batches" not in key:
            assert torch.allclose(weight, after[key], atol=1e-6)


def test_training_begins_with_a_checkpoint_of_a_run(trained, tmp_path):
    last = trained / "checkpoints" / "last.pt"
    assert beginning_asked(str(last)) == Beginning(run=last)
    assert beginning_asked(str(trained)) == Beginning(run=trained)
    assert beginning_asked("resnet50.a1_in1k") == Beginning(published="resnet50.a1_in1k")
    assert beginning_asked(None) == Beginning()


def test_a_beginning_that_is_not_there_is_told(tmp_path):
    for text, code in (("", "bad-argument"), (str(tmp_path / "gone.pth"), "no-such-file")):
        with pytest.raises(UserError) as caught:
            beginning_asked(text)
        assert caught.value.code == code
        assert caught.value.diagnostics[0].hint


def test_a_file_that_holds_no_weights_is_told(tmp_path):
    (tmp_path / "text.pth").write_text("hi\n")
    with pytest.raises(UserError, match="holds no weights that torch reads") as caught:
        run("train", "resnet", "--init-from", tmp_path / "text.pth", "--out", tmp_path / "run",
            "--limit-train", 8, "--limit-test", 4)  # fmt: skip
    assert caught.value.code == "no-weights"
    assert not (tmp_path / "run").exists()


def test_a_network_is_asked_whatever_has_become_of_the_figures_of_its_run(trained, tmp_path):
    copy = shutil.copytree(trained, tmp_path / "copy")
    (copy / "metrics.jsonl").write_bytes(b"\xff")
    (copy / "summary.json").write_text("")
    assert run("evaluate", copy, "--limit-test", 4).exit_code == 0


def test_weights_of_which_none_fits_are_refused():
    with pytest.raises(UserError, match="no weight of the network fits"):
        take_over(nn.Linear(3, 4), {"weight": torch.zeros(5, 5), "bias": torch.zeros(4)})


def test_settings_of_the_command_line_reach_the_run(tmp_path):
    out = tmp_path / "run"
    run("train", "resnet", "--recipe", "fast-cifar", "--set", "cutout=1/4", "--epochs", 1, "--amp",
        "bf16", "--out", out, *SMALL)  # fmt: skip
    recipe = json.loads((out / "config.json").read_text())["recipe"]
    assert (recipe["name"], recipe["cutout"], recipe["epochs"]) == ("fast-cifar", 0.25, 1)
    assert (recipe["amp"], recipe["optimizer"]) == ("bf16", "nesterov")
    with pytest.raises(UserError, match="no recipe 'quick'"):
        run("train", "resnet", "--recipe", "quick", "--out", tmp_path / "no")


@dataclass
class Ended:
    """A process that has ended with this code."""

    code: int

    def poll(self):
        return self.code

    wait = poll


@pytest.fixture
def by_run(monkeypatch):
    """In the place of processes a function of job and place, which gives an exit code."""
    monkeypatch.setattr(jobs_file, "SECONDS_BETWEEN_LOOKS", 0)

    def put(code_of):
        monkeypatch.setattr(jobs_file, "_start", lambda job, place, _: Ended(code_of(job, place)))

    return put


def test_a_sweep_trains_what_is_not_finished(tmp_path, by_run):
    ran = []

    def note(job, place):
        ran.append((job.words, place))
        job.folder.mkdir(parents=True)
        if "1" not in job.words[job.words.index("--seed") + 1]:
            (job.folder / "summary.json").write_text("{}")
            return 0
        return 1

    by_run(note)
    words = ["sweep", "resnet", "resnet_s", "--out", tmp_path, "--seeds", "0,1", "--backbones",
             "resnet20_cifar,resnet32_cifar", "--train", "--epochs 2"]  # fmt: skip
    with pytest.raises(UserError, match="4 of 8 runs failed"):
        run(*words)
    assert len(ran) == 8
    assert ran[0][0][:4] == ("train", "resnet", "--backbone", "resnet20_cifar")
    assert ran[0][0][-2:] == ("--epochs", "2")
    by_run(lambda job, place: ran.append(job) or 0)
    assert "8 runs are finished" in run(*words).stderr
    assert len(ran) == 12


def test_a_sweep_tells_what_was_made_by_other_options(tmp_path, by_run):
    def finish(job, place):
        job.folder.mkdir(parents=True)
        command = {"command": ["recform", *job.words]}
        (job.folder / "config.json").write_text(json.dumps(command))
        (job.folder / "summary.json").write_text(json.dumps(SUMMARY))
        return 0

    by_run(finish)
    words = ["sweep", "resnet", "--out", tmp_path, "--seeds", "0", "--train"]
    assert "1 run is finished" in run(*words, "--epochs 2").stderr
    assert "note" not in run(*words, "--epochs 2").stderr
    again = run(*words, "--epochs 9").stderr
    assert "finished before: 1 of 1 run\n" in again
    assert "was made otherwise: recform train resnet" in again
    assert "--epochs 2" in again


def test_each_of_several_gpus_has_a_run_of_its_own(tmp_path, monkeypatch, by_run):
    places = []
    monkeypatch.setattr(sweep_file, "_graphics_processors", lambda: ["0", "1"])
    by_run(lambda job, place: places.append(place) or 0)
    run("sweep", "resnet", "--out", tmp_path, "--seeds", "0,1,2,3,4,5")
    assert sorted(places) == ["0", "0", "0", "1", "1", "1"]


def test_an_interrupted_sweep_stops(tmp_path, by_run):
    ran = []
    by_run(lambda job, place: ran.append(job) or 130)
    done = run("sweep", "resnet", "--out", tmp_path, "--seeds", ",".join(map(str, range(50))))
    assert done.exit_code == 130
    assert "the same command goes on" in done.stderr
    assert len(ran) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "a"], "a is no seed"),
        (["--seeds", ","], "--seeds names nothing"),
        (["--train", "--seed 3"], "--seed belongs to the sweep"),
        (["--train", "--epochs '2"], "--train has a quote without its partner"),
        (["--seeds", "1,1"], "two runs would lie in .*resnet-resnet20_cifar-digits-1"),
    ],
)
def test_a_sweep_of_nonsense_is_refused(tmp_path, words, message):
    with pytest.raises(UserError, match=message):
        run("sweep", "resnet", "--out", tmp_path, *words)


@pytest.mark.slow
def test_a_real_sweep_can_be_compared(tmp_path):
    done = run("sweep", "resnet", "resnet_s", "--out", tmp_path, "--seeds", "0", "--train",
               f"--epochs 1 {' '.join(SMALL)}")  # fmt: skip
    assert done.exit_code == 0
    found = json.loads(run("compare", tmp_path, "--json").stdout)
    assert len(found["ranks"]) == 2


def test_tensorboard_that_is_not_installed_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match="TensorBoard is not installed"):
        TensorBoard(tmp_path)


def test_a_mistake_leaves_no_traceback(tmp_path):
    done = subprocess.run([sys.executable, "-m", "recform.cli.main", "predict", str(tmp_path), "a"],
                          capture_output=True, text=True, timeout=120)  # fmt: skip
    assert done.returncode == 1
    assert "error[bad-network]" in done.stderr
    assert "Traceback" not in done.stderr
