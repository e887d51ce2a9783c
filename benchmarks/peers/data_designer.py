"""NVIDIA NeMo Data Designer: a seed data set of prompts and one column of model text."""

from __future__ import annotations

import data_designer.config as config
import pandas as pd
from data_designer.interface import DataDesigner

from benchmarks.peers.job import CONCURRENCY, KEY, MODEL, OUT, ROWS, URL, prompts


def main() -> None:
    at_once = config.ChatCompletionInferenceParams(max_parallel_requests=CONCURRENCY)
    model = config.ModelConfig(alias="writer", model=MODEL, provider="here", inference_parameters=at_once)
    builder = config.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(config.DataFrameSeedSource(df=pd.DataFrame({"prompt": prompts()})))
    builder.add_column(config.LLMTextColumnConfig(name="text", model_alias="writer", prompt="{{ prompt }}"))
    here = config.ModelProvider(name="here", endpoint=URL, provider_type="openai", api_key=KEY)
    designer = DataDesigner(artifact_path="artifacts", model_providers=[here])
    designer.create(builder, num_records=ROWS).export(OUT)


if __name__ == "__main__":
    main()
