"""A small open-weight model that is fine-tuned: SFT or DPO with TRL, LoRA through PEFT.

It learns and answers in processes of its own (`trl_process.py`), under the same keeper as a command of the
user's, so that nothing heavy is imported here and what it held of memory is free when it has ended.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.protocols import Task
from seedbed.recipe.section import Bool, Float, Int, OneOrMore, Text
from seedbed.recipe.units import Duration
from seedbed.student.attempt import Attempt, FittedProgram, Learnt, learn
from seedbed.student.keeper import Order, python
from seedbed.student.protocol import Lesson, Student

PLAN_FILE = "plan.json"
REPORT_FILE = "report.json"
_MODULE = "seedbed.student.trl_process"

Method = Literal["sft", "dpo"]


class Lora(BaseModel):
    """The adapter that is trained in place of the model's own weights (Hu et al. 2021)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: Int = Field(16, ge=1, description="rank of the adapter: its size")
    alpha: Int = Field(32, ge=1, description="its weight is alpha ÷ rank")
    dropout: Float = Field(0.0, ge=0, lt=1, description="share of its input that is dropped in training")
    targets: Annotated[tuple[Text, ...], OneOrMore] = Field(
        ("all-linear",), description="names of the layers that get one; `all-linear` is every linear layer"
    )


class TrlOptions(BaseModel):
    """Settings of the trl student."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Text = Field(
        description="the model to begin from: a folder, as seen from the recipe, or a name on the hub"
    )
    revision: Text | None = Field(None, description="the revision of a model on the hub")
    download: Bool = Field(
        False, description="whether the hub may be asked for a model that is not on this machine"
    )
    method: Method | None = Field(
        None,
        description="`sft` learns answers, `dpo` which of two is better (default: `dpo` for preference "
        "tasks, else `sft`)",
    )
    epochs: Float = Field(3.0, gt=0, description="how often each row is seen")
    learning_rate: Float | None = Field(
        None,
        gt=0,
        description="at its height (default: 2e-4 with an adapter, 2e-5 without, a tenth of it for `dpo`)",
    )
    batch_size: Int = Field(8, ge=1, description="rows at once, in training and in answering")
    gradient_accumulation: Int = Field(1, ge=1, description="batches for each step")
    max_length: Int = Field(1024, ge=8, description="tokens of a row; what is longer is cut, and counted")
    beta: Float = Field(0.1, gt=0, description="how close `dpo` stays to the model that it began from")
    lora: Lora | Literal[False] = Field(
        default_factory=lambda: Lora(), description="the adapter: a map, or `false` to train the whole model"
    )
    new_tokens: Int = Field(256, ge=1, description="longest answer, in tokens")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where: `auto`, `cpu` or `cuda`")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto", description="of its numbers: `auto` (bf16 where the GPU has it), `fp32`, `bf16` or `fp16`"
    )
    time: Duration = Field(86_400.0, description="how long training, and each answering, may take")

    def method_of(self, task: Task) -> Method:
        return self.method or ("dpo" if task.kind == "preference" else "sft")

    def rate_of(self, task: Task) -> float:
        if self.learning_rate is not None:
            return self.learning_rate
        rate = 2e-4 if self.lora else 2e-5
        return rate / 10 if self.method_of(task) == "dpo" else rate


class Trl(Student):
    """Fine-tunes on the chat of each row, on the assistant's turns alone, and answers greedily."""

    name: ClassVar[str] = "trl"
    version: ClassVar[int] = 1
    Options: ClassVar[type[BaseModel]] = TrlOptions
    needs: ClassVar[tuple[str, ...]] = ("torch", "transformers", "datasets", "peft", "trl")
    slow: ClassVar[bool] = True

    def __init__(self, options: TrlOptions) -> None:
        self._options = options

    @property
    def answers(self) -> bool:
        return True

    @property
    def reads(self) -> Sequence[str]:
        """Of a model in a folder what tells it from another one there; its weights would take too long."""
        return (f"{self._options.model}/config.json",)

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        if self._options.method_of(task) == "dpo" and task.kind != "preference":
            message = f"learns from pairs with dpo, and a task of the kind {task.kind} has none; take sft"
            return [(("method",), message)]
        return []

    def fit(self, lesson: Lesson) -> FittedProgram:
        """Raises StudentError where it cannot be trained; see the log."""
        options, attempt = self._options, Attempt(lesson.folder.absolute())
        method = options.method_of(lesson.task)
        plan = attempt.folder / PLAN_FILE
        plan.write_text(json.dumps(self._plan(lesson, attempt)), "ascii")
        learnt = learn(
            attempt,
            lesson,
            Order("trl", python(_MODULE, "train", str(plan)), lesson.home, options.time, attempt.log),
            pairs=method == "dpo",
            report=read_report,
        )
        asking = Order(
            "trl", python(_MODULE, "ask", str(plan)), lesson.home, options.time, attempt.answering_log, b""
        )
        return FittedProgram(lesson.task, lesson.dev, asking, learnt)

    def _plan(self, lesson: Lesson, attempt: Attempt) -> dict[str, Any]:
        """What the process is told: the options with every default settled, and where things are."""
        here = lesson.home.absolute() / self._options.model
        return {
            **self._options.model_dump(mode="json"),
            "model": str(here) if here.is_dir() else self._options.model,
            "method": self._options.method_of(lesson.task),
            "learning_rate": self._options.rate_of(lesson.task),
            "seed": lesson.seed % 2**32,
            "train": str(attempt.train),
            "dev": str(attempt.dev),
            "out": str(attempt.out),
        }


def read_report(out: Path) -> Learnt:
    """What the training process says of itself: figures on the dev rows, and notes."""
    value = json.loads((out / REPORT_FILE).read_bytes())
    return Learnt(value["figures"], tuple(value["notes"]))
