"""A million texts, none of which may crash or hang: `make fuzz`.

Texts are files of the gallery, of the diagnostics and of the corpus with random edits: bytes, words
of the language, pieces of other files, deep nesting, huge numbers, long lines. Each is a formula,
which is printed, read back and unrolled, or a FormulaError. Anything else is written to
tests/corpus, from where it is tried again by every run of the tests.

    python tests/fuzz.py --seconds 30
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random

from recform.errors import FormulaError
from recform.formula import parse, to_latex, to_mathml
from recform.formula.library import BLOCKS, CONSTRAINTS, FUNCTIONS
from recform.formula.reserved import KEYWORDS
from recform.tape import unroll

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "tests" / "corpus"
SEEDS = [
    path.read_text(encoding="utf-8")
    for folder in ("examples", "tests/diagnostics", "tests/corpus")
    for path in sorted((ROOT / folder).rglob("*.rf"))
]
WORDS = (
    *KEYWORDS, *FUNCTIONS, *BLOCKS, *CONSTRAINTS, "one_hot", "split", "L", "F", "G", "x", "y", "h",
    "x[l]", "x[l-1]", "F(x[l])", "a[l]", "a[l, i]", "A[l] @ h[l]", "h[4]", "x[s]", "..", "0..",
    "for i in 0..l", "if l % 2 == 0 else", "==", "<=", "+", "-", "*", "/", "%", "^", "@", "(", ")",
    "[", "]", ",", ";", "=", "\n", "#", "1/2", "0.1", "1e9", "10^9", "2^2^2^2^9", "10^12",
    "9999999",
    "sum(x[i] for i in 0..10^12)", "param a[l] = 0\n", "block T = se\n", "stream h[4] = input\n",
    "·", "×", "−", "σ", "Σ", "²", "é", "𝑥", "→", "\t", "\r", "\x00", "\ufeff", "\u2028", '"', "'",
    "\\",
)  # fmt: skip
DEPTH = 3


def fuzz(num_texts: int | None, seconds: float | None, seed: int) -> list[float]:
    """The seconds that each text took; raises the first exception that is no FormulaError."""
    random, taken, began = Random(seed), [], time.monotonic()
    while (num_texts is None or len(taken) < num_texts) and (
        seconds is None or time.monotonic() - began < seconds
    ):
        text = mutated(random)
        started = time.process_time()
        try:
            try_out(text)
        except Exception:
            keep(text)
            raise
        taken.append(time.process_time() - started)
        if taken[-1] > 2:
            keep(text)
            raise TimeoutError(f"{taken[-1]:.1f} s for {text[:200]!r}")
    return taken


def try_out(text: str) -> None:
    """A formula or a FormulaError: nothing else, and what is printed is read back."""
    try:
        formula = parse(text)
        assert parse(str(formula)) == formula, "what is printed is another formula"
        to_latex(formula)
        to_mathml(formula)
        str(unroll(formula, DEPTH))
    except FormulaError as error:
        # It is told without another exception.
        str(error)


def mutated(random: Random) -> str:
    """A file with a few random edits."""
    text = random.choice(SEEDS)
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        text = random.choice(MUTATIONS)(text, random)[:3_000]
    return text


def _insert(text: str, random: Random) -> str:
    place = random.randint(0, len(text))
    return text[:place] + random.choice(WORDS) + text[place:]


def _replace(text: str, random: Random) -> str:
    place = random.randint(0, len(text))
    return text[:place] + random.choice(WORDS) + text[place + random.randint(1, 6) :]


def _delete(text: str, random: Random) -> str:
    place = random.randint(0, len(text))
    return text[:place] + text[place + random.randint(1, 8) :]


def _repeat(text: str, random: Random) -> str:
    first, last = sorted(random.randint(0, len(text)) for _ in range(2))
    piece = text[first : min(last, first + 30)]
    return text[:last] + piece * random.choice((1, 2, 40)) + text[last:]


def _splice(text: str, random: Random) -> str:
    other = random.choice(SEEDS)
    return text[: random.randint(0, len(text))] + other[random.randint(0, len(other)) :]


def _noise(text: str, random: Random) -> str:
    place = random.randint(0, len(text))
    noise = random.randbytes(random.randint(1, 12)).decode("utf-8", "replace")
    return text[:place] + noise + text[place:]


def _nest(text: str, random: Random) -> str:
    place, depth = random.randint(0, len(text)), random.choice((3, 30, 300))
    opening = random.choice(("(", "F(", "-", "x[", "sum(", "not ", "2^"))
    closing = {"(": ")", "[": "]"}.get(opening[-1], "")
    return text[:place] + opening * depth + "x[l]" + closing * depth + text[place:]


def _swap_lines(text: str, random: Random) -> str:
    lines = text.split("\n")
    random.shuffle(lines)
    return "\n".join(lines)


MUTATIONS: tuple[Callable[[str, Random], str], ...] = (
    _insert, _insert, _replace, _replace, _delete, _repeat, _splice, _noise, _nest, _swap_lines,
)  # fmt: skip


def keep(text: str) -> None:
    """Write a text that went wrong into the corpus, under a name made of it."""
    name = f"{abs(hash(text)) % 10**10:010d}.rf"
    (CORPUS / name).write_text(text, encoding="utf-8", errors="replace")
    print(f"kept as tests/corpus/{name}", file=sys.stderr)


def main() -> None:
    """Print how many texts were tried, and how long they took."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--texts", type=int)
    arguments.add_argument("--seconds", type=float)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    try:
        taken = sorted(fuzz(given.texts, given.seconds, given.seed))
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    median = 1000 * taken[len(taken) // 2]
    print(f"{len(taken):,} texts, seed {given.seed}: median {median:.2f} ms, "
          f"worst {taken[-1]:.3f} s, {megabytes} MB at most")  # fmt: skip


if __name__ == "__main__":
    main()
