"""A spaCy pipeline that knows the names of a list, built on the spot: no model is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def pipeline_of_names(folder: Path, **names: str) -> str:
    """Saved to a folder; `names` are given by spaCy's label, such as PERSON. Skips without the extra."""
    pytest.importorskip("presidio_analyzer", reason="the extra presidio is not installed")
    import spacy

    pipeline = spacy.blank("en")
    ruler: Any = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": label, "pattern": name} for label, name in names.items()])
    pipeline.to_disk(folder)
    return str(folder)
