"""Other tools at the job of `benchmarks.throughput`: a file each, the simplest use of its ordinary API.

None of them is a requirement. Each is run by a Python that has it: the one named for it by
`--peer NAME=PYTHON` or by the environment variable of `Peer.variable`, else the one that measures.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Telemetry, look-ups of prices and of newer versions: off, since nothing leaves this machine.
OFFLINE = {
    "ANONYMIZED_TELEMETRY": "False",
    "DEEPFABRIC_NO_UPDATE_CHECK": "1",
    "DO_NOT_TRACK": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "NEMO_TELEMETRY_ENABLED": "false",
    "TELEMETRY_ENABLED": "false",
}

LONGEST_SECONDS = 240

_LOOK = """
import importlib.metadata, importlib.util, sys
package, distribution = sys.argv[1:]
print(importlib.metadata.version(distribution) if importlib.util.find_spec(package) else "")
"""


class PeerFailed(Exception):
    """A peer ended with an error or wrote no rows; the message has the end of what it said."""


@dataclass(frozen=True)
class Peer:
    """A distribution, the package that it installs, and the module beside this one that drives it."""

    name: str
    package: str
    module: str

    @property
    def variable(self) -> str:
        return "SEEDBED_BENCH_PEER_" + self.name.upper().replace("-", "_")

    def python(self, named: Mapping[str, str]) -> str:
        return named.get(self.name) or os.environ.get(self.variable) or sys.executable

    def version(self, python: str) -> str | None:
        """None where this Python does not have it."""
        command = [python, "-c", _LOOK, self.package, self.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() or None

    def run(self, python: str, folder: Path, env: Mapping[str, str]) -> int:
        """Have it write `rows.jsonl` into the folder, its home too; the number of distinct texts."""
        told = {**env, **OFFLINE, "HOME": str(folder), "PYTHONPATH": str(ROOT)}
        command = [python, "-m", f"{__name__}.{self.module}"]
        with (
            (folder / "said.log").open("w") as log,
            subprocess.Popen(
                command,
                cwd=folder,
                env=told,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            ) as process,
        ):
            try:
                ended = f"ended with {process.wait(LONGEST_SECONDS)}"
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                ended = f"did not end within {LONGEST_SECONDS} s"
        rows = folder / "rows.jsonl"
        texts = {json.loads(line)["text"] for line in rows.open()} if rows.is_file() else set()
        made = len(texts - {None, ""})
        if process.returncode or not made:
            said = (folder / "said.log").read_text(errors="replace")[-2000:]
            raise PeerFailed(f"{self.name} {ended}, with {made} distinct texts\n{said}")
        return made


PEERS = {
    peer.name: peer
    for peer in (
        Peer("openai", "openai", "openai_sdk"),
        Peer("bespokelabs-curator", "bespokelabs", "curator"),
        Peer("data-designer", "data_designer", "data_designer"),
        Peer("deepfabric", "deepfabric", "deepfabric"),
        Peer("distilabel", "distilabel", "distilabel"),
        Peer("sdg-hub", "sdg_hub", "sdg_hub"),
    )
}
