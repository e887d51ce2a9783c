"""The trl student: a tiny model, made here, that learns, answers and is not trained twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from seedbed.core.errors import RecipeError
from seedbed.run.loading import load_bound
from seedbed.student.protocol import Lesson, StudentError
from seedbed.student.rows import row_of
from seedbed.student.trl import Lora, Trl, TrlOptions
from seedbed.student.trl_process import PLAIN_TEMPLATE, is_cut, turns_of
from seedbed.tasks.instruction import Instruction
from seedbed.tasks.preference import Preference
from tests.student.programs import TASK, lesson_in, rows_of

ROOT = Path(__file__).resolve().parents[2]
MISSING = [name for name in Trl.needs if find_spec(name) is None]
trains = pytest.mark.trl
with_the_extra = pytest.mark.skipif(bool(MISSING), reason=f"the extra trl is missing: {', '.join(MISSING)}")
PAIRS = Preference.bind(Preference.Options(), None)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """The folder of a model of two layers, with a chat template of its own or without."""
    made: dict[bool, str] = {}

    def model(*, template: bool = False) -> str:
        if template not in made:
            folder = tmp_path_factory.mktemp("model")
            words = [sys.executable, "-m", "tests.student.make_tiny_model", str(folder)]
            subprocess.run([*words, *(["--template"] if template else [])], check=True, cwd=ROOT)
            made[template] = str(folder)
        return made[template]

    return model


def trl(model: str, **options: Any) -> Trl:
    """On the CPU, so that it is the same on every machine."""
    quick = {"device": "cpu", "epochs": 6, "learning_rate": 3e-3, "new_tokens": 8, "max_length": 64}
    return Trl(TrlOptions.model_validate({"model": model, **quick, **options}))


def lesson(folder: Path, **more: Any) -> Lesson:
    return lesson_in(folder, rows=[row for at in range(12) for row in rows_of(f"train{at}")], **more)


@trains
@with_the_extra
class TestTraining:
    @pytest.fixture(autouse=True)
    def with_pandas(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The extra brings pandas, which other tests go without: see tests/as_installed."""
        monkeypatch.delenv("PYTHONPATH", raising=False)

    def test_an_adapter_lowers_the_loss_answers_and_is_not_trained_twice(
        self, tiny: Callable[..., str], tmp_path: Path
    ) -> None:
        learnt_from = lesson(tmp_path)
        student = trl(tiny(), lora={"rank": 16, "alpha": 64}, learning_rate=1e-2)
        fitted = student.fit(learnt_from)
        assert fitted.reported["dev_loss"] < fitted.reported["dev_loss_before"] / 2
        assert fitted.notes == ()
        assert fitted.answer(learnt_from.dev) == [row.answer for row in learnt_from.dev]
        out = learnt_from.folder / "out"
        assert (out / "adapter_model.safetensors").exists()
        assert not (out / "model.safetensors").exists()
        before = (learnt_from.folder / "train.log").stat().st_mtime_ns
        again = student.fit(learnt_from)
        assert again.reported == fitted.reported
        assert (learnt_from.folder / "train.log").stat().st_mtime_ns == before

    def test_a_whole_model_learns_with_its_own_template_and_says_what_was_cut(
        self, tiny: Callable[..., str], tmp_path: Path
    ) -> None:
        train = [row for at in range(12) for row in rows_of(f"train{at}")]
        long = row_of(TASK, "long", {"text": "the parcel " * 60, "kind": "delivery"})
        learnt_from = lesson_in(tmp_path, rows=[*train, long])
        fitted = trl(tiny(template=True), lora=False).fit(learnt_from)
        assert fitted.reported["dev_loss"] < fitted.reported["dev_loss_before"] / 2
        assert fitted.notes == ("1 of 49 rows are longer than max_length, and were cut",)
        # What ends a turn in the template is no part of the answer, and a text of any length can be asked.
        asked = [*learnt_from.dev, row_of(TASK, "longer", {"text": "refund " * 400, "kind": "refund"})]
        assert fitted.answer(asked)[:-1] == [row.answer for row in learnt_from.dev]
        assert (learnt_from.folder / "out" / "model.safetensors").exists()

    def test_dpo_prefers_what_was_preferred_and_answers(
        self, tiny: Callable[..., str], tmp_path: Path
    ) -> None:
        texts = ["where is my parcel", "my refund is missing", "the parcel never arrived", "is it late"]
        rows = [
            row_of(PAIRS, f"{name}{at}", {"prompt": text, "chosen": "yes please", "rejected": "no never"})
            for name, count in (("train", 32), ("dev", 4))
            for at, text in enumerate((texts * count)[:count])
        ]
        single = row_of(PAIRS, "single", {"prompt": "is it late", "chosen": "yes"})
        folder = tmp_path / "lesson"
        folder.mkdir()
        learnt_from = Lesson(PAIRS, [*rows[:32], single], rows[32:], 7, folder, tmp_path)
        fitted = trl(tiny(), epochs=3, learning_rate=1e-2).fit(learnt_from)
        assert fitted.reported["dev_preferred"] == 1.0
        assert fitted.reported["dev_loss"] < fitted.reported["dev_loss_before"]
        assert fitted.notes == ("1 rows with one answer alone were left out of its training",)
        assert len(fitted.answer(learnt_from.dev)) == 4

    def test_what_ended_before_its_end_is_trained_anew(
        self, tiny: Callable[..., str], tmp_path: Path
    ) -> None:
        learnt_from = lesson(tmp_path, dev=())
        with pytest.raises(StudentError, match=r"trl was ended after 1s, its time limit.*train\.log"):
            trl(tiny(), time="1s").fit(learnt_from)
        fitted = trl(tiny(), epochs=1).fit(learnt_from)
        assert set(fitted.reported) == {"train_loss"}

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (
                {"model": "nobody/nothing"},
                "nobody/nothing is neither a folder beside the recipe nor in",
            ),
            ({"device": "cuda"}, "device: cuda, and torch sees no GPU here"),
        ],
    )
    def test_what_cannot_be_is_told_by_the_end_of_the_log(
        self, options: dict[str, Any], said: str, tiny: Callable[..., str], tmp_path: Path
    ) -> None:
        import torch

        if "device" in options and torch.cuda.is_available():
            pytest.skip("there is a GPU here")
        with pytest.raises(StudentError) as caught:
            trl(**{"model": tiny(), **options}).fit(lesson(tmp_path))
        assert said in str(caught.value)

    def test_the_plain_template_asks_with_the_beginning_of_what_is_learnt(
        self, tiny: Callable[..., str]
    ) -> None:
        from transformers import AutoTokenizer

        from seedbed.student.trl_process import end_of_turn, ids_of

        tokenizer = AutoTokenizer.from_pretrained(tiny())
        tokenizer.chat_template = PLAIN_TEMPLATE
        turns = [{"role": "user", "content": "is it late"}, {"role": "assistant", "content": "yes"}]
        asked, whole = ids_of(tokenizer, turns[:1], asking=True), ids_of(tokenizer, turns)
        assert whole[: len(asked)] == asked
        assert whole[-2] == tokenizer.eos_token_id
        assert end_of_turn(tokenizer) == [tokenizer.eos_token_id]
        row = {"prompt": turns[:1], "completion": turns[1:]}
        assert not is_cut(tokenizer, row, len(whole))
        assert is_cut(tokenizer, row, len(whole) - 1)


def test_every_turn_of_the_assistant_is_learnt_with_what_stands_before_it(tmp_path: Path) -> None:
    roles = ["system", "user", "assistant", "user", "assistant"]
    turns = [{"role": role, "content": str(at)} for at, role in enumerate(roles)]
    (tmp_path / "train.jsonl").write_text(json.dumps({"messages": turns}) + "\n")
    assert turns_of(str(tmp_path / "train.jsonl")) == [
        {"prompt": turns[:2], "completion": [turns[2]]},
        {"prompt": turns[:4], "completion": [turns[4]]},
    ]


@pytest.mark.parametrize(
    ("options", "task", "method", "rate"),
    [
        ({}, TASK, "sft", 2e-4),
        ({"lora": False}, TASK, "sft", 2e-5),
        ({}, PAIRS, "dpo", 2e-5),
        ({"method": "sft"}, PAIRS, "sft", 2e-4),
        ({"learning_rate": 1e-3}, PAIRS, "dpo", 1e-3),
    ],
)
def test_what_is_not_said_hangs_on_the_task(
    options: dict[str, Any], task: Any, method: str, rate: float
) -> None:
    settled = TrlOptions.model_validate({"model": "m", **options})
    assert settled.method_of(task) == method
    assert settled.rate_of(task) == pytest.approx(rate)
    assert TrlOptions.model_validate(settled.model_dump(mode="json")) == settled


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"model": "m", "lora": True},
        {"model": "m", "lora": {"rank": 0}},
        {"model": "m", "lora": {"rnk": 8}},
        {"model": "m", "method": "ppo"},
        {"model": "m", "epochs": 0},
        {"model": "m", "device": "tpu"},
        {"model": "m", "batch_size": 1.5},
        {"model": "m", "time": "6"},
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrlOptions.model_validate(options)


def test_dpo_wants_pairs() -> None:
    student = Trl(TrlOptions(model="m", method="dpo"))
    assert student.problems(PAIRS) == []
    ((path, message),) = student.problems(TASK)
    assert (path, "take sft" in message) == (("method",), True)
    sft = Trl(TrlOptions(model="m"))
    tasks = (TASK, PAIRS, Instruction.bind(Instruction.Options(), None))
    assert [sft.problems(task) for task in tasks] == [[], [], []]


def test_a_lone_adapter_layer_is_a_list_of_one() -> None:
    assert Lora.model_validate({"targets": "q_proj"}).targets == ("q_proj",)


@pytest.mark.skipif(not MISSING, reason="the extra trl is here")
def test_without_the_extra_the_recipe_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("text,kind\nhello there,a\nmy parcel,b\n")
    (tmp_path / "recipe.yaml").write_text(
        "name: a\ntask: {kind: classification, input: text, label: kind}\n"
        "sources: {real: {path: real.csv}}\nstudent: {trl: {model: tiny}}\n"
    )
    with pytest.raises(RecipeError, match=r"pip install 'seedbed\[trl\]'"):
        load_bound(tmp_path, (), env={})


def test_nothing_heavy_is_imported_with_it() -> None:
    code = (
        "import sys, seedbed.student.trl, seedbed.student.trl_process; "
        "print(*sorted({'torch', 'transformers', 'trl', 'peft', 'datasets', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
