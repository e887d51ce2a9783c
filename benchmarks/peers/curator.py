"""bespokelabs-curator: a class with a prompt and a parser, its own limits on requests set out of the way.

It counts tokens with a vocabulary that it would load from the net; litellm, which it requires, ships one.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bespokelabs import curator

from benchmarks.peers.job import CONCURRENCY, KEY, MODEL, OUT, URL, prompts

UNLIMITED_A_MINUTE = 10**9


class Writer(curator.LLM):  # type: ignore[misc]
    def prompt(self, row: dict[str, Any]) -> str:
        return str(row["prompt"])

    def parse(self, row: dict[str, Any], response: str) -> dict[str, str]:
        return {"text": response}


def main() -> None:
    found = find_spec("litellm")
    assert found is not None
    assert found.origin is not None
    vocabularies = Path(found.origin).parent / "litellm_core_utils" / "tokenizers"
    os.environ["TIKTOKEN_CACHE_DIR"] = str(vocabularies)
    writer = Writer(
        model_name=MODEL,
        backend="openai",
        backend_params={
            "base_url": URL,
            "api_key": KEY,
            "max_concurrent_requests": CONCURRENCY,
            "max_requests_per_minute": UNLIMITED_A_MINUTE,
            "max_tokens_per_minute": UNLIMITED_A_MINUTE,
        },
    )
    written = writer([{"prompt": prompt} for prompt in prompts()])
    written.dataset.to_json(str(OUT))


if __name__ == "__main__":
    main()
