"""What measuring costs: `python -m benchmarks.measures [CHARACTERS …]` prints one JSON line a length.

10,000 made-up texts of about so many characters beside as many others, as at the end of a run: the
sample is drawn here, and measured in the process that `seedbed run` starts. `seconds` is from the
texts to the figures, `cpu_seconds` is both processes' user and system time, `peak_mb` the other
process's peak resident memory (MB are 2**20 bytes).
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from pathlib import Path

from seedbed.metrics.sample import Pool
from seedbed.run.measuring import Gathered, measure_sides

CHARACTERS = (60, 280, 2_000)
TEXTS = 10_000
VOCABULARY = 4_000


def made_up(characters: int, seed: int) -> Gathered:
    """Texts of words that are the rarer the longer, roughly as in English."""
    words = random.Random(0)
    letters = "etaoinshrdlucmfwypvbgk"
    known = [
        "".join(words.choices(letters, k=1 + place.bit_length() * 2 // 3)) for place in range(VOCABULARY)
    ]
    weights = [1 / (place + 3) for place in range(VOCABULARY)]
    rng = random.Random(seed)
    side = Gathered(Pool())
    for index in range(TEXTS):
        count = round(characters / 4.5 * rng.uniform(0.6, 1.4))
        side.add(f"{seed}-{index}", " ".join(rng.choices(known, weights, k=count)), {})
    return side


def cpu() -> float:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(characters: int) -> dict[str, float]:
    generated, real = made_up(characters, 1), made_up(characters, 2)
    began, before = time.monotonic(), cpu()
    measures = measure_sides(generated, real, {}, Path("made-up texts"))
    return {
        "characters": characters,
        "texts": TEXTS,
        "sample": measures["rows"]["sample"],
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(cpu() - before, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
    }


def main() -> None:
    for characters in [int(argument) for argument in sys.argv[1:]] or CHARACTERS:
        print(json.dumps(measure(characters)), flush=True)


if __name__ == "__main__":
    main()
