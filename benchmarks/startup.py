"""How long until something happens? `python -m benchmarks.startup [--runs 11]`: one JSON line a command.

A bare Python, `import seedbed`, `--help`, `plan` of the starter recipe, and `run` of a run of it that
is finished: in turns, so that what else the machine does falls on all of them. `wall_s` and `cpu_s`
(user and system, the children's too) are medians over `--runs`; a first turn, which writes byte code,
does not count. Two of the lines have a target in seconds of wall time, and `holds` says whether it is met;
exit code 1 where one is not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

SEEDBED = (sys.executable, "-m", "seedbed.cli")


@dataclass
class Command:
    """What is started; `target_s` is for the time over `beside`, another command, where there is one."""

    name: str
    arguments: Sequence[str]
    target_s: float | None = None
    beside: Command | None = None
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def once(self) -> None:
        began = time.monotonic()
        process = subprocess.Popen(
            self.arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), text=True
        )
        assert process.stderr is not None
        errors = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        self.wall_s.append(time.monotonic() - began)
        self.cpu_s.append(used.ru_utime + used.ru_stime)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{self.name} ended with {process.returncode}:\n{errors}")

    def figures(self) -> dict[str, object]:
        line: dict[str, object] = {
            "command": self.name,
            "runs": len(self.wall_s),
            "wall_s": round(statistics.median(self.wall_s), 3),
            "cpu_s": round(statistics.median(self.cpu_s), 3),
        }
        counted = statistics.median(self.wall_s)
        if self.beside is not None:
            pairs = zip(self.wall_s, self.beside.wall_s, strict=True)
            counted = statistics.median(own - other for own, other in pairs)
            line["wall_s_over_python"] = round(counted, 3)
        if self.target_s is not None:
            line |= {"target_s": self.target_s, "holds": counted < self.target_s}
        return line


def environment() -> dict[str, str]:
    """Byte code may be written, as on a machine where Seedbed is installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {"CI": "1", "NO_COLOR": "1"}


def commands(folder: Path) -> list[Command]:
    """Two folders of the starter recipe: in one a run is finished, in the other none was begun."""
    fresh, finished = folder / "fresh", folder / "finished"
    for recipe in (fresh, finished):
        subprocess.run([*SEEDBED, "init", str(recipe)], check=True, capture_output=True, env=environment())
    subprocess.run([*SEEDBED, "run", str(finished)], check=True, capture_output=True, env=environment())
    python = Command("python -c pass", (sys.executable, "-c", "pass"))
    return [
        python,
        Command('python -c "import seedbed"', (sys.executable, "-c", "import seedbed"), 0.1, python),
        Command("seedbed --help", (*SEEDBED, "--help"), 0.3),
        Command("seedbed plan (starter recipe)", (*SEEDBED, "plan", str(fresh))),
        Command("seedbed run (finished)", (*SEEDBED, "run", str(finished))),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=11)
    runs: int = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="seedbed-startup-") as folder:
        timed = commands(Path(folder))
        for turn in range(1 + runs):
            for command in timed:
                command.once()
                if turn == 0:
                    command.wall_s.clear()
                    command.cpu_s.clear()
    lines = [command.figures() for command in timed]
    for line in lines:
        print(json.dumps(line), flush=True)
    sys.exit(not all(line.get("holds", True) for line in lines))


if __name__ == "__main__":
    main()
