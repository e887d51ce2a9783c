"""`python -m benchmarks.evidence.train_tiny FILE FOLDER`: a tiny model learns from an export for TRL.

The model and its tokenizer are made here, of the texts of the file, so that nothing is fetched. The last line
on stdout has the loss of the first and of the last step.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

VOCABULARY = 2000
STEPS, BATCH = 12, 8


def train(file: Path, folder: Path) -> dict[str, float]:
    """The losses of the first and the last step."""
    import torch
    from datasets import load_dataset
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from trl import SFTConfig, SFTTrainer

    rows = load_dataset("json", data_files=str(file), split="train", cache_dir=str(folder / "cache"))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([json.dumps(row, ensure_ascii=False) for row in rows], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", pad_token="</s>")
    fast.chat_template = (
        "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}</s>\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
        bos_token_id=None,
    )
    learning = SFTTrainer(
        model=LlamaForCausalLM(config),
        args=SFTConfig(
            output_dir=str(folder / "trained"),
            max_steps=STEPS,
            per_device_train_batch_size=BATCH,
            learning_rate=5e-3,
            max_length=512,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            bf16=False,
            seed=0,
        ),
        train_dataset=rows,
        processing_class=fast,
    )
    learning.train()
    losses = [entry["loss"] for entry in learning.state.log_history if "loss" in entry]
    return {"first": round(losses[0], 3), "last": round(losses[-1], 3)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(train(Path(sys.argv[1]), Path(sys.argv[2]))) + "\n")
