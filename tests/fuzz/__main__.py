"""`python -m tests.fuzz`: many mutants, by seed and number; exit code 1 if any breaks a law or is slow."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read when Polars is imported; frames are small here

from tests.conftest import ROOT, SAMPLES
from tests.fuzz.check import check
from tests.fuzz.mutants import Sample, mutant, samples

#: Seconds of CPU that no mutant may take to be read in one shard. Many shards take a while each, whatever is in them.
_SECONDS = 1.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--mutants", type=int, default=20_000, metavar="N", help="how many [default: 20000]")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another seed, other mutants [default: 0]")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first mutant [default: 0]")
    parser.add_argument("--raw", type=Path, action="append", default=[], help="a raw folder to damage excerpts of too")
    parser.add_argument("--keep", type=Path, default=None, help="where the files of mutants that break a law stay")
    return parser.parse_args()


def bundled() -> list[Sample]:
    """The samples of this repository: those of the tests, with their faults, and those that a fresh clone runs on."""
    return samples(SAMPLES, *sorted((ROOT / "tests" / "sources").glob("*/raw")))


def main() -> int:
    """Run the requested mutants. Print each broken law with the number of its mutant; the files of that mutant stay."""
    arguments = _arguments()
    known = bundled() + samples(*arguments.raw)
    keep = arguments.keep or Path(tempfile.mkdtemp(prefix="chat-corpus-mutants-"))
    broken, errors, clock, longest = 0, Counter[str](), time.monotonic(), (0.0, 0)
    for number in range(arguments.first, arguments.first + arguments.mutants):
        folder = keep / f"{arguments.seed}-{number}"
        made = mutant(known, arguments.seed, number)
        try:
            read = check(made, folder)
        except Exception:  # noqa: BLE001 whatever it is, it is what we look for
            broken += 1
            _say(f"mutant {number} of {made.sample.source}, {made.options}, --seed {arguments.seed}; files in {folder}")
            _say(traceback.format_exc()[-3000:])
        else:
            errors[read.error and "error message"] += 1
            longest = max(longest, (read.seconds, number))
            if read.seconds > _SECONDS:
                _say(f"mutant {number} of {made.sample.source} took {read.seconds:.1f} s of CPU; files in {folder}")
            else:
                shutil.rmtree(folder)
        if (number + 1 - arguments.first) % 1000 == 0:
            _say(f"{number + 1 - arguments.first} mutants, {broken} break a law, {time.monotonic() - clock:.0f} s")
    _say(f"{arguments.mutants} mutants, {broken} break a law; {errors['error message']} end in an error message")
    _say(f"the slowest, mutant {longest[1]}, took {longest[0]:.2f} s of CPU to read")
    return 1 if broken or longest[0] > _SECONDS else 0


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
