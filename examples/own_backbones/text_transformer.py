"""A small GPT on text that comes with Python, its residual stream given by formulas.

The blocks are a hand-written attention and a hand-written MLP, by turns; how they are wired is
the formula's. Each formula trains on the same batches, from the same seed:

    python examples/own_backbones/text_transformer.py pre_ln hyper_connections denseformer

The text is the reference of Python's own `help()` (the standard library's `pydoc_data.topics`),
byte by byte. The last tenth is kept apart. Curves go to runs/text/curves.png, losses to
runs/text/losses.json.
"""

# B batch, T bytes of context, C channels, V 256 byte values

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from pydoc_data.topics import topics

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn import functional

import recform

CONTEXT, CHANNELS, HEADS, LAYERS = 64, 96, 4, 4
BATCH, LEARNING_RATE = 32, 3e-3


class Attention(nn.Module):
    """Causal self-attention, (B, T, C) to (B, T, C)."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(CHANNELS, 3 * CHANNELS)
        self.out = nn.Linear(CHANNELS, CHANNELS)

    def forward(self, x_BTC: Tensor) -> Tensor:
        heads = (t.unflatten(-1, (HEADS, -1)).transpose(1, 2) for t in self.qkv(x_BTC).chunk(3, -1))
        mixed = functional.scaled_dot_product_attention(*heads, is_causal=True)
        return self.out(mixed.transpose(1, 2).flatten(2))


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Linear(CHANNELS, 4 * CHANNELS), nn.GELU(), nn.Linear(4 * CHANNELS, CHANNELS)
    )


class Embedding(nn.Module):
    """Bytes (B, T) to vectors (B, T, C), with learned positions."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = nn.Embedding(256, CHANNELS)
        self.positions = nn.Embedding(CONTEXT, CHANNELS)

    def forward(self, bytes_BT: Tensor) -> Tensor:
        return self.bytes(bytes_BT) + self.positions.weight[: bytes_BT.shape[1]]


def blocks_for(formula: str) -> Mapping[str, Sequence[nn.Module]]:
    """Attentions and MLPs under their own names where the formula has them; else in turn, as F."""
    attentions, mlps = [Attention() for _ in range(LAYERS)], [mlp() for _ in range(LAYERS)]
    if recform.resolve(formula).blocks:
        return {"Attention": attentions, "Mlp": mlps}
    return {"F": [block for pair in zip(attentions, mlps, strict=True) for block in pair]}


def language_model(formula: str) -> nn.Module:
    """Bytes (B, T) to logits (B, T, V): embedding, the formula's network, head."""
    body = recform.compile(
        formula,
        blocks_for(formula),
        norm=lambda: nn.LayerNorm(CHANNELS),
        example=torch.zeros(1, CONTEXT, CHANNELS),
        channel_axis=-1,
    )
    return nn.Sequential(Embedding(), body, nn.LayerNorm(CHANNELS), nn.Linear(CHANNELS, 256))


def corpus() -> tuple[Tensor, Tensor]:
    """Training bytes and held-out bytes."""
    text = "\n".join(topics[name] for name in sorted(topics)).encode()
    data = torch.tensor(list(text))
    border = len(data) * 9 // 10
    return data[:border], data[border:]


def windows(data: Tensor, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """`count` windows (B, T), and the bytes that follow each of theirs."""
    starts = torch.randint(len(data) - CONTEXT, (count,), generator=random)
    index_BT = starts[:, None] + torch.arange(CONTEXT)
    return data[index_BT], data[index_BT + 1]


def loss_of(model: nn.Module, inputs_BT: Tensor, targets_BT: Tensor) -> Tensor:
    return functional.cross_entropy(model(inputs_BT).flatten(0, 1), targets_BT.flatten())


def train(formula: str, steps: int, seed: int = 0) -> dict[str, object]:
    """Held-out loss in nats a byte after every twentieth of the steps, and what it took."""
    torch.manual_seed(seed)
    model = language_model(formula)
    training, held_out = corpus()
    random = torch.Generator().manual_seed(seed)
    judged = windows(held_out, 128, torch.Generator().manual_seed(1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    begin, curve = time.perf_counter(), []
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss_of(model, *windows(training, BATCH, random)).backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // 20, 1) == 0:
            with torch.no_grad():
                curve.append((step, loss_of(model, *judged).item()))
    return {
        "curve": curve,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seconds": time.perf_counter() - begin,
    }


def draw(results: dict[str, dict], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for formula, result in results.items():
        axes.plot(*zip(*result["curve"], strict=True), label=formula)
    axes.set(xlabel="step", ylabel="held-out loss, nats a byte")
    axes.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    options = argparse.ArgumentParser(description="A small GPT by formulas.")
    options.add_argument("formulas", nargs="*", default=["pre_ln", "hyper_connections"])
    options.add_argument("--steps", type=int, default=400)
    options.add_argument("--out", type=Path, default=Path("runs/text"))
    asked = options.parse_args()
    results = {}
    for formula in asked.formulas:
        results[formula] = train(formula, asked.steps)
        last = results[formula]["curve"][-1][1]
        print(f"{formula:24} {results[formula]['parameters']:9,} parameters  "
              f"{results[formula]['seconds']:5.0f} s  held-out loss {last:.3f}")  # fmt: skip
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "losses.json").write_text(json.dumps(results, indent=1))
    draw(results, asked.out / "curves.png")


if __name__ == "__main__":
    main()
