"""What a formula's paths and a training run look like: for paper, screen and terminal.

    Analysis --histogram--> Figure --save--> PNG, SVG, PDF
    Analysis --text_histogram--> lines for the terminal
    Formula --routes | wiring | growth--> Figure
    Formula --to_networkx--> networkx.DiGraph
    run folders --curves--> Figure
    run folder --gates | spectra--> Figure

>>> from recform.paths import analyze
>>> for line in text_histogram(analyze("resnet_s", depth=3), width=60):
...     print(line)
length  net  gross  distinct  net
     0    1      1         1  ██████████████████████████████
     1    1      5         1  ██████████████████████████████
     2    1      5         1  ██████████████████████████████
     3    1      1         1  ██████████████████████████████

and `save(histogram([analyze("resnet"), analyze("resnet_s")]), "paths.pdf")` makes a figure of both.
What draws with matplotlib is loaded on first use, so that the terminal stays light.

Paths:

    histograms    paths by length, drawn
    bars          the same as text, for the terminal
    maps          which blocks the paths go through
    growing       how fast the signal grows, against the gain
    counts        exact counts as text and as heights
    axis          the axis of counts

The wiring:

    wires         one step of the recursion, and the network unrolled
    recursion     one step as a diagram
    unrolled      the network as a diagram
    survivors     the wires of the surviving paths of one length
    diagram       boxes and wires, before they have a place
    layout        their places
    graph         the same for networkx

Runs:

    learning      accuracy and loss by epoch
    weighing      coefficients and gates in training
    probes        gradients by path length, and lesions
    run_files     what a run left on disk

Comparisons:

    ranks         who differs from whom
    fronts        formulas by cost and gain, and which nothing beats

Pages:

    page          a report: formulas and runs on one page
    chapters      what it tells of formulas
    trainings     what it tells of runs
    facts         an analysis in words, on the terminal as on a page
    side_by_side  one figure of several formulas in each row
    drawn         pictures inside a page

Every picture:

    figure        a figure that a notebook shows by itself
    theme         sizes and colours
    legends       the legend below
    typeset       the formula above
    suffixes      which files can be written
    saving        the file, whole or not at all
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from recform.pictures.bars import ASCII as ASCII
from recform.pictures.bars import UNICODE as UNICODE
from recform.pictures.bars import text_histogram as text_histogram

if TYPE_CHECKING:
    from recform.pictures.fronts import Dot as Dot
    from recform.pictures.fronts import front as front
    from recform.pictures.graph import to_networkx as to_networkx
    from recform.pictures.growing import growth as growth
    from recform.pictures.histograms import histogram as histogram
    from recform.pictures.learning import curves as curves
    from recform.pictures.maps import routes as routes
    from recform.pictures.page import report as report
    from recform.pictures.saving import save as save
    from recform.pictures.weighing import gates as gates
    from recform.pictures.weighing import spectra as spectra
    from recform.pictures.wires import wiring as wiring

_DRAWN = {
    "Dot": "fronts",
    "curves": "learning",
    "front": "fronts",
    "gates": "weighing",
    "growth": "growing",
    "histogram": "histograms",
    "report": "page",
    "routes": "maps",
    "save": "saving",
    "spectra": "weighing",
    "to_networkx": "graph",
    "wiring": "wires",
}


def __getattr__(name: str) -> object:
    if name in _DRAWN:
        return getattr(import_module(f"{__name__}.{_DRAWN[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_DRAWN])
