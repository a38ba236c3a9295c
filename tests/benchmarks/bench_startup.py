"""How long 'import beamkit' and 'beamkit --help' take over bare Python. Prints a table.

Aims: import at most 0.3 s, help at most 0.5 s over bare Python. Medians of pairs: each round runs
all commands once.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 9
BEAMKIT = str(Path(sys.executable).with_name("beamkit"))
COMMANDS = {
    "import beamkit": [sys.executable, "-c", "import beamkit"],
    "beamkit --help": [BEAMKIT, "--help"],
    "import beamkit, xarray": [sys.executable, "-c", "import beamkit, xarray"],
    "import xarray": [sys.executable, "-c", "import xarray"],
}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    over: dict[str, list[float]] = {name: [] for name in COMMANDS}
    bare = []
    for _ in range(ROUNDS):
        base = seconds([sys.executable, "-c", "pass"])
        bare.append(base)
        for name, command in COMMANDS.items():
            over[name].append(seconds(command) - base)
    print(f"bare Python: {statistics.median(bare):.3f} s\n")
    print("| command | over bare Python, median [s] |\n|---|---|")
    for name, values in over.items():
        print(f"| {name} | {statistics.median(values):.3f} |")


if __name__ == "__main__":
    main()
