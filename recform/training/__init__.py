"""Training: a network, images and a recipe go in; a run on disk comes out.

    load_data(name, directory=None, *, image_size=None, limit_train=None, limit_test=None,
              cache_gb=None)
          -> DataSet
    recipe_for(data) -> Recipe, recipe_named(name) -> Recipe   # changed by dataclasses.replace
    seed_everything(seed)                   # before the network is made
    train(model, data, recipe, *, out, formula_text=None, backbone=None, seed=0, device="auto",
          resume=None, progress=None, command=(), compiled=False, keep=2)
          -> Summary                        # raises Interrupted, UserError
    read_run(path) -> Run

>>> import tempfile
>>> from dataclasses import replace
>>> from pathlib import Path
>>> from torch import nn
>>> seed_everything(0)
>>> data = load_data("digits", limit_train=256, limit_test=64)
>>> model = nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(3 * 8 * 8, data.num_classes))
>>> recipe = replace(recipe_for("digits"), epochs=4)
>>> with tempfile.TemporaryDirectory() as place:
...     summary = train(model, data, recipe, formula_text="x[l+1] = F(x[l])", backbone="linear",
...                     device="cpu", out=Path(place) / "run")
...     run = read_run(Path(place) / "run")
>>> [metrics.epoch for metrics in run.metrics], run.summary == summary, summary.final_top1 > 50
([1, 2, 3, 4], True, True)

A run:

    train          the door: a run from its first step, or a checkpoint, to its summary
    loop           the steps, epoch by epoch
    descent        optimizer, schedule, losses and mean weights of a recipe
    progress       what a run tells of itself meanwhile
    boards         the same for TensorBoard and Weights & Biases
    stop           stopping where a run can be taken up again
    memory         too little of it, told as such
    fine           a beginning with weights learned elsewhere
    randomness     where chance comes from

Recipes:

    recipe         how a network is trained, frozen
    recipes        those of the sources, by name
    settings       one of them changed by words, or by a TOML file

On disk:

    run            what a run leaves
    record         what it says of itself
    description    that, checked before it is used
    checkpoint     all that it needs to go on
    gates          how the network weighs its paths, epoch by epoch
    disk           which files there are, and why one cannot be read

Devices:

    device         cpu and cuda; the one file that may read the environment
    xla            torch_xla
    tpu            torch_tpu
    team           processes that train one network together
    sharding       weights dealt out to them

Data:

    data           the data sets, by name
    dataset        images with labels, in two parts
    digits         handwritten digits that need no download
    cifar          CIFAR-10 and CIFAR-100
    fashion        Fashion-MNIST
    imagenet       ImageNet-1k
    imagenet_a     ImageNet-A
    birds          Caltech-UCSD Birds
    hub            data sets of the Hugging Face hub
    folder         your own images, a folder a class
    listing        such a folder looked through
    shards         images in tar files
    shard_index    what their index says
    scanning       where in them the pictures lie
    shard_writing  a data set written as shards
    pictures       pictures that something opens by number
    decoding       a picture's file becomes a square
    unpickle       pickles read without running what they say
    inspect        a data set looked over before hours are spent on it

The images of an epoch:

    batches        batch by batch
    augment        changed at random
    colors         their colours changed
    crew           the processes that fetch them from disk

A trained network, asked:

    judge          how often it is right, and what it takes a picture for
    extract        what it sees, as arrays
"""

from recform.training.batches import evaluation_batch as evaluation_batch
from recform.training.boards import TensorBoard as TensorBoard
from recform.training.boards import Wandb as Wandb
from recform.training.checkpoint import Learned as Learned
from recform.training.checkpoint import read_learned as read_learned
from recform.training.checkpoint import read_weights as read_weights
from recform.training.data import DATA_SETS as DATA_SETS
from recform.training.data import load_data as load_data
from recform.training.data import recipe_for as recipe_for
from recform.training.dataset import DataSet as DataSet
from recform.training.device import num_cuda_devices as num_cuda_devices
from recform.training.device import pick_device as pick_device
from recform.training.extract import check_features_file as check_features_file
from recform.training.extract import extract as extract
from recform.training.extract import save_features as save_features
from recform.training.fine import take_over as take_over
from recform.training.folder import Files as Files
from recform.training.inspect import DataReport as DataReport
from recform.training.inspect import PartReport as PartReport
from recform.training.inspect import damage as damage
from recform.training.inspect import inspect as inspect
from recform.training.judge import Guess as Guess
from recform.training.judge import evaluate_on as evaluate_on
from recform.training.judge import guesses as guesses
from recform.training.judge import norms_of_the_batch as norms_of_the_batch
from recform.training.loop import Score as Score
from recform.training.memory import memory_told as memory_told
from recform.training.progress import EpochMetrics as EpochMetrics
from recform.training.progress import Plan as Plan
from recform.training.progress import Progress as Progress
from recform.training.progress import Several as Several
from recform.training.progress import Silent as Silent
from recform.training.progress import StepReport as StepReport
from recform.training.randomness import seed_everything as seed_everything
from recform.training.recipe import Recipe as Recipe
from recform.training.recipes import RECIPES as RECIPES
from recform.training.recipes import recipe_named as recipe_named
from recform.training.run import Run as Run
from recform.training.run import RunFolder as RunFolder
from recform.training.run import Summary as Summary
from recform.training.run import is_held as is_held
from recform.training.run import read_config as read_config
from recform.training.run import read_run as read_run
from recform.training.settings import recipe_asked as recipe_asked
from recform.training.settings import with_settings as with_settings
from recform.training.shard_writing import write_shards as write_shards
from recform.training.stop import Interrupted as Interrupted
from recform.training.stop import listening as listening
from recform.training.team import is_leader as is_leader
from recform.training.train import checkpoint_to_resume as checkpoint_to_resume
from recform.training.train import train as train
