"""deepfabric: basic conversations, one for each topic of a given tree, of each the answer.

Its provider "openai" takes no `base_url` (4.13.0), so the endpoint is addressed as an "ollama". It
makes conversations alone; where the fake endpoint fills in their schema, the text is in `final_answer`.
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
    # A step is as many rows as go at once, so it may make a few more than asked for.
    rows = generator.create_data(-(-ROWS // CONCURRENCY), batch_size=CONCURRENCY, topic_model=topics)
    write(row["final_answer"] for row in rows)


if __name__ == "__main__":
    main()
