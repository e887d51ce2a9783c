"""SDG Hub: a flow of three blocks, prompt, call and extraction, over a frame of prompts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from sdg_hub import Flow

from benchmarks.peers.job import CONCURRENCY, KEY, MODEL, URL, prompts, write

FLOW = """
metadata: {name: throughput, description: one text a prompt, version: 1.0.0, author: benchmarks}
blocks:
  - block_type: PromptBuilderBlock
    block_config: {block_name: ask, input_cols: [prompt], output_cols: messages, prompt_config_path: ask.yaml}
  - block_type: LLMChatBlock
    block_config: {block_name: call, input_cols: messages, output_cols: reply, async_mode: true}
  - block_type: LLMResponseExtractorBlock
    block_config: {block_name: written, input_cols: reply, extract_content: true}
"""


def main() -> None:
    Path("flow.yaml").write_text(FLOW)
    Path("ask.yaml").write_text("- {role: user, content: '{{ prompt }}'}\n")
    flow = Flow.from_yaml("flow.yaml")
    flow.set_model_config(model=f"openai/{MODEL}", api_base=URL, api_key=KEY)
    done = flow.generate(pd.DataFrame({"prompt": prompts()}), max_concurrency=CONCURRENCY)
    write(done["written_content"])


if __name__ == "__main__":
    main()
