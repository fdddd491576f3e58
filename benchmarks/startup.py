"""How long `recform analyze` takes, start-up included, beside `import sympy` in the same run.

    python benchmarks/startup.py

Prints the best of five of each command, in seconds on the clock and of processor time, and the
ratio of the processor times to the peer's: a Python process that imports sympy, which is what a
notebook for such counts would begin with. Processor time is what a machine with other work to do
still measures well. The commands: one example at depth 16, and every example at depth 1,000.
"""

import os
import subprocess
import sys
import time

from recform import example_names

RECFORM = [sys.executable, "-m", "recform.cli.main", "analyze"]
PEER = "python -c 'import sympy'"
COMMANDS = {
    PEER: [sys.executable, "-c", "import sympy"],
    "analyze resnet_s --depth 16": [*RECFORM, "resnet_s", "--depth", "16"],
    **{
        f"analyze {name} --depth 1000": [*RECFORM, name, "--depth", "1000"]
        for name in example_names()
    },
}


def measure(command: list[str]) -> tuple[float, float]:
    """Seconds on the clock, and of processor time."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - began, os.times()
    user = after.children_user - before.children_user
    return seconds, user + after.children_system - before.children_system


def main() -> None:
    load = os.getloadavg()[0]
    print(f"load before: {load:.1f} on {os.cpu_count()} cores")
    # Rounds, so that a busy minute does not fall on one command alone.
    rounds = [{name: measure(command) for name, command in COMMANDS.items()} for _ in range(5)]
    best = {
        name: [min(times) for times in zip(*(r[name] for r in rounds), strict=True)]
        for name in COMMANDS
    }
    peer = best[PEER][1]
    print(f"{'':34} {'clock':>8} {'processor':>11} {'ratio':>7}")
    for name, (clock, processor) in best.items():
        print(f"{name:34} {clock:6.2f} s {processor:9.2f} s {processor / peer:6.2f} x")


if __name__ == "__main__":
    main()
