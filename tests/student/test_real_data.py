"""What synthetic rows are worth on real ones: language-model and human items of seven behaviours."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from seedbed.core.hashing import short_id
from seedbed.student.arms import build_arms
from seedbed.student.evaluate import score_arms
from seedbed.student.job import Job
from seedbed.student.mixture import Mixture
from seedbed.student.rows import Row
from seedbed.tasks.classification import Classification


def normal(text: str) -> str:
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def items(folder: Path) -> list[Row]:
    """The questions before their choices, the behaviour as label, equal texts once."""
    found: dict[str, Row] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            text = json.loads(line)["question"].partition("Choices:")[0].strip()
            found.setdefault(normal(text), Row(short_id("test", normal(text)), text, file.stem))
    return list(found.values())


@pytest.mark.real_data
def test_synthetic_alone_is_worse_and_a_mix_nearly_as_good(real_data: Callable[[str], Path]) -> None:
    folder = real_data("anthropic_evals") / "advanced-ai-risk"
    human, generated = items(folder / "human_generated_evals"), items(folder / "lm_generated_evals")
    scores = []
    for split in range(3):
        shuffled = random.Random(split).sample(human, len(human))
        train, locked = shuffled[: len(human) // 2], shuffled[len(human) // 2 :]
        in_eval = {normal(row.text) for row in locked}
        clean = [row for row in generated if normal(row.text) not in in_eval]
        arms = build_arms(train, clean, Mixture(0.75, 2_168), seed=split)
        task = Classification.bind(Classification.Options(input="text", label="label"), None)
        result = score_arms(Job(tuple(arms)), task, partial(list, locked))
        real_only, synthetic_only, mix = (arm["scores"]["macro_f1"]["value"] for arm in result["arms"])
        assert synthetic_only < mix < real_only
        verdicts = {(d["arm"], d["against"]): d["verdict"] for d in result["differences"]}
        assert verdicts["synthetic_only", "real_only"] == "worse"
        assert verdicts["mix", "synthetic_only"] == "better"
        scores.append((real_only, synthetic_only, mix))
    means = [sum(column) / len(column) for column in zip(*scores, strict=True)]
    print("macro-F1 of real_only, synthetic_only, mix:", [f"{mean:.3f}" for mean in means])
    assert means == pytest.approx([0.874, 0.796, 0.849], abs=0.03)
