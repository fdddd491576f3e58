"""How long `recform analyze` takes, start-up included, beside `import sympy` in the same run.

    python benchmarks/startup.py

Prints the best of five of each command, in seconds, and its ratio to the peer: a Python process
that imports sympy, which is what a notebook for such counts would begin with.
"""

import subprocess
import sys
import time

RECFORM = [sys.executable, "-m", "recform.cli.main", "analyze"]
COMMANDS = {
    "python -c 'import sympy'": [sys.executable, "-c", "import sympy"],
    "analyze resnet_s --depth 16": [*RECFORM, "resnet_s", "--depth", "16"],
    "analyze resnet --depth 1000": [*RECFORM, "resnet", "--depth", "1000"],
    "analyze resnet_s --depth 1000": [*RECFORM, "resnet_s", "--depth", "1000"],
    "analyze dense_sum --depth 1000": [*RECFORM, "dense_sum", "--depth", "1000"],
    "analyze revnet --depth 1000": [*RECFORM, "revnet", "--depth", "1000"],
    "analyze momentum --depth 1000": [*RECFORM, "momentum", "--depth", "1000"],
}


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    best = {name: min(seconds(command) for _ in range(5)) for name, command in COMMANDS.items()}
    peer = next(iter(best.values()))
    for name, value in best.items():
        print(f"{name:32} {value:6.2f} s   {value / peer:5.2f} x")


if __name__ == "__main__":
    main()
