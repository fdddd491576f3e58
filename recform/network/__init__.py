"""From a formula to an nn.Module.

Two doors: `compile` for blocks of any library, `build` for a real backbone. Both read the same
tape and end in straight-line PyTorch.

    Tape --place--> Tape with projections --emit(parts)--> fx graph --> nn.Module

The doors:

    build            a formula on a real backbone
    compile          a formula and any blocks, made into one module
    options          what `build` is asked for, checked before any work
    plan             the part of it that stays with the network
    architecture     what a built network is

Backbones by name:

    create           a plain backbone, by its name
    zoo              recform's own, for CIFAR-sized images
    named            the named nets: a formula on a backbone each
    registry         the named nets as timm models
    survey           what there is, and what is found in it
    stages           a backbone's stages and widths

A backbone taken apart:

    backbone         stem, a chain of residual units, head
    opening          the forward pass as one graph, opened down to its sums
    trace            one module's forward as a graph, with values
    calls            calls on tensors without data, none made twice
    ghost            a copy without data, to be traced in a model's place
    split            which additions are residual
    layout           passages between units that only rearrange
    shape            channels, and where they stand
    refusal          why a model is no chain of units
    resolution       images of a size that a backbone takes

A formula put in its place:

    assemble         the backbone's parts by the formula
    emit             the tape as nodes of a graph
    functions        gates, attention, maps of channels, as modules
    library          blocks that a formula defines
    learned          learned coefficients, as parameters
    projection       older values brought over a stage border
    widths           values as wide as `cat` and `split` make them, fit for a block
    style            the norms and activations of new parts
    overwriting      modules that work in place, kept from values read again
    running          shapes found by running an example
    dotted           parts under dotted names

A built network, used:

    surface          timm's own surface, along the formula
    context          masks and the like, refused
    features         states at stage borders, as timm's features
    places           where these lie in the backbone
    steps            the forward pass in steps, to stop at a feature
    grouping         layers for learning rates
    mode             evaluation for a while
    identity         the law that a backbone's own formula gives it back
    cost             parameters, multiply-accumulates, memory
    weighing         what coefficients and gates stand at

Weights and widths:

    starting         weights of the plain backbone
    match            widths at which the parameters are as many
    narrowing        widths that a model's name fixes
    regnets          widths of RegNets
    making           what each module's constructor was given

In less memory:

    memory           the door to both ways
    recompute        the forward pass in pieces that run again
    reversible       layers that keep no states
    reversible_plan  the way back through a layer
    remade           what older layers made, made again
    sums             sums read as equations

On disk:

    saved            a folder of three files
    timm_folder      a folder that timm loads
    export           ONNX, torch's programs, TorchScript
    exported         a network, or an extractor of features

As readable source:

    source           the file, checked to the last bit
    source_body      the graph up to what is handed on
    source_graph     features and head, opened where it helps
    source_lines     a graph as lines of Python
    source_tree      the modules as constructor lines
    source_words     Python's words for values
"""

from recform.network.architecture import Architecture as Architecture
from recform.network.build import build as build
from recform.network.compile import compile as compile
from recform.network.cost import Size as Size
from recform.network.cost import activation_bytes as activation_bytes
from recform.network.cost import num_macs as num_macs
from recform.network.cost import num_parameters as num_parameters
from recform.network.cost import size as size
from recform.network.create import BackboneSpec as BackboneSpec
from recform.network.export import FORMS as FORMS
from recform.network.export import check_export as check_export
from recform.network.export import export as export
from recform.network.identity import Identity as Identity
from recform.network.identity import check_identity as check_identity
from recform.network.memory import check_reversible as check_reversible
from recform.network.named import NAMED_NETS as NAMED_NETS
from recform.network.named import NamedNet as NamedNet
from recform.network.named import find_named_nets as find_named_nets
from recform.network.named import named_net as named_net
from recform.network.registry import create_named as create_named
from recform.network.registry import feature_extractor as feature_extractor
from recform.network.saved import load_network as load_network
from recform.network.saved import save_network as save_network
from recform.network.source import source_of as source_of
from recform.network.source import write_source as write_source
from recform.network.stages import BackboneStages as BackboneStages
from recform.network.stages import stages_of as stages_of
from recform.network.surface import FormulaNetwork as FormulaNetwork
from recform.network.survey import Description as Description
from recform.network.survey import Family as Family
from recform.network.survey import describe as describe
from recform.network.survey import families as families
from recform.network.survey import find_backbones as find_backbones
from recform.network.timm_folder import note_images as note_images
from recform.network.weighing import Weighing as Weighing
from recform.network.weighing import is_weighing as is_weighing
from recform.network.weighing import weighing as weighing
from recform.network.zoo import CIFAR_NETS as CIFAR_NETS
