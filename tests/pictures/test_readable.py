"""Whatever is drawn can be read: no text leaves the page, no tick's name covers the next one's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from recform.compare import ScoreTable, compare
from recform.paths import analyze
from recform.pictures import Dot, curves, front, gates, growth, histogram, routes, spectra, wiring
from recform.pictures.legends import lay_out_legend
from recform.pictures.probes import probe
from recform.pictures.ranks import KINDS
from recform.pictures.typeset import cut_text, text_width

TITLE = "A title of $5_{ and \\frac that goes on and on, for its author had much to tell of it " * 2
LONG = (f"# {TITLE}\nx[l+1] = x[l] + F(x[l]) - 1/2*F(x[l-1]) + 1/3*F(x[l-2]) - 1/4*F(x[l-3]) "
        "+ 1/5*F(x[l-4]) - 1/6*F(x[l-5]) + 1/7*F(x[l-6]) - 1/8*F(x[l-7])")  # fmt: skip
NAMES = ("resnet", "resnet_s", "plain", "leapfrog", "momentum", "dense_sum", "delannoy")


@dataclass
class Page:
    """A figure that is drawn: its edges, all that is written on it, and the names of ticks."""

    edges: Bbox
    texts: list[tuple[str, Bbox]]
    ticks: list[list[Bbox]]


def drawn(figure: Figure) -> Page:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    axes = [axis for axes in figure.axes if axes.axison for axis in (axes.xaxis, axes.yaxis)]
    hidden = {label for axis in axes for label in axis.get_ticklabels(which="both")}
    named = [[label for label in axis.get_ticklabels() if in_view(axis, label)] for axis in axes]
    hidden -= {label for labels in named for label in labels}
    texts = [text for text in figure.findobj(Text)
             if text.get_visible() and text.get_text() and text not in hidden]  # fmt: skip
    return Page(
        figure.bbox,
        [(text.get_text(), text.get_window_extent(renderer)) for text in texts],
        [[label.get_window_extent(renderer) for label in labels] for labels in named],
    )


def in_view(axis: Axis, label: Text) -> bool:
    """Ticks outside of the limits have names, too, that are not drawn."""
    low, high = sorted(axis.get_view_interval())
    place = label.get_position()[axis.axis_name == "y"]
    return low <= place <= high and label.get_visible() and bool(label.get_text())


def compared(num_models: int, num_rows: int, kind: str) -> Figure:
    models = [f"{TITLE} {place}" if place == 1 else f"formula {place}"
              for place in range(num_models)]  # fmt: skip
    rows = [f"a data set {place} resnet20_cifar" for place in range(num_rows)]
    runs = {(model, row): (80.0 + i + j, 81.0 + i + j) for i, model in enumerate(models)
            for j, row in enumerate(rows)}  # fmt: skip
    return KINDS[kind](compare(ScoreTable(tuple(models), tuple(rows), runs)))


class Probed:
    """What a probe's picture reads, of a network with one block."""

    paths, mean, std, contribution, error = 1, 0.5, 0.1, 0.5, 10.0
    length, num_dropped, mean_error, std_error, name = 0, 1, 20.0, 1.0, "F[0]"

    @property
    def score(self) -> Probed:
        return self

    surviving = cancelled = intact = score

    @property
    def lengths(self) -> list[Probed]:
        return [self]

    blocks = sets = lengths


def course(folder, formula: str, num_runs: int) -> Figure:
    for place in range(num_runs):
        (folder / str(place)).mkdir()
        row = {"epoch": 1, "train_loss": 2.3, "test_loss": 2.3, "test_top1": 9, "test_top5": 50}
        (folder / str(place) / "metrics.jsonl").write_text(json.dumps(row))
        title = formula.replace("# ", f"# {place} ")
        config = {"formula": title, "backbone": "resnet20_cifar", "seed": 0}
        (folder / str(place) / "config.json").write_text(json.dumps(config))
    return curves(sorted(folder.iterdir()))


def weighed(folder, kind: Callable[[Path], Figure], num_epochs: int) -> Figure:
    """A run of three blocks, whose coefficients go up by a quarter an epoch."""
    (folder / "formula.rf").write_text(f"# {TITLE}\nparam a[l] = 0\nx[l+1] = x[l] + a[l]*F(x[l])\n")
    rows = [{"epoch": epoch, "depth": 3, "borders": [], "gates": {},
             "coefficients": {f"a[{block}]": 0.25 * epoch for block in range(3)}}
            for epoch in range(num_epochs)]  # fmt: skip
    (folder / "gates.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return kind(folder)


PICTURES = {
    "growth": lambda _: growth([*NAMES, LONG]),
    "growth, one of each": lambda _: growth([LONG]),
    "routes": lambda _: routes([LONG, "rk4"], depth=12),
    "routes, deep": lambda _: routes([*NAMES[:3]], depth=60),
    "histogram": lambda _: histogram([analyze(LONG, 6), analyze("rk4", 6)]),
    "histogram by depth": lambda _: histogram([analyze("rk4", d) for d in (1, 3, 6)], "auto", 3),
    "wiring": lambda _: wiring([LONG, "dense_sum"], 2),
    "curves": lambda folder: course(folder, LONG, 3),
    "curves of one": lambda folder: course(folder, LONG, 1),
    "differences": lambda _: compared(6, 4, "differences"),
    "intervals": lambda _: compared(6, 4, "intervals"),
    "scores": lambda _: compared(3, 4, "scores"),
    "scores of many rows": lambda _: compared(12, 14, "scores"),
    "scores of more": lambda _: compared(2, 80, "scores"),
    "front": lambda _: front([Dot(i, i, TITLE) for i in (1, 2, 6)], "kept", "paths"),
    "gates": lambda folder: weighed(folder, gates, 3),
    "gates of one epoch": lambda folder: weighed(folder, gates, 1),
    "spectra": lambda folder: weighed(folder, spectra, 3),
    "probe": lambda _: probe(Probed(), Probed(), f"{TITLE}\non resnet20_cifar, digits"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_all_that_is_written_can_be_read(name, tmp_path):
    page = drawn(PICTURES[name](tmp_path))
    for text, box in page.texts:
        # A pixel is for rounding.
        assert box.x0 > page.edges.x0 - 1, text
        assert box.x1 < page.edges.x1 + 1, text
        assert box.y0 > page.edges.y0 - 1, text
        assert box.y1 < page.edges.y1 + 1, text
    for boxes in page.ticks:
        assert not any(before.overlaps(after) for before, after in pairwise(boxes))


@pytest.mark.parametrize("name", ["curves of one", "probe"])
def test_a_single_epoch_or_length_has_the_one_tick_that_there_is(name, tmp_path):
    figure = PICTURES[name](tmp_path)
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes[:2]:
        shown = [label for label in axes.get_xticklabels() if in_view(axes.xaxis, label)]
        assert [label.get_text() for label in shown] == ["1" if name == "curves of one" else "0"]


def test_the_names_of_a_front_leave_the_axes_their_width(tmp_path):
    figure = PICTURES["front"](tmp_path)
    drawn(figure)
    assert figure.axes[0].get_position().width > 0.85


def test_a_legend_has_as_many_columns_as_its_longest_name_allows():
    assert lay_out_legend(["a", "b"]).num_columns == 2
    assert lay_out_legend(["a"] * 9).num_columns == 4
    # 52 letters are 52 * 0.6 * 8.5 = 265 points, and a page is 518.
    assert lay_out_legend(["a", "n" * 52]).num_columns == 1


def test_a_cut_text_is_the_longest_that_fits():
    cut = cut_text(TITLE, 200, 9)
    assert TITLE.replace("$", r"\$").startswith(cut.removesuffix("…"))
    longer = TITLE[: len(cut.replace("\\$", "$")) + 1].replace("$", r"\$") + "…"
    assert text_width(cut, 9) <= 200 < text_width(longer, 9)


def test_a_text_that_fits_is_left_as_it_is():
    assert cut_text("ResNet, $1", 200, 9) == r"ResNet, \$1"
