"""From a formula to an nn.Module.

Two doors: `compile` for blocks of any library, `build` for a real backbone. Both read the same
tape and end in straight-line PyTorch.

    Tape --place--> Tape with projections --emit(parts)--> fx graph --> nn.Module
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
