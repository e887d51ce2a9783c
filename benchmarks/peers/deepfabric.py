"""deepfabric: basic conversations, one for each topic of a given tree, the answer of each kept.

Its provider "openai" takes no `base_url` (4.13.0), so the endpoint is addressed as an "ollama".
It asks for conversations alone, so a row is one question with its answer.
"""

from __future__ import annotations

from deepfabric import DataSetGenerator
from deepfabric.tree import Tree

from benchmarks.peers.job import CONCURRENCY, MODEL, ROWS, URL, prompts, write


def main() -> None:
    topics = Tree(topic_prompt="support", provider="ollama", model_name=MODEL, base_url=URL)
    topics.from_dict_list([{"path": [prompt]} for prompt in prompts()])
    generator = DataSetGenerator(
        provider="ollama",
        model_name=MODEL,
        base_url=URL,
        conversation_type="basic",
        generation_system_prompt="Write for a support team.",
        instructions="Write one short text.",
    )
    rows = generator.create_data(num_steps=ROWS, batch_size=CONCURRENCY, topic_model=topics)
    write(row["messages"][-1]["content"] for row in rows)


if __name__ == "__main__":
    main()
