"""distilabel: a pipeline of two steps, its batches as large as the number of requests at once."""

from __future__ import annotations

from distilabel.models.llms import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

from benchmarks.peers.job import CONCURRENCY, KEY, MODEL, URL, prompts, write


def main() -> None:
    with Pipeline("throughput", cache_dir="cache") as pipeline:
        rows = [{"instruction": prompt} for prompt in prompts()]
        load = LoadDataFromDicts(data=rows, batch_size=CONCURRENCY)
        model = OpenAILLM(model=MODEL, base_url=URL, api_key=KEY)
        load >> TextGeneration(llm=model, input_batch_size=CONCURRENCY)
    done = pipeline.run(use_cache=False)
    write(done["default"]["train"]["generation"])


if __name__ == "__main__":
    main()
