"""A report: what is known of formulas and of runs, on one HTML page that needs nothing else.

Formulas are typeset in MathML, pictures are inside as SVG; there is no script, and nothing is
fetched. The same subjects make the same page, byte for byte.

>>> from recform.paths import analyze
>>> page = report([analyze("resnet_s", depth=6)])
>>> page[:15], "<h1>ResNet-s</h1>" in page
('<!doctype html>', True)
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from recform.errors import UserError
from recform.paths import Analysis
from recform.pictures.chapters import MOST_TOGETHER, beside, chapter, name_of
from recform.pictures.trainings import training

# Names in the title; more are counted.
MOST_NAMED = 3


def report(analyses: Sequence[Analysis], runs: Sequence[str | Path] = ()) -> str:
    """The page: formulas side by side, a chapter for each, then the runs and what they support.

    What has no picture at its size is told by the reason. Raises UserError `bad-argument` for
    nothing to report, and `bad-run` for a folder without a run, or with a damaged one.
    """
    if not analyses and not runs:
        raise UserError("bad-argument", "a report needs a formula or a run",
                        "recform report resnet_s -o report.html")  # fmt: skip
    names = _distinct_names([name_of(analysis) for analysis in analyses])
    is_alone = len(analyses) == 1 or len(analyses) > MOST_TOGETHER
    chapters = [
        chapter(analysis, name, f"formula-{number}", is_alone)
        for number, (analysis, name) in enumerate(zip(analyses, names, strict=True), start=1)
    ]
    links = [("Side by side", "side-by-side")] if len(analyses) > 1 else []
    links += [(chapter.name, chapter.anchor) for chapter in chapters]
    links += [("Training", "training")] if runs else []
    return _template().render(
        title=_title(names) or "Training",
        links=links,
        beside=beside(analyses, names) if len(analyses) > 1 else None,
        chapters=chapters,
        training=training([Path(run) for run in runs]) if runs else None,
        footer=f"recform {version('recform')}. Counts are exact; net counts paths with sign, gross "
        "as drawn, distinct those that survive cancellation.",
    )


def _template():
    environment = Environment(
        loader=PackageLoader("recform.pictures", package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


def _title(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _distinct_names(names: Sequence[str]) -> list[str]:
    """Names that several formulas have get a number."""
    return [
        name if names.count(name) == 1 else f"{name} ({names[: place + 1].count(name)})"
        for place, name in enumerate(names)
    ]
