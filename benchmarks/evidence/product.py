"""The product as a user has it: its command line in a process of its own, answers read as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "seedbed.cli")
_LONGEST_SECONDS = 540  # a demonstration has 9 minutes in all


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended. `value` is the JSON on its stdout, None where it wrote none."""

    exit: int
    value: Any
    errors: str
    seconds: float


class CommandFailed(Exception):
    """A command of a demonstration ended as it never should; the message has what it said."""


def environment() -> dict[str, str]:
    """This process's environment without endpoints and keys that a recipe would take up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return kept | {"CI": "1", "NO_COLOR": "1"}


def seedbed(*arguments: str | Path) -> Outcome:
    """Run `seedbed … --json` to its end."""
    began = time.monotonic()
    done = subprocess.run(
        [*COMMAND, *map(str, arguments), "--json"],
        capture_output=True,
        env=environment(),
        timeout=_LONGEST_SECONDS,
        check=False,
    )
    seconds = time.monotonic() - began
    value = json.loads(done.stdout) if done.stdout.strip() else None
    return Outcome(done.returncode, value, done.stderr.decode(errors="replace"), seconds)


def seedbed_expecting(exits: tuple[int, ...], *arguments: str | Path) -> Outcome:
    """Run `seedbed … --json`; raises CommandFailed where it ends with another code than these."""
    outcome = seedbed(*arguments)
    if outcome.exit not in exits:
        raise CommandFailed(
            f"seedbed {' '.join(map(str, arguments))} ended with {outcome.exit}, expected {exits}:\n"
            f"{outcome.errors.strip()}"
        )
    return outcome


def write_recipe(folder: Path, recipe: Mapping[str, Any], templates: Mapping[str, str]) -> Path:
    """A recipe folder: `recipe.yaml` (JSON is YAML) and its template files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(json.dumps(recipe, indent=1), encoding="utf-8")
    for name, text in templates.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
