"""Which simulated spots are found, over I/sigma and background, and how many false ones.

    python tests/benchmarks/bench_spots.py [--images N] [--write]

Poisson counts with Gaussian spots of 0.8 pixels (sigma) at random places of a pixel, default
settings. I/sigma of a spot is ``I/sqrt(I + 13 b)``: 13 pixels hold 95 % of it, b is the background
[counts a pixel]. ``--write`` puts the tables into results/spots.md; nothing in them is a time.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from diffraction.spot_images import matched, spot_image

from beamkit.diffraction.spots import find_spots

RESULTS = Path(__file__).parent / "results" / "spots.md"
BACKGROUNDS = (0.02, 0.1, 0.5, 2.0, 10.0, 50.0)
STRENGTHS = (3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30)
PIXELS = 13
SHAPE = (700, 800)


def counts_of(strength: float, background: float) -> float:
    """Return the counts I of a spot with this I/sqrt(I + 13 b)."""
    half = strength**2 / 2
    return float(half + np.sqrt(half**2 + strength**2 * PIXELS * background))


def recall(background: float, strength: float, images: int, seed: int) -> tuple[int, int, int]:
    """Return numbers of true spots, of those found, and of false ones."""
    random, true, found, false = np.random.default_rng(seed), 0, 0, 0
    for _ in range(images):
        counts = np.full(900, counts_of(strength, background))
        image, x, y, _ = spot_image(random, SHAPE, background, counts)
        is_found, is_true = matched(find_spots(image), x, y)
        true, found = true + x.size, found + int(is_found.sum())
        false += int((~is_true).sum())
    return true, found, false


def empty(background: float, images: int, seed: int) -> int:
    """Return how many spots are found in images without any."""
    random = np.random.default_rng(seed)
    return sum(
        len(find_spots(random.poisson(background, SHAPE).astype(np.int32))) for _ in range(images)
    )


def tables(images: int) -> str:
    """Return the tables as Markdown."""
    head = "| I/sigma | " + " | ".join(f"b = {each:g}" for each in BACKGROUNDS) + " |"
    rule = "|---:" * (len(BACKGROUNDS) + 1) + "|"
    found_rows, false_rows = [], []
    for strength in STRENGTHS:
        numbers = [
            recall(background, strength, images, 100 * place + strength)
            for place, background in enumerate(BACKGROUNDS)
        ]
        shares = [f"{100 * found / true:.1f}" for true, found, _ in numbers]
        wrong = [f"{100 * false / max(found + false, 1):.2f}" for _, found, false in numbers]
        found_rows.append(f"| {strength} | " + " | ".join(shares) + " |")
        false_rows.append(f"| {strength} | " + " | ".join(wrong) + " |")
    million = SHAPE[0] * SHAPE[1] * 4 * images / 1e6
    bare = [empty(each, 4 * images, 9000 + place) for place, each in enumerate(BACKGROUNDS)]
    bare_row = "| none | " + " | ".join(f"{each / million:.2f}" for each in bare) + " |"
    return "\n".join([
        "# Spots found in simulated images", "",
        f"`python tests/benchmarks/bench_spots.py --write`; {numbers[0][0]} spots in each cell, "
        "of 0.8 pixels (sigma), default settings of `find_spots`. b: background [counts a pixel]; "
        "I/sigma is I/sqrt(I + 13 b).", "",
        "## Found [% of the true spots]", "", head, rule, *found_rows, "",
        "## False [% of the spots found]", "", head, rule, *false_rows, "",
        "## False in images without spots [spots a million pixels]", "",
        head, rule, bare_row, "",
    ])  # fmt: skip


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    text = tables(chosen.images)
    sys.stdout.write(text)
    if chosen.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
