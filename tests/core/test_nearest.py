"""The hint at a mistyped word: what was most likely meant, and nothing where that is a guess."""

from __future__ import annotations

import pytest

from seedbed.core.registry import nearest


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("defualt", ["refusal", "default"], "default"),
        ("targts", ["cover", "target"], "target"),
        ("cvs", ["csv", "jsonl", "text"], "csv"),
        ("categories", ["text", "category"], "category"),
        ("clasificaton", ["instruction", "classification"], "classification"),
        ("labels", ["text", "label"], "label"),
        ("aa", ["a", "b"], "a"),
    ],
)
def test_a_typo_is_understood(word: str, known: list[str], meant: str) -> None:
    assert nearest(word, known) == meant


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("defualt", ["refusal"]),
        ("intent", ["text", "context"]),
        ("context", ["text"]),
        ("title", ["file"]),
        ("judge", ["budget"]),
        ("a", ["b"]),
        ("", ["a"]),
        ("text", []),
    ],
)
def test_a_wrong_hint_is_worse_than_none(word: str, known: list[str]) -> None:
    assert nearest(word, known) is None
