"""What a rehearsal answers to each kind: clean replies keep the schema, faults are as they are called."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from seedbed.core.chat import Hints
from seedbed.core.field_text import asked_in
from seedbed.core.protocols import Task
from seedbed.models.fault_plan import VARIANTS, Fault
from seedbed.models.planted_faults import REFUSALS
from seedbed.models.rehearsal_writer import Writer
from seedbed.tasks import TASKS
from tests.tasks.kinds import EXAMPLES

DECOYS = ("The old ferry leaves at nine from the northern pier unless there is fog over the water.",)
SPOILT = ("broken_json", "wrong_shape", "refusal")
MAY_BREAK = ("length",)  # of a text that is cut to nothing


def of(kind: str, folder: Path) -> tuple[Task, Hints]:
    EXAMPLES[kind].write(folder)
    plugin = TASKS.get(kind)
    written = {key: value for key, value in EXAMPLES[kind].task.items() if key != "kind"}
    options = plugin.Options.model_validate(written, context={"folder": str(folder)})
    task: Task = plugin.bind(options, ["billing", "delivery"] if kind == "classification" else None)
    columns = task.real_columns
    real: Sequence[Any] = [
        {name: row[column] for name, column in columns.items()} for row in EXAMPLES[kind].real
    ]
    labels = {task.label(row) for row in real} - {None} if task.label_field else set()
    asked = tuple(name for name in task.fields if name != task.label_field)
    schema = task.schema([task.label_field] if task.label_field else [])
    fixed = {task.label_field: task.label(real[0]) or ""} if task.label_field else {}
    hints = Hints(
        fields=asked,
        fixed=fixed,
        labels=sorted(str(label) for label in labels),
        examples=real,
        real=real,
        text_field=asked[0],
        kind=kind,
        schema=schema,
    )
    return task, hints


@pytest.mark.parametrize("kind", EXAMPLES)
def test_clean_replies_keep_the_schema_and_differ(kind: str, tmp_path: Path) -> None:
    task, hints = of(kind, tmp_path)
    keeps = jsonschema_rs.validator_for(dict(hints.schema or {}))
    replies = [Writer(hints, seed).answer(None)[0].text for seed in range(60)]
    for reply in replies:
        assert list(keeps.iter_errors(json.loads(reply))) == []
        assert list(json.loads(reply)) == list(hints.fields)
    assert len({task.as_text(json.loads(reply)) for reply in replies}) == len(replies)
    assert replies == [Writer(hints, seed).answer(None)[0].text for seed in range(60)]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_faults_are_what_they_are_called(kind: str, tmp_path: Path) -> None:
    task, hints = of(kind, tmp_path)
    keeps = jsonschema_rs.validator_for(dict(hints.schema or {}))
    for fault, ways in VARIANTS.items():
        for variant, way in ways.items():
            for seed in range(3):
                planned = Fault(fault, variant, way.strongest)
                choice, planted = Writer(hints, seed, ("magic word",), DECOYS).answer(planned)
                if planted is None:
                    assert (fault == "wrong_label" and task.label_field is None) or (
                        (fault == "wrong_sum" and kind != "math")
                        or (fault == "wrong_program" and kind != "code")
                        or fault in ("wrong_json", "wrong_call", "wrong_query")  # no recipe says of what
                    )
                    continue
                try:
                    valid = keeps.is_valid(json.loads(choice.text))
                except json.JSONDecodeError:
                    valid = False
                if fault in SPOILT:
                    in_a_field = fault == "refusal" and variant == "field"
                    assert valid is in_a_field, (fault, variant, choice.text)
                elif fault not in MAY_BREAK:
                    assert valid, (fault, variant, choice.text)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_copies_leaks_and_refusals_stand_where_filters_look(kind: str, tmp_path: Path) -> None:
    task, hints = of(kind, tmp_path)
    known = {task.as_text(row) for row in hints.real}
    for seed in range(10):
        copy, _ = Writer(hints, seed).answer(Fault("copy", "verbatim", 0.0))
        assert task.as_text(json.loads(copy.text)) in known
        leak, _ = Writer(hints, seed, (), DECOYS).answer(Fault("leak", "equal", 0.0))
        asked = "\n".join(asked_in(json.loads(leak.text)[name]) for name in task.compare_fields)
        assert DECOYS[0] in asked
        declined, _ = Writer(hints, seed).answer(Fault("refusal", "field", 0.5))
        assert any(json.dumps(line, ensure_ascii=False) in declined.text for line in REFUSALS)
