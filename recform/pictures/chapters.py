"""What a report tells of formulas: a chapter for each, and how they compare."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from recform.errors import UserError
from recform.formula import Formula, to_mathml
from recform.paths import Analysis, ClosedForm, Finding, warnings_of
from recform.paths.gain import growth_curve
from recform.pictures.counts import READINGS, count_to_text, counts_of
from recform.pictures.drawn import Embedded, embed
from recform.pictures.facts import (
    block_rows,
    forms_of,
    gains_to_text,
    growth_to_text,
    law_to_text,
    mean_to_text,
    recurrence_to_text,
    shorten,
)
from recform.pictures.growing import growth
from recform.pictures.histograms import histogram
from recform.pictures.maps import routes
from recform.pictures.run_files import formula_name
from recform.pictures.side_by_side import side_by_side
from recform.pictures.wires import wiring

# Steps of the unrolled network that are drawn: more cannot be followed by eye.
STEPS_DRAWN = 4
GROWTH = "Growth of the signal per layer, where every block multiplies by a gain"
# A longer word is broken off at its end: the page is read, not computed with.
LONGEST = 600
# A row of the histogram has room for two formulas, a page for six; more have a picture each.
ABREAST = 2
MOST_TOGETHER = 6


@dataclass(frozen=True)
class Chapter:
    """A formula on the page. Rows are cells of text; `expansions` are markup, left and right."""

    name: str
    title: str
    anchor: str
    mathml: Markup
    text: str
    warnings: tuple[Finding, ...]
    expansions: tuple[tuple[Markup, Markup], ...]
    counted: str
    counts: tuple[Embedded, ...]
    totals: tuple[tuple[str, ...], ...]
    laws: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]
    inverse: tuple[str, ...]
    pictures: tuple[Embedded, ...]
    blocks: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Beside:
    """Formulas side by side: a column for each, and pictures of all."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    pictures: tuple[Embedded, ...]


def beside(analyses: Sequence[Analysis], names: Sequence[str]) -> Beside:
    """Several formulas compared."""
    return Beside(
        header=("", *names),
        rows=tuple(map(tuple, side_by_side(analyses))),
        pictures=_together(analyses) if len(analyses) <= MOST_TOGETHER else (),
    )


def _together(analyses: Sequence[Analysis]) -> tuple[Embedded, ...]:
    """Pictures of all; formulas without a growth rate are named below that of the others."""
    counted = embed(
        "Paths by the number of blocks on them",
        lambda: histogram(analyses, num_columns=min(ABREAST, len(analyses))),
    )
    growing = [analysis for analysis in analyses if _has_growth(analysis)]
    without = [name_of(analysis) for analysis in analyses if not _has_growth(analysis)]
    caption = GROWTH + (f" (without {', '.join(without)})" if growing and without else "")
    formulas = [analysis.formula for analysis in growing or analyses]
    return counted, embed(caption, lambda: growth(formulas))


def _has_growth(analysis: Analysis) -> bool:
    try:
        growth_curve(analysis.formula, [0.0])
    except UserError:
        return False
    return True


def chapter(analysis: Analysis, name: str, anchor: str, is_alone: bool) -> Chapter:
    """A formula's chapter; one that `is_alone` is in no picture with others, and has its own."""
    formula = analysis.formula
    found = analysis.reversibility
    return Chapter(
        name=name,
        title=formula.title,
        anchor=anchor,
        mathml=Markup(to_mathml(formula)),
        text=str(formula),
        warnings=warnings_of(analysis),
        expansions=tuple(_expanded(analysis)),
        counted=f"Paths of {analysis.derivative()}",
        counts=(_histogram(analysis),) if is_alone else (),
        totals=tuple(_totals(analysis)),
        laws=tuple(_laws(analysis)),
        sentences=tuple(_sentences(analysis)),
        inverse=found.inverse if found is not None and found.is_reversible else (),
        pictures=_pictures(analysis, is_alone),
        blocks=tuple(map(tuple, block_rows(analysis))) if analysis.is_shallow else (),
    )


def name_of(analysis: Analysis) -> str:
    """A formula's short title, or its equations."""
    return formula_name(str(analysis.formula))


def _histogram(analysis: Analysis) -> Embedded:
    readings = "; ".join(f"{name}: {what}" for name, what in READINGS.items())
    return embed(f"Paths by the number of blocks on them. {readings}",
                 lambda: histogram([analysis]))  # fmt: skip


def _pictures(analysis: Analysis, is_alone: bool) -> tuple[Embedded, ...]:
    formula = analysis.formula
    drawn = [
        _wiring(formula, max(1, min(analysis.depth, STEPS_DRAWN))),
        embed("Gross paths through each block, by the number of blocks on them",
              lambda: routes([formula], analysis.depth, analysis.start)),
    ]  # fmt: skip
    if is_alone:
        drawn.append(embed(GROWTH, lambda: growth([formula])))
    return tuple(drawn)


def _wiring(formula: Formula, depth: int) -> Embedded:
    """With as many steps unrolled, up to `depth`, as there is room for."""
    caption = f"One step of the recursion, and {depth} of them unrolled"
    drawn = embed(caption, lambda: wiring([formula], depth))
    return drawn if drawn.uri or depth <= 1 else _wiring(formula, depth - 1)


def _expanded(analysis: Analysis) -> list[tuple[Markup, Markup]]:
    if not analysis.is_shallow:
        return []
    return [
        (_typeset(analysis.derivative(depth)), _typeset(shorten(expansion, LONGEST)))
        for depth, expansion in analysis.expansions.items()
    ]


def _typeset(word: str) -> Markup:
    """A word with its indices below the line, and a stroke for a derivative."""
    escaped = str(escape(word.replace("'", "′")))
    return Markup(re.sub(r"\[(-?\d+)\]", r"<sub>\1</sub>", escaped))


def _totals(analysis: Analysis) -> list[tuple[str, ...]]:
    if analysis.counts_reason is not None:
        return [("net, gross", analysis.counts_reason, "")]
    rows = {reading: counts_of(analysis, reading) for reading in READINGS}
    lengths = {reading: mean_to_text(analysis, reading) for reading in analysis.mean_length}
    return [
        (reading, count_to_text(sum(row), room=40), lengths.get(reading) or "")
        for reading, row in rows.items()
        if row is not None
    ]


def _laws(analysis: Analysis) -> list[tuple[str, ...]]:
    """Name of the reading, name of the law, law."""
    laws: list[tuple[str, ...]] = []
    for name, form in forms_of(analysis.closed) if analysis.closed is not None else ():
        laws += [(name if place == 0 else "", *law) for place, law in enumerate(_of(form))]
    found = analysis.distinct_conjecture
    if found is not None:
        right = f"{recurrence_to_text('D', found.coefficients)} for n >= {len(found.first)}"
        checked = f"conjectured: no row to depth {found.checked_depth} contradicts it"
        laws.append(("distinct", "recurrence", f"D[n] = {right} ({checked})"))
    return laws


def _of(form: ClosedForm) -> list[tuple[str, str]]:
    laws = [("generating function", f"G(z, t) = {_cut(form.function.to_text())}")]
    if form.recurrence:
        right = _cut(recurrence_to_text("P", form.recurrence))
        laws.append(("recurrence", f"P[n] = {right} for n >= {form.function.holds_from}"))
    if form.entry is not None:
        laws.append(("paths through k of n blocks", str(form.entry)))
    if form.triangle is not None:
        number = f" (OEIS {form.triangle.oeis})" if form.triangle.oeis else ""
        laws.append(("known as", f"{form.triangle.name}{number}"))
    return [*laws, ("in total", growth_to_text(form))]


def _sentences(analysis: Analysis) -> list[str]:
    closed = analysis.closed
    if closed is None:
        return [f"No closed form: {analysis.closed_reason}"]
    gains = analysis.bounded_gains
    told = [] if gains is None else [_cut(gains_to_text(analysis, gains))]
    return [*told, law_to_text(closed)]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text):,} letters)"
