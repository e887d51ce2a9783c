"""`semantic_duplicates` by the role `embedder`: what is embedded, when, and that nothing of it is lost."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.workspace import Workspace, check_accounts, kill_group
from tests.fake_endpoint import FakeEndpoint, Fault, request_key

THINGS = ("lamp", "oven", "chair", "shelf", "mirror", "carpet", "kettle", "radio", "clock", "stool")
STATES = ("broken", "late", "stained", "missing", "noisy", "crooked", "torn", "wet", "empty", "bent")
FILTERS = ["schema", "duplicates", {"semantic_duplicates": {"embedder": "role", "threshold": 0.95}}]


def reordered(body: dict[str, Any]) -> str:
    """One of a hundred messages, with its words in an order of its own."""
    dice = random.Random(f"{request_key(body)}/{body['choice']}")
    thing, state = dice.choice(THINGS), dice.choice(STATES)
    said = f"{thing} {state} on arrival although somebody of your {thing} team promised a {state} check"
    words = said.split()
    dice.shuffle(words)
    return json.dumps({"text": " ".join(words)})


def bag_of_words(text: str) -> list[float]:
    """The same for the same words in any order."""
    total = np.zeros(64)
    for word in text.lower().split():
        seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
        total += np.random.default_rng(seed).integers(-8, 9, 64)
    return [float(number) for number in total]


def endpoint(**options: Any) -> FakeEndpoint:
    return FakeEndpoint(reordered, vector=bag_of_words, **options)


def workspace(folder: Path, teacher: FakeEndpoint, embedder: FakeEndpoint, **changes: Any) -> Workspace:
    roles = {
        "teacher": {"model": "fake", "endpoint": teacher.url, "licence": "mit"},
        "embedder": {"model": "fake", "endpoint": embedder.url, "retries": 1},
    }
    return Workspace.make(folder, roles=roles, **{"filters": FILTERS, **changes})


def embedded(*endpoints: FakeEndpoint) -> Counter[str]:
    return Counter(text for each in endpoints for body in each.embedded for text in body["input"])


def test_kin_in_another_order_fall_and_each_text_is_embedded_once(tmp_path: Path) -> None:
    with endpoint() as teacher, endpoint() as embedder:
        here = workspace(tmp_path, teacher, embedder)
        summary = here.run("run", ".", "--json").json
        check_accounts(summary["accounts"])
        rejected = summary["accounts"]["drafts"]["rejected"]
        assert rejected["semantic_duplicate"] > 0
        assert set(embedded(embedder).values()) == {1}
        sent = len(embedder.embedded)
        assert summary["cost"]["embedder"]["requests"] == sent
        twin = next(
            row
            for row in json.loads(here.run("show", ".", "-n", "999", "--json").out)
            if row["reason"] == "semantic_duplicate"
        )
        assert "semantic_duplicates@2" in here.run("show", ".", twin["id"]).out

    # Without an endpoint: other verdicts by the vectors that there are, and none where they are lacking.
    lower = "filters=[schema,duplicates,{semantic_duplicates: {embedder: role, threshold: 0.7}}]"
    moved = here.run("refilter", ".", "--set", lower, "--json").json
    assert moved["after"]["rejected"]["semantic_duplicate"] > rejected["semantic_duplicate"]
    assert moved["calls"] == 0
    other = here.run("refilter", ".", "--set", "roles.embedder.model=other", expect=None)
    assert other.code == 2
    assert "other has not embedded all texts of this run" in other.err
    assert "`seedbed run`" in other.err


def test_an_embedder_that_does_not_answer_is_named_and_the_run_goes_on_from_there(tmp_path: Path) -> None:
    with endpoint() as teacher:
        with endpoint(shares={Fault.http(503): 1.0}) as broken:
            here = workspace(tmp_path, teacher, broken)
            failed = here.run("run", ".", expect=None)
            assert failed.code != 0
            assert "embedder" in failed.err or broken.url in failed.err
            assert "Traceback" not in failed.err
        with endpoint() as embedder:
            roles = {
                "teacher": {"model": "fake", "endpoint": teacher.url, "licence": "mit"},
                "embedder": {"model": "fake", "endpoint": embedder.url},
            }
            here.write(roles=roles, filters=FILTERS)
            summary = here.run("run", ".", "--json").json
            assert summary["accounts"]["stopped"] == "target"
            assert set(embedded(embedder).values()) == {1}
    assert teacher.stats().repeats_after_answered == 0


@pytest.mark.parametrize("budget", [2, 30, 50])
def test_a_budget_that_is_reached_stops_the_run_and_no_text_is_sent_twice(
    budget: int, tmp_path: Path
) -> None:
    with endpoint() as teacher, endpoint() as embedder:
        here = workspace(tmp_path, teacher, embedder)
        stopped = here.run("run", ".", "--max-requests", str(budget), expect=4)
        assert "budget" in stopped.err
        assert teacher.stats().requests + len(embedder.embedded) <= budget
        here.run("run", ".")
        assert set(embedded(embedder).values()) == {1}
        assert teacher.stats().repeats_after_answered == 0


def test_after_a_kill_at_any_moment_the_rounds_are_the_same_and_nothing_is_embedded_again(
    tmp_path: Path,
) -> None:
    with endpoint(latency=0.02) as teacher, endpoint(latency=0.02) as embedder:
        undisturbed = workspace(tmp_path / "a", teacher, embedder)
        undisturbed.run("run", ".")
        dice = random.Random(7)
        with endpoint(latency=0.02) as again:
            killed = workspace(tmp_path / "b", teacher, again)
            for _ in range(4):
                process = killed.start("run", ".")
                time.sleep(dice.uniform(0.3, 1.6))
                kill_group(process)
            done = killed.run("run", ".", "--json").json
            assert done["accounts"]["stopped"] == "target"
            times = embedded(again)
            # What was under way at a kill was not answered; all else is in the cache.
            print(f"{sum(times.values())} texts sent for {len(times)} distinct ones after four kills")
        assert killed.shards() == undisturbed.shards()


def test_a_preview_judges_by_it_and_a_run_embeds_nothing_of_it_again(tmp_path: Path) -> None:
    with endpoint() as teacher, endpoint() as embedder:
        here = workspace(tmp_path, teacher, embedder)
        shown = here.run("preview", ".", "-n", "30", "--json").json
        verdicts = [v["filter"] for cell in shown["cells"] for d in cell["drafts"] for v in d["verdicts"]]
        assert "semantic_duplicates@2" in verdicts
        assert "semantic_duplicate" in shown["rejected"]
        here.run("run", ".")
        assert set(embedded(embedder).values()) == {1}


def test_a_text_that_the_endpoint_refuses_fails_its_cell_alone(tmp_path: Path) -> None:
    def sometimes(body: dict[str, Any]) -> str:
        said = reordered(body)
        return said.replace("broken", "unembeddable")

    with FakeEndpoint(sometimes) as teacher, endpoint() as embedder:
        here = workspace(tmp_path, teacher, embedder)
        summary = here.run("run", ".", "--json").json
        check_accounts(summary["accounts"])
        assert summary["accounts"]["stopped"] == "target"
        assert summary["accounts"]["drafts"]["failed"] or summary["accounts"]["cells"]["failed"]


def test_a_rehearsal_asks_no_embedder(tmp_path: Path) -> None:
    roles = {
        "teacher": {"rehearsal": {}},
        "embedder": {"model": "fake", "endpoint": "http://127.0.0.1:9/v1"},
    }
    here = Workspace.make(tmp_path, roles=roles, filters=FILTERS)
    done = here.run("run", ".", "--json")
    assert "semantic_duplicates: by the offline embedder, a rehearsal asks roles.embedder nothing" in done.err
