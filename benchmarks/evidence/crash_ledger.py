"""D8: twenty `kill -9`, and no reply that was on disk is ever asked for again."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import read_jsonl
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.gsm8k import questions, recorded
from benchmarks.evidence.kills import Moment, RunningRun, Timeline, committed, kill_at, moments
from benchmarks.evidence.product import CommandFailed, seedbed_expecting, write_recipe
from seedbed.core.chat import ChatRequest, Message, ReplyKey, Sampling
from seedbed.core.hashing import seed_from
from seedbed.models.recorded_server import RecordedServer, request_key

KILLS = 20
# The design asks for at least 3 during a round's close; some of those aimed at it come too late.
AIMED = 7
CAMPAIGNS, FULL_CAMPAIGNS = 1, 5
CONCURRENCY = 32
LATENCY_MS = 250
ROUND = 100
NAME, MODEL = "crash-ledger", "recorded"

_TEMPLATE = "Question: {{ question }}"
_MATCH = r"(?s)\AQuestion: (?P<prompt>.+)\Z"


def measure(setting: Setting) -> Figures:
    campaigns = range(FULL_CAMPAIGNS if setting.full else CAMPAIGNS)
    done = [
        setting.step(f"campaign-{seed}", partial(_campaign, seed=seed, broken=setting.broken))
        for seed in campaigns
    ]
    return done[0] if len(done) == 1 else _together(done)


def _together(campaigns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sums, of the booleans whether all are true, of the lists all entries; `most_…` by the maximum."""
    total: dict[str, Any] = {"campaigns": len(campaigns)}
    for name, first in campaigns[0].items():
        values = [campaign[name] for campaign in campaigns]
        if isinstance(first, bool):
            total[name] = all(values)
        elif name.startswith("most_"):
            total[name] = max(values)
        else:
            total[name] = sum(values, [] if isinstance(first, list) else 0)
    return total


def _campaign(folder: Path, *, seed: int, broken: bool) -> dict[str, Any]:
    """One uninterrupted run; then runs that are killed until there were enough kills, each to its end.

    A run that comes to its end before all kills are spent is followed by one in a fresh workspace.
    """
    rng = random.Random(seed)
    replies, prompts = _recorded(folder)
    whole = _Workspace(folder / "whole", replies, prompts)
    timeline = whole.uninterrupted()
    expected = whole.record_ids()
    histories: list[_Workspace] = []
    left = moments(KILLS, AIMED, timeline, rng)
    while left:
        workspace = _Workspace(folder / f"killed-{len(histories)}", replies, prompts)
        late = workspace.killed_at(left, timeline, rng, broken=broken)
        left = moments(len(late), sum(moment.aimed for moment in late), timeline, rng)
        histories.append(workspace)
    ledgers = [_Ledger.read(workspace) for workspace in histories]
    kills = [kill for workspace in histories for kill in workspace.kills]
    in_flight = [n for ledger in ledgers for n in ledger.in_flight]
    repeats = [n for ledger in ledgers for n in ledger.repeats]
    return {
        "questions": len(prompts),
        "kills": len(kills),
        "kills_during_a_close": sum(kill.in_a_close for kill in kills),
        "runs_to_the_end": len(histories),
        "uninterrupted_seconds": round(timeline.end, 1),
        "asked_again_though_committed": sum(ledger.asked_again for ledger in ledgers),
        "committed_at_kill": [len(kill.committed) for kill in kills],
        "in_flight_at_kill": in_flight,
        "repeats_after_kill": repeats,
        "most_in_flight": max(in_flight),
        "most_repeats_above_in_flight": max(r - f for r, f in zip(repeats, in_flight, strict=True)),
        "repeats_without_a_kill": sum(ledger.repeats_without_kill for ledger in ledgers),
        "stops_with_accounts": sum(kill.accounts is not None for kill in kills),
        "stops_with_wrong_accounts": sum(
            kill.accounts is not None and not kill.accounts_hold for kill in kills
        ),
        "records": len(expected),
        "questions_without_record": len(prompts) - len(expected),
        "same_record_ids": all(workspace.record_ids() == expected for workspace in histories),
    }


def _recorded(folder: Path) -> tuple[Path, list[str]]:
    """The four models' solutions of each question as recorded replies, and the questions."""
    return recorded(folder / "replies.jsonl"), questions()


@dataclass(frozen=True, slots=True)
class _Kill:
    """What was true right after a kill; `events` counts the server's log up to it."""

    in_a_close: bool
    events: int
    committed: frozenset[str]
    accounts: Mapping[str, Any] | None

    @property
    def accounts_hold(self) -> bool:
        """Both equations, and every reply that is on disk is a draft that is accounted for."""
        if self.accounts is None:
            return True
        cells, drafts = self.accounts["cells"], self.accounts["drafts"]
        parts = drafts["accepted"] + drafts["pending"]
        parts += sum(drafts["rejected"].values()) + sum(drafts["failed"].values())
        return bool(
            cells["planned"] == cells["done"] + cells["failed"] + cells["pending"]
            and drafts["total"] == parts == len(self.committed)
        )


@dataclass
class _Workspace:
    """A recipe's folder with the log of the server that its runs ask."""

    folder: Path
    replies: Path
    prompts: Sequence[str]
    kills: list[_Kill] = field(default_factory=list)

    @property
    def server_log(self) -> Path:
        return self.folder / "server.log"

    @property
    def recipe(self) -> Path:
        return self.folder / "recipe"

    def uninterrupted(self) -> Timeline:
        with self._server() as server:
            self._write_recipe(server.url)
            with RunningRun.of(self.recipe) as run:
                run.wait_for(lambda: self.server_log.stat().st_size > 0)
                first = run.seconds
                run.wait_for(lambda: False)
                if run.exit != 0:
                    raise CommandFailed(f"{self.recipe}: the uninterrupted run ended with {run.exit}")
                return Timeline(first, run.seconds)

    def killed_at(
        self, planned: Sequence[Moment], timeline: Timeline, rng: random.Random, *, broken: bool
    ) -> list[Moment]:
        """Kill at each moment and go on, at last to the end; returns the moments that came too late.

        Broken: the reply log is deleted after each kill.
        """
        with self._server() as server:
            self._write_recipe(server.url)
            position, late = 0.0, []
            for index, moment in enumerate(planned):
                killed = kill_at(self.recipe, self.server_log, moment, position, timeline, rng)
                if killed is None:
                    late = list(planned[index:])
                    break
                self._note(killed.in_a_close, server)
                position = killed.position
                if broken:
                    for path in (self.recipe / ".seedbed").glob("replies.sqlite*"):
                        path.unlink()
            seedbed_expecting((0,), "run", self.recipe)
        return late

    def record_ids(self) -> list[str]:
        """The ids of the accepted records, in order, from an export."""
        out = self.folder / "records.jsonl"
        seedbed_expecting((0,), "export", self.recipe, "--format", "jsonl", "--out", out)
        return [row["seedbed_id"] for row in read_jsonl(out)]

    def events(self) -> list[tuple[str, str]]:
        """(event, key) of the server's log so far."""
        lines = self.server_log.read_text(encoding="ascii").splitlines()
        return [(event, key) for event, _, key in (line.partition(" ") for line in lines)]

    def _note(self, in_a_close: bool, server: RecordedServer) -> None:
        keys = committed(self.recipe)
        _wait_until_quiet(server)
        accounts = None
        if (self.recipe / "runs" / NAME / "manifest.json").is_file():
            accounts = seedbed_expecting((0,), "report", self.recipe).value["accounts"]
        known = frozenset(_served_keys(keys, self.prompts))
        self.kills.append(_Kill(in_a_close, len(self.events()), known, accounts))

    def _server(self) -> RecordedServer:
        self.folder.mkdir(parents=True)
        return RecordedServer(self.replies, "prompt", _MATCH, latency_ms=LATENCY_MS, log=self.server_log)

    def _write_recipe(self, url: str) -> None:
        recipe = {
            "name": NAME,
            "task": {"kind": "instruction", "prompt": "question", "answer": "solution"},
            "roles": {
                "teacher": {"model": MODEL, "endpoint": url, "concurrency": CONCURRENCY, "licence": "mit"}
            },
            "generate": {
                "target": len(self.prompts),
                "axes": {"question": list(self.prompts)},
                "cover": {"question": "even"},
                "templates": ["question.j2"],
                "methods": {"template": {"output": "text"}},
                "round": ROUND,
            },
            "filters": [],
        }
        write_recipe(self.recipe, recipe, {"question.j2": _TEMPLATE})


def _wait_until_quiet(server: RecordedServer) -> None:
    """Until all that the killed process had sent is in the server's log."""
    before = -1
    while (stats := server.stats())["in_flight"] or stats["requests"] != before:
        before = stats["requests"]
        time.sleep(0.05)


def _served_keys(keys: Iterable[ReplyKey], prompts: Sequence[str]) -> Iterable[str]:
    """What the server calls the requests of logged replies: it sees messages and a seed, and no hash."""
    messages = {
        ChatRequest(MODEL, (Message("user", f"Question: {prompt}"),), Sampling()).hash: [
            {"role": "user", "content": f"Question: {prompt}"}
        ]
        for prompt in prompts
    }
    for key in keys:
        seed = seed_from(key.request, key.scope, key.draw)
        yield request_key(messages[key.request], seed, 1)


@dataclass(frozen=True, slots=True)
class _Ledger:
    """What the server's log says, kill by kill.

    In flight at a kill is what the killed process had sent and had not committed; a repeat is
    counted under the kill that cut off the request that it repeats.
    """

    asked_again: int
    in_flight: list[int]
    repeats: list[int]
    repeats_without_kill: int

    @classmethod
    def read(cls, workspace: _Workspace) -> _Ledger:
        kills, events = workspace.kills, workspace.events()
        ends = [kill.events for kill in kills]
        sent: list[Counter[str]] = [
            Counter(key for event, key in events[start:end] if event == "received")
            for start, end in zip([0, *ends], [*ends, len(events)], strict=True)
        ]
        repeats = [0] * len(sent)
        asked_again = without_kill = 0
        last_sent: dict[str, int] = {}
        on_disk: set[str] = set()
        for session, counts in enumerate(sent):
            for key, times in counts.items():
                asked_again += times if key in on_disk else 0
                without_kill += times - 1
                if key in last_sent:
                    repeats[last_sent[key]] += 1
                last_sent[key] = session
            if session < len(kills):
                on_disk |= kills[session].committed
        in_flight = [
            len(counts.keys() - kill.committed) for counts, kill in zip(sent[:-1], kills, strict=True)
        ]
        return cls(asked_again, in_flight, repeats[:-1], without_kill)


DEMONSTRATION = Demonstration(
    id="D8",
    title="crash ledger",
    shows=(
        "GSM8K questions as the values of an axis, four models' recorded solutions behind a local server "
        f"that counts ({CONCURRENCY} in flight, {LATENCY_MS} ms latency). `kill -9` of the whole process "
        "group at random moments, uniform over the wall time of an uninterrupted run, some at a round's "
        "close. No reply that the log held right after a kill is ever asked for again; what is asked twice "
        "was in flight at a kill; the accounts add up at every stop; the records are those of the "
        "uninterrupted run."
    ),
    broken="the reply log is deleted after each kill",
    sets=("gsm8k",),
    measure=measure,
)
