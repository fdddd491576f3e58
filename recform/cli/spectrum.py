"""recform spectrum: the paths of a network that was trained, weighted as training left them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recform.cli.arguments import JsonOption, StartOption
from recform.cli.output import print_json, table, talk
from recform.cli.place import picture_place

if TYPE_CHECKING:
    from recform.paths import Spectrum

EpochOption = Annotated[
    int | None, typer.Option(help="After this epoch; the last, if left out.", show_default=False)
]
PictureOption = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Draw all epochs: .png, .svg or .pdf.", show_default=False,
                 callback=picture_place),
]  # fmt: skip


def spectrum(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of `recform train`.", show_default=False)
    ],
    epoch: EpochOption = None,
    start: StartOption = 0,
    as_json: JsonOption = False,
    output: PictureOption = None,
) -> None:
    """Weigh a trained network's paths by its coefficients and gates, by length.

    \b
    Example:  recform spectrum runs/rezero -o spectrum.png

    Net is the sum over the paths of a length of the product of all weights along each, exact for
    the floats of the run; gates count by their mean weights on a batch of test images. Beside it
    what is drawn, every weight taken for 1. With --json: one object with formula, run, epoch,
    depth, start, net, gross, share, exact (net as fractions), mean_length and drawn.
    """
    from recform.paths import analyze, read_weights_log
    from recform.paths import spectrum as weigh

    log = read_weights_log(run)
    weights = log.at(epoch)
    found = weigh(log.tape(), weights, start)
    drawn = analyze(log.formula, log.depth, start).net
    if as_json:
        print_json({
            "formula": str(log.formula), "run": str(run), "epoch": weights.epoch,
            "depth": log.depth, "start": start, **_to_json(found),
            "drawn": None if drawn is None else [str(count) for count in drawn],
        })  # fmt: skip
    else:
        print(f"{log.formula}\n{run}, after epoch {weights.epoch}\n")
        _print(found, drawn)
    if output is not None:
        from recform.pictures import save, spectra

        save(spectra(run), output)
        talk(f"wrote {output}")


def _to_json(found: Spectrum) -> dict[str, Any]:
    return {
        "net": [_float(weight) for weight in found.net],
        "gross": [_float(weight) for weight in found.gross],
        "share": [float(share) for share in found.shares],
        "exact": [str(weight) for weight in found.net],
        "mean_length": None if found.mean_length is None else float(found.mean_length),
    }


def _print(found: Spectrum, drawn: Any) -> None:
    counts = [*map(str, drawn or ())]
    counts += ["-"] * (len(found.net) - len(counts))
    shares = found.shares or [Fraction(0)] * len(found.net)
    rows = [
        (str(length), _short(net), _short(gross), f"{100 * float(share):.2f} %", count)
        for length, (net, gross, share, count) in enumerate(
            zip(found.net, found.gross, shares, counts, strict=False)
        )
    ]
    print(table(("length", "net", "gross", "share of |net|", "drawn"), rows))
    if found.mean_length is not None:
        print(f"\nmean length {float(found.mean_length):.3f} blocks, by |net|")


def _float(weight: int | Fraction) -> float | None:
    """None for what is beyond a float."""
    try:
        return float(weight)
    except OverflowError:
        return None


def _short(weight: int | Fraction) -> str:
    number = _float(weight)
    return "too large" if number is None else f"{number:.4g}"
