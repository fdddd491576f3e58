"""The page of a report: whole, on its own, and telling what the analysis tells."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from recform.errors import UserError
from recform.paths import analyze
from recform.pictures import report
from tests.pictures.test_learning_curves import make_run

# Elements that HTML closes by itself.
VOID = {"meta", "img", "br", "hr", "link"}
DATA = {"name": "digits", "num_train": 1437, "num_test": 360, "image_size": 32}
RESNET = "x[l+1] = x[l] + F(x[l])"


class Page(HTMLParser):
    """Tags that are open, addresses, pictures, and the text of every cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.anchors: set[str] = set()
        self.cells: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.addresses += [named[key] for key in ("src", "href") if key in named]
        self.anchors |= {named["id"]} if "id" in named else set()
        if tag in ("td", "th"):
            self.cells.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data.strip()


def row_after(page: Page, name: str, number: int) -> list[str]:
    place = page.cells.index(name)
    return page.cells[place + 1 : place + 1 + number]


def make_finished(folder: Path, formula: str, seed: int, top1: float) -> Path:
    run = make_run(folder, formula=formula, seed=seed, recipe={"epochs": 3}, data=DATA)
    summary = {"params": 272_474, "macs": 40_813_184, "seconds": 90.0, "images_per_second": 1234.5,
               "final_top1": top1, "best_top1": top1}  # fmt: skip
    (run / "summary.json").write_text(json.dumps(summary))
    return run


@pytest.mark.parametrize("formulas", [["resnet_s"], ["resnet", "revnet", "x[l+1] = F(x[l])"]])
def test_a_page_is_whole_and_fetches_nothing(formulas):
    page = Page(report([analyze(formula, 6) for formula in formulas]))
    assert page.open == []
    assert all(address.startswith(("data:image/svg+xml", "#")) for address in page.addresses)
    links = {address[1:] for address in page.addresses if address.startswith("#")}
    assert links <= page.anchors


def test_pictures_are_whole_files():
    page = Page(report([analyze("resnet", 4)]))
    pictures = [address for address in page.addresses if address.startswith("data:")]
    assert len(pictures) == 4
    for picture in pictures:
        root = ElementTree.fromstring(b64decode(picture.partition(",")[2]))
        assert root.tag.endswith("svg")


def test_the_totals_are_those_of_the_analysis():
    # Of 4 blocks, 2^4 subsets; ResNet-s keeps one path of each length and draws 29.
    page = Page(report([analyze("resnet_s", 4)]))
    assert row_after(page, "net", 1) == ["5"]
    assert row_after(page, "gross", 1) == ["29"]
    assert row_after(page, "distinct", 2) == ["5", "mean 2, standard deviation sqrt(2) ~ 1.414"]


def test_words_are_typeset():
    text = report([analyze(RESNET, 2)])
    assert "<td>d x<sub>2</sub> / d x<sub>0</sub></td>" in text
    assert "F′<sub>1</sub>F′<sub>0</sub>" in text


def test_a_long_sum_is_broken_off_behind_a_term():
    expansions = Page(report([analyze(RESNET, 6)])).cells
    (long,) = [cell for cell in expansions if "(64 terms)" in cell]
    assert long.endswith("F′+ ... (64 terms)")
    assert long.startswith("= 1 + F′+ F′")


def test_formulas_together_stand_side_by_side_and_are_told_apart():
    page = Page(report([analyze(RESNET, 3), analyze(RESNET, 4)]))
    assert "side-by-side" in page.anchors
    name = "x[l+1] = x[l] + F(x[l])"
    assert page.cells[1:3] == [f"{name} (1)", f"{name} (2)"]
    assert row_after(page, "paths, net", 2) == ["8", "16"]


def test_what_cannot_be_drawn_is_told():
    # Reads go back ever further, so that no recurrence of fixed order has a root to draw.
    text = report([analyze("x[l+1] = x[l] + F(x[(l - l % 2)/2])", 6)])
    assert re.findall(r"by a gain: not drawn, for (.*)\.</p>", text)
    assert Page(text).open == []


def test_a_wiring_with_too_many_boxes_shows_fewer_steps():
    # Four steps have 223 boxes, more than can be drawn.
    assert "and 1 of them unrolled" in report([analyze("mhc", 6)])


def test_a_title_is_text_whatever_it_holds():
    text = report([analyze(f"# <script>alert(1)</script> & more\n{RESNET}", 3)])
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_the_same_subjects_make_the_same_page(tmp_path):
    run = make_run(tmp_path / "run")
    pages = [report([analyze("momentum", 5)], [run]) for _ in range(2)]
    assert pages[0] == pages[1]


def test_runs_have_a_row_each(tmp_path):
    finished = make_finished(tmp_path / "a", RESNET, 0, 93.0)
    begun = make_run(tmp_path / "b", formula=RESNET, seed=1, num_parameters=9, recipe={"epochs": 8})
    page = Page(report([], [finished, begun]))
    places = [place for place, cell in enumerate(page.cells) if cell == RESNET]
    rows = [page.cells[place : place + 11] for place in places]
    settings = [RESNET, "resnet20_cifar", "digits"]
    assert rows[0] == [
        *settings,
        "0",
        "272,474",
        "40.8 M",
        "3",
        "93.00 %",
        "93.00 %",
        "1,234",
        "1.5",
    ]
    # Three epochs of 2.5 seconds.
    figures = ["9", "–", "3 of 8", "93.00 %", "93.00 %", "–", "0.1"]
    assert rows[1] == [*settings, "1", *figures]


def test_the_page_says_what_scores_support_and_which_runs_are_left_out(tmp_path):
    other = "x[l+1] = F(x[l])"
    runs = [make_finished(tmp_path / name, formula, 0, top1)
            for name, formula, top1 in (("a", RESNET, 93.0), ("b", other, 91.0))]  # fmt: skip
    text = report([], runs)
    assert "one row (data set x backbone) allows no test" in text
    # The better first, with its rank.
    assert row_after(Page(text), "mean rank", 3) == [RESNET, "93.00", "1.00"]
    begun = make_run(tmp_path / "c", formula=RESNET, seed=1)
    (started := tmp_path / "d").mkdir()
    text = report([], [*runs, begun, started])
    assert "one row (data set x backbone) allows no test" in text
    assert all(f"left out, for it is not finished: {run}" in text for run in (begun, started))
    assert "not compared: " in report([], [runs[0], make_finished(tmp_path / "e", RESNET, 0, 90)])


def test_formulas_without_a_growth_rate_are_named_beside_those_with_one():
    text = report([analyze("resnet", 4), analyze("deepnorm", 4)])
    assert "by a gain (without DeepNorm)</figcaption>" in text


def test_many_formulas_have_pictures_of_their_own():
    text = report([analyze(f"x[l+1] = {number}*x[l] + F(x[l])", 2) for number in range(1, 8)])
    assert text.count("<figcaption>Paths by the number of blocks on them") == 7


def test_nothing_makes_no_page():
    with pytest.raises(UserError, match="a report needs a formula or a run"):
        report([])
