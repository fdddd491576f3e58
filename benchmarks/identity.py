"""The identity law over timm: one model of each family, or the models named.

    python benchmarks/identity.py [NAME ...] > benchmarks/results/identity.md

`x[l+1] = act(x[l] + F(x[l]))` on a backbone is compared with the backbone, bit for bit: outputs,
gradients, buffers and keys, in training and evaluation, weights as made and perturbed. One thread;
the whole takes about an hour.
"""

import datetime
import sys
import time

import timm
import torch
from timm.models import list_modules

from recform.errors import UserError
from recform.network import check_identity

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
    "volo": "volo_d1_224", "xception_aligned": "xception41p", "xcit": "xcit_nano_12_p16_224",
}  # fmt: skip


def main() -> None:
    torch.set_num_threads(1)
    names = sys.argv[1:] or representatives()
    print(
        f"""# The identity law over timm {timm.__version__}

{datetime.date.today()}, torch {torch.__version__}, CPU, one thread. Made by
`python benchmarks/identity.py`. `in F and S` is the share of parameters in branches and shortcuts.

| model | law | units | in F and S | image | remark |
|---|---|---|---|---|---|""",
        flush=True,
    )
    verdicts = []
    for name in names:
        began = time.perf_counter()
        verdict, row = verdict_of(name)
        verdicts.append(verdict)
        print(row, flush=True)
        seconds = time.perf_counter() - began
        print(f"{name}: {verdict}, {seconds:.0f} s", file=sys.stderr, flush=True)
    counts = ", ".join(f"{verdicts.count(word)} {word}" for word in ("holds", "refused", "fails"))
    print(f"\n{len(names)} models: {counts}.")


def representatives() -> list[str]:
    """One model of each family, the smallest where the table names it; small ones first."""
    registered = {name: timm.list_models(module=name) for name in sorted(list_modules())}
    names = [SMALL.get(family, models[0]) for family, models in registered.items() if models]
    return sorted(names, key=_num_params)


def _num_params(name: str) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in timm.create_model(name).parameters())


def verdict_of(name: str) -> tuple[str, str]:
    """Whether the law holds, and the row of the table."""
    try:
        found = check_identity(name)
    except UserError as error:
        return "refused", f"| {name} | refused | - | - | - | {error.diagnostics[0].message} |"
    except RuntimeError as error:
        return "fails", f"| {name} | fails | - | - | - | {str(error).splitlines()[0]} |"
    verdict = "holds" if found.holds else "fails"
    row = (name, verdict, str(found.num_units), f"{found.coverage:.0%}", str(found.image_size[1]),
           "; ".join(found.differences))  # fmt: skip
    return verdict, f"| {' | '.join(row)} |"


if __name__ == "__main__":
    main()
