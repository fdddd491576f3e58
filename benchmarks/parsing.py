"""How long a file of the gallery takes to be read, printed and unrolled, start-up apart.

    python benchmarks/parsing.py

For each file the best of five, in milliseconds of processor time; then the median and the slowest
over the gallery. A file is to be read in under 5 ms.
"""

import time
from collections.abc import Callable
from functools import partial

from recform import gallery_names, parse, resolve
from recform.tape import unroll

DEPTH = 16


def milliseconds(work: Callable[[], object]) -> float:
    """The best of five."""
    taken = []
    for _ in range(5):
        began = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - began))
    return min(taken)


def main() -> None:
    formulas = {name: resolve(name) for name in gallery_names()}
    print(f"{len(formulas)} files, milliseconds of processor time, best of five")
    print(f"{'':<24}{'median':>8}{'slowest':>9}")
    for label, work in {
        "read": lambda formula: parse(formula.source.text),
        "print": str,
        f"unroll to depth {DEPTH}": partial(unroll, depth=DEPTH),
    }.items():
        taken = {name: milliseconds(partial(work, formula)) for name, formula in formulas.items()}
        slowest = max(taken, key=lambda name: taken[name])
        median = sorted(taken.values())[len(taken) // 2]
        print(f"{label:<24}{median:>8.2f}{taken[slowest]:>9.2f}  {slowest}")


if __name__ == "__main__":
    main()
