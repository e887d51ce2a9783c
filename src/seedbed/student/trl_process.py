"""Trains or asks a model: `python -m seedbed.student.trl_process train|ask PLAN`.

`train` writes the adapter (or the model) and `report.json` into the plan's `out`. `ask` reads questions from
standard input and writes answers to standard output, a JSON line each: see `lesson_files`. What libraries say
goes to standard error. No connection is made unless the plan has `download`.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Turn = dict[str, str]
Plan = Mapping[str, Any]

# For a tokenizer without a template of its own. What is asked is the beginning of what is learnt: a line ends
# where a token does, as a space before a word would not.
PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}:\n{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant:\n{% endif %}"
)
_THOUGHT = re.compile(r"^\s*<think>.*?</think>\s*", re.DOTALL)
_MARK = "seedbed"


def main() -> None:
    what, plan = sys.argv[1], json.loads(Path(sys.argv[2]).read_bytes())
    said = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    stay_here(download=plan["download"])
    try:
        if what == "train":
            train(plan)
        else:
            questions = [json.loads(line) for line in sys.stdin.buffer]
            for question, answer in zip(questions, ask(plan, questions), strict=True):
                said.write(json.dumps({"id": question["id"], "answer": answer}) + "\n")
            said.flush()
    except Unusable as error:
        sys.exit(f"{error}")


class Unusable(Exception):
    """The model, or the machine, cannot do what the recipe says."""


def stay_here(*, download: bool) -> None:
    """Before anything of theirs is imported: no telemetry, and no hub unless it may be asked."""
    os.environ |= {"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "TOKENIZERS_PARALLELISM": "false"}
    os.environ |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    if not download:
        os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}


def train(plan: Plan) -> None:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    tokenizer, dpo = tokenizer_of(plan, plan["model"]), plan["method"] == "dpo"
    rows, dev = (pairs_of(plan[name]) if dpo else turns_of(plan[name]) for name in ("train", "dev"))
    cut = sum(is_cut(tokenizer, row, plan["max_length"]) for row in rows)
    settings = _settings(plan)
    config = DPOConfig(**settings, beta=plan["beta"]) if dpo else SFTConfig(**settings)
    trainer = (DPOTrainer if dpo else SFTTrainer)(
        model=model_of(plan, plan["model"], training=True),
        args=config,
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(dev) if dev else None,
        processing_class=tokenizer,
        peft_config=_adapter(plan),
    )
    before = trainer.evaluate() if dev else {}
    loss = trainer.train().training_loss
    after = trainer.evaluate() if dev else {}
    trainer.save_model(plan["out"])
    tokenizer.save_pretrained(plan["out"])
    figures = {
        "dev_loss": after.get("eval_loss"),
        "dev_loss_before": before.get("eval_loss"),
        "dev_preferred": after.get("eval_rewards/accuracies"),
        "train_loss": loss,
    }
    notes = [f"{cut:,} of {len(rows):,} rows are longer than max_length, and were cut"] if cut else []
    report = {"figures": {key: value for key, value in figures.items() if value is not None}, "notes": notes}
    (Path(plan["out"]) / "report.json").write_text(json.dumps(report), "ascii")


def lines_of(path: str) -> Iterator[dict[str, Any]]:
    """Also of an export: its rows are UTF-8, of which ASCII is a part."""
    with Path(path).open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def turns_of(path: str) -> list[dict[str, list[Turn]]]:
    """Each turn of the assistant with what stands before it: that is what is asked later."""
    return [
        {"prompt": messages[:at], "completion": [turn]}
        for line in lines_of(path)
        for messages in (line["messages"],)
        for at, turn in enumerate(messages)
        if turn["role"] == "assistant" and at
    ]


def pairs_of(path: str) -> list[dict[str, list[Turn]]]:
    return [{name: line[name] for name in ("prompt", "chosen", "rejected")} for line in lines_of(path)]


def is_cut(tokenizer: Any, row: Mapping[str, list[Turn]], most: int) -> bool:
    ends = [turns for name, turns in row.items() if name != "prompt"]
    return any(len(ids_of(tokenizer, [*row["prompt"], *turns])) > most for turns in ends)


def ids_of(tokenizer: Any, messages: Sequence[Turn], *, asking: bool = False) -> list[int]:
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=asking, tokenize=False)
    found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


def _settings(plan: Plan) -> dict[str, Any]:
    """What TRL's configurations have in common. Nothing is reported anywhere, nothing saved on the way."""
    device, precision = device_of(plan), precision_of(plan)
    return {
        "output_dir": plan["out"],
        "num_train_epochs": plan["epochs"],
        "learning_rate": plan["learning_rate"],
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.05,
        "per_device_train_batch_size": plan["batch_size"],
        "per_device_eval_batch_size": plan["batch_size"],
        "gradient_accumulation_steps": plan["gradient_accumulation"],
        "max_length": plan["max_length"],
        "seed": plan["seed"],
        "use_cpu": device == "cpu",
        "bf16": precision == "bf16",
        "fp16": precision == "fp16",
        "dataloader_pin_memory": device != "cpu",
        "disable_tqdm": True,
        "save_strategy": "no",
        "report_to": "none",
        "push_to_hub": False,
    }


def _adapter(plan: Plan) -> Any:
    if not plan["lora"]:
        return None
    from peft import LoraConfig

    lora = plan["lora"]
    targets = lora["targets"]
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=lora["rank"],
        lora_alpha=lora["alpha"],
        lora_dropout=lora["dropout"],
        target_modules=targets[0] if targets == ["all-linear"] else targets,
    )


def device_of(plan: Plan) -> str:
    import torch

    there = torch.cuda.is_available()
    if plan["device"] == "cuda" and not there:
        raise Unusable("device: cuda, and torch sees no GPU here; take cpu or auto")
    return "cuda" if there and plan["device"] != "cpu" else "cpu"


def precision_of(plan: Plan) -> str:
    import torch

    if plan["precision"] != "auto":
        return str(plan["precision"])
    return "bf16" if device_of(plan) == "cuda" and torch.cuda.is_bf16_supported() else "fp32"


def tokenizer_of(plan: Plan, where: str) -> Any:
    from transformers import AutoTokenizer

    tokenizer = _loaded(AutoTokenizer, plan, where)
    if tokenizer.eos_token is None:
        raise Unusable(f"the tokenizer of {where} has no token for the end of a text; take another model")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_TEMPLATE
    return tokenizer


def model_of(plan: Plan, where: str, *, training: bool) -> Any:
    """The model, in the precision that it is trained or asked in.

    Weights that are trained themselves stay in fp32, with the lower precision in their products alone.
    """
    import torch
    from transformers import AutoModelForCausalLM

    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
    precision = precision_of(plan)
    whole = training and (not plan["lora"] or precision == "fp16")
    return _loaded(AutoModelForCausalLM, plan, where, dtype=kinds["fp32" if whole else precision])


def _loaded(kind: Any, plan: Plan, where: str, **more: Any) -> Any:
    revision = plan["revision"] if where == plan["model"] and not Path(where).is_dir() else None
    try:
        return kind.from_pretrained(where, trust_remote_code=False, revision=revision or "main", **more)
    except OSError as error:
        if plan["download"] or Path(where).is_dir():
            raise
        raise Unusable(
            f"the model {where} is neither a folder beside the recipe nor in the hub's cache here; "
            f"name a folder, or say download: true ({type(error).__name__})"
        ) from None


def ask(plan: Plan, questions: Sequence[Mapping[str, Any]]) -> list[str]:
    """The answer to each question, greedily, without the end that the template gives to a turn."""
    import torch

    tokenizer = tokenizer_of(plan, plan["out"])
    model = _learnt(plan).to(device_of(plan)).eval()
    room = _positions(model) - plan["new_tokens"]
    ids = [ids_of(tokenizer, question["messages"], asking=True) for question in questions]
    if room < 1:
        raise Unusable(f"new_tokens: {plan['new_tokens']} leaves no room for a question; make it less")
    ids = [each[-room:] for each in ids]
    answers = [""] * len(ids)
    # The long ones first: what does not fit into memory is known at once.
    order = sorted(range(len(ids)), key=lambda at: -len(ids[at]))
    for start in range(0, len(order), plan["batch_size"]):
        chosen = order[start : start + plan["batch_size"]]
        batch = _left_padded([ids[at] for at in chosen], tokenizer.pad_token_id, torch)
        with torch.inference_mode():
            made = model.generate(
                **{name: tensor.to(model.device) for name, tensor in batch.items()},
                generation_config=_greedy(plan, tokenizer, model),
            )
        new = made[:, batch["input_ids"].shape[1] :]
        for at, text in zip(chosen, tokenizer.batch_decode(new, skip_special_tokens=True), strict=True):
            answers[at] = _THOUGHT.sub("", text).strip()
    return answers


def _learnt(plan: Plan) -> Any:
    if not plan["lora"]:
        return model_of(plan, plan["out"], training=False)
    from peft import PeftModel

    return PeftModel.from_pretrained(model_of(plan, plan["model"], training=False), plan["out"])


def _positions(model: Any) -> int:
    """Tokens that the model can attend to, as far as it says so."""
    return int(getattr(model.config, "max_position_embeddings", None) or 1 << 20)


def _greedy(plan: Plan, tokenizer: Any, model: Any) -> Any:
    """Generation by the most likely token alone, whatever the model's own settings are."""
    from transformers import GenerationConfig

    ends = getattr(model.generation_config, "eos_token_id", None)
    known = [ends] if isinstance(ends, int) else list(ends or [])
    return GenerationConfig(
        do_sample=False,
        max_new_tokens=plan["new_tokens"],
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=list(dict.fromkeys([tokenizer.eos_token_id, *known, *end_of_turn(tokenizer)])),
    )


def end_of_turn(tokenizer: Any) -> list[int]:
    """The special token that the template puts behind what the assistant says, if it does."""
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _MARK}]
    text = tokenizer.apply_chat_template(turns, tokenize=False).rpartition(_MARK)[2]
    after = tokenizer(text, add_special_tokens=False)["input_ids"]
    return [token for token in after[:1] if token in tokenizer.all_special_ids]


def _left_padded(ids: Sequence[Sequence[int]], pad: int, torch: Any) -> dict[str, Any]:
    longest = max(map(len, ids))
    filled = [[pad] * (longest - len(each)) + list(each) for each in ids]
    masks = [[0] * (longest - len(each)) + [1] * len(each) for each in ids]
    return {"input_ids": torch.tensor(filled), "attention_mask": torch.tensor(masks)}


if __name__ == "__main__":
    main()
