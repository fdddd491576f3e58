"""A network measured against its formula's paths, as Veit et al. (2016) measured ResNets.

    FormulaNetwork, images --study_paths--> gradient magnitude by path length
    FormulaNetwork, images --study_lesions--> loss and error without some of the blocks

>>> import torch
>>> from recform.network import build
>>> network = build("resnet_s_net", backbone="resnet20_cifar")
>>> study = study_paths(network, torch.randn(2, 3, 32, 32), torch.tensor([3, 7]))
>>> [row.surviving.paths for row in study.lengths]
[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]

Gradients:

    path_study  how much gradient the paths of each length carry
    gradients   gradients that take some paths and no others
    words       paths as words, counted and drawn without writing all down
    recording   a forward pass kept value by value

Lesions:

    lesions     what a network loses with some of its blocks

Both:

    resting     the network as it is probed, and statistics of a batch
"""

from recform.probe.gradients import WordGradient as WordGradient
from recform.probe.gradients import gradients_by_length as gradients_by_length
from recform.probe.gradients import word_gradients as word_gradients
from recform.probe.lesions import LesionStudy as LesionStudy
from recform.probe.lesions import blocks_of as blocks_of
from recform.probe.lesions import examine as examine
from recform.probe.lesions import study_lesions as study_lesions
from recform.probe.path_study import PathStudy as PathStudy
from recform.probe.path_study import study_paths as study_paths
from recform.probe.recording import Recording as Recording
from recform.probe.recording import record as record
from recform.probe.resting import with_statistics_of as with_statistics_of
from recform.probe.words import Words as Words
from recform.probe.words import cancelled_words as cancelled_words
from recform.probe.words import drawn_words as drawn_words
from recform.probe.words import surviving_words as surviving_words
