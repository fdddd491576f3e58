"""The identity law over timm: one model of each family, and a list of models beside it.

    python benchmarks/identity.py [NAME ...] [--report FILE] [--fresh]

`x[l+1] = act(x[l] + F(x[l]))` on a backbone is compared with the backbone, bit for bit: outputs,
gradients, buffers and keys, in training and evaluation, weights as made and perturbed. One thread.

Each row is written into the report as soon as it is known, and a sweep goes on where the last one
stopped: models that have a row are passed over, unless they are named, or with --fresh. Small
models come first; the whole takes hours. Ends with 1 if the law fails anywhere.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from timm.models import list_modules

from recform.errors import UserError
from recform.network import check_identity

REPORT = Path(__file__).parent / "results" / "identity.md"
LISTED = Path(__file__).parent / "identity_models.txt"
COLUMNS = ("model", "family", "law", "units", "in F and S", "image", "remark")
VERDICTS = ("holds", "refused", "fails")
# A mistake of ours is a row as well: the sweep goes on.
CRASHES = (RuntimeError, TypeError, ValueError, AttributeError, KeyError, IndexError,
           AssertionError)  # fmt: skip

# The smallest model of a family is not the first in the alphabet.
SMALL = {
    "byoanet": "eca_botnext26ts_256", "byobnet": "regnetz_b16_evos", "cait": "cait_xxs24_224",
    "coat": "coat_lite_tiny", "convit": "convit_tiny", "convmixer": "convmixer_768_32",
    "convnext": "convnext_atto", "cspnet": "darknet17", "cpubone": "cpubone_b0_bfrobust",
    "davit": "davit_tiny",
    "deit": "deit_tiny_patch16_224",
    "edgenext": "edgenext_xx_small", "efficientformer": "efficientformer_l1",
    "efficientformer_v2": "efficientformerv2_s0", "efficientnet": "mobilenetv2_035",
    "efficientvit_mit": "efficientvit_b0", "efficientvit_msra": "efficientvit_m0",
    "eva": "eva02_tiny_patch14_224", "fasternet": "fasternet_t0", "fastvit": "fastvit_t8",
    "focalnet": "focalnet_tiny_srf", "gcvit": "gcvit_xxtiny", "ghostnet": "ghostnet_050",
    "hardcorenas": "hardcorenas_a", "hgnet": "hgnetv2_b0", "hiera": "hiera_tiny_224",
    "hieradet_sam2": "sam2_hiera_tiny", "hrnet": "hrnet_w18_small", "iformer": "iformer_t",
    "inception_next": "inception_next_atto", "lcnetv2": "lcnetv2_small", "levit": "levit_128s",
    "lowformer": "lowformer_b0", "mambaout": "mambaout_femto", "maxxvit": "maxvit_rmlp_pico_rw_256",
    "metaformer": "poolformer_s12", "mlp_mixer": "gmlp_ti16_224",
    "mobilenetv3": "mobilenetv3_small_050", "mobilevit": "mobilevitv2_050",
    "mvitv2": "mvitv2_tiny", "naflexvit": "naflexvit_base_patch16_gap", "nest": "nest_tiny_jx",
    "nextvit": "nextvit_small", "nfnet": "nf_ecaresnet26", "pit": "pit_ti_224",
    "pvt_v2": "pvt_v2_b0", "regnet": "regnetx_002", "repghost": "repghostnet_050",
    "repvit": "repvit_m0_9", "res2net": "res2next50", "resnest": "resnest14d", "resnet": "resnet18",
    "resnetv2": "resnetv2_18", "senet": "legacy_seresnet18", "sequencer": "sequencer2d_s",
    "sknet": "skresnet18", "starnet": "starnet_s050", "swiftformer": "swiftformer_xs",
    "swin_transformer": "swin_tiny_patch4_window7_224",
    "swin_transformer_v2": "swinv2_tiny_window8_256",
    "swin_transformer_v2_cr": "swinv2_cr_tiny_ns_224", "tiny_vit": "tiny_vit_5m_224",
    "tnt": "tnt_s_legacy_patch16_224", "tresnet": "tresnet_m", "twins": "twins_svt_small",
    "visformer": "visformer_tiny", "vision_transformer": "vit_tiny_patch16_224",
    "vision_transformer_hybrid": "vit_tiny_r_s16_p8_224",
    "vision_transformer_relpos": "test_vit_relpos", "vitamin": "vitamin_small_224",
    "vision_transformer_sam": "samvit_base_patch16_224",
    "volo": "volo_d1_224", "xception_aligned": "xception41p", "xcit": "xcit_nano_12_p16_224",
}  # fmt: skip


# Of these, no small image will do: patches of 14 pixels.
SIDES = {"deepseek_vit_412m": 84}


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    model: str
    family: str
    law: str
    units: str
    coverage: str
    image: str
    remark: str

    def __str__(self) -> str:
        cells = (self.model, self.family, self.law, self.units, self.coverage, self.image,
                 self.remark)  # fmt: skip
        return f"| {' | '.join(cells)} |"


def main() -> int:
    torch.set_num_threads(1)
    options = _options()
    rows = {} if options.fresh else read_report(options.report)
    for name in options.models or wanted(set(rows)):
        began = time.perf_counter()
        rows[name] = check(name)
        write_report(options.report, list(rows.values()))
        seconds = time.perf_counter() - began
        print(f"{name}: {rows[name].law}, {seconds:.0f} s", flush=True)
    failed = [row.model for row in rows.values() if row.law == "fails"]
    if failed:
        print(f"the law fails for {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The identity law over timm.")
    parser.add_argument("models", nargs="*", metavar="NAME")
    parser.add_argument("--report", type=Path, default=REPORT, metavar="FILE")
    parser.add_argument("--fresh", action="store_true", help="pass over no row of the report")
    return parser.parse_args()


def wanted(known: set[str]) -> list[str]:
    """What has no row yet: one model of each family, small ones first, then the list."""
    first = set(representatives().values())
    others = [name for name in listed() if name not in first | known]
    return sorted(first - known, key=_num_params) + others


def representatives() -> dict[str, str]:
    """One model of each family, the smallest where the table names it."""
    # recform's own nets are registered with timm as well.
    registered = {family: timm.list_models(module=family, exclude_filters="recform_*")
                  for family in sorted(list_modules())}  # fmt: skip
    return {family: SMALL.get(family, models[0]) for family, models in registered.items() if models}


def listed() -> list[str]:
    """The models of identity_models.txt, each under 100 M parameters."""
    lines = LISTED.read_text(encoding="utf-8").splitlines()
    return [name for line in lines if not line.startswith("#") for name in line.split()]


def _num_params(name: str) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in timm.create_model(name).parameters())


def check(name: str) -> Row:
    """Whether the law holds for a model."""
    family = timm.models.model_entrypoint(name).__module__.split(".")[-1]
    try:
        found = check_identity(name, SIDES.get(name))
    except UserError as error:
        return Row(name, family, "refused", "-", "-", "-", error.diagnostics[0].message)
    except CRASHES as error:
        told = f"{type(error).__name__}: {error}".splitlines()[0]
        return Row(name, family, "fails", "-", "-", "-", told)
    law = "holds" if found.holds else "fails"
    return Row(name, family, law, str(found.num_units), f"{found.coverage:.0%}",
               str(found.image_size[1]), "; ".join(found.differences))  # fmt: skip


def read_report(report: Path) -> dict[str, Row]:
    """The rows that are there already, by model."""
    if not report.exists():
        return {}
    lines = report.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    rows = [Row(*row) for row in cells if len(row) == len(COLUMNS) and row[2] in VERDICTS]
    return {row.model: row for row in rows}


def write_report(report: Path, rows: list[Row]) -> None:
    """The whole report, into a new file that takes the place of the old one."""
    first = set(representatives().values())
    families = [row for row in rows if row.model in first]
    others = [row for row in rows if row.model not in first]
    head = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
    parts = [
        f"# The identity law over timm {timm.__version__}",
        f"{datetime.date.today()}, torch {torch.__version__.split('+')[0]}, CPU, one thread. Made\n"
        "by `python benchmarks/identity.py`. `in F and S` is the share of parameters in branches\n"
        "and shortcuts. A model that has no row has not been checked yet.",
        f"One model of each family, {_counts(families, len(first))}:",
        "\n".join([head, *map(str, families)]),
        f"Further models of benchmarks/identity_models.txt, {_counts(others, len(listed()))}:",
        "\n".join([head, *map(str, others)]),
    ]
    report.parent.mkdir(parents=True, exist_ok=True)
    new = report.with_suffix(".new")
    new.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    new.replace(report)


def _counts(rows: list[Row], num_models: int) -> str:
    laws = [row.law for row in rows]
    told = [f"{laws.count(word)} {word}" for word in VERDICTS]
    return f"{len(rows)} of {num_models} checked: {', '.join(told)}"


if __name__ == "__main__":
    sys.exit(main())
