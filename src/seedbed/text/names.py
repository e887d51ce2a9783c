"""Names of persons and places, which have no form: a spaCy pipeline tells them, through Presidio.

Presidio's own engine would fetch a model; this one loads the pipeline that the recipe names, and no other
recogniser of Presidio's runs. A name is found as well as that pipeline finds it.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.text.spans import Span, apart

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

_LABELS = {"PERSON": "person", "LOCATION": "place"}
_MOST_CHARACTERS = 100_000
"""Of one piece: spaCy refuses texts of more than a million, and its memory grows with them."""

NAME_KINDS = tuple(_LABELS.values())


def problem_with_names(model: str) -> str | None:
    """Why names cannot be looked for by this pipeline (a package or a folder), with the fix; or None."""
    if find_spec("presidio_analyzer") is None:
        return "names need presidio: pip install 'seedbed[presidio]'"
    import spacy

    if spacy.util.is_package(model) or (Path(model) / "config.cfg").is_file():
        return None
    return (
        f"no spaCy pipeline {model!r}: name a folder that holds one, or install the package, such as "
        f"python -m spacy download en_core_web_sm"
    )


def find_names(text: str, kinds: Collection[str], model: str) -> list[Span]:
    """Spans of these kinds (of `NAME_KINDS`) in order, none of which overlap."""
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    wanted = [label for label, kind in _LABELS.items() if kind in kinds]
    engine, found = _engine(model), list[Span]()
    recogniser = SpacyRecognizer(supported_language="en", supported_entities=wanted)
    for start in range(0, len(text), _MOST_CHARACTERS):
        piece = text[start : start + _MOST_CHARACTERS]
        for entity in recogniser.analyze(piece, wanted, engine.process_text(piece, "en")):
            found.append(Span(_LABELS[entity.entity_type], start + entity.start, start + entity.end))
    return apart(found)


@lru_cache(maxsize=4)
def _engine(model: str) -> SpacyNlpEngine:
    """Loaded once a process. Presidio files every pipeline under a language; which one decides nothing."""
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": model}])
    engine.load()
    return engine
