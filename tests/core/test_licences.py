"""The licence table: each row says where it is from, and an unchecked one decides nothing."""

from __future__ import annotations

from datetime import date

import pytest

from seedbed.core.licences import (
    USES,
    all_terms,
    by_own_word,
    judge,
    match_of,
    terms_of,
)


def test_every_row_has_its_source_its_section_and_a_verdict_for_each_use() -> None:
    assert len({terms.id for terms in all_terms()}) == len(all_terms()) > 10
    for terms in all_terms():
        assert set(terms.verdicts) == set(USES)
        assert set(terms.verdicts.values()) <= {"allow", "conditional", "deny"}
        assert terms.source.startswith("https://")
        assert terms.section
        assert terms.date == "unverified" or date.fromisoformat(terms.date)
        assert "conditional" not in terms.verdicts.values() or terms.obligations


def test_an_unchecked_row_acts_as_unknown_whatever_it_says() -> None:
    unchecked = [terms for terms in all_terms() if terms.checked is None]
    assert unchecked
    for terms in unchecked:
        for use in USES:
            found = judge("mine", None, use, terms.id)
            assert (found.verdict, found.terms) == ("unknown", terms)


@pytest.mark.parametrize(
    ("model", "host", "licence"),
    [
        ("Qwen/Qwen3-32B", None, "apache-2.0"),
        ("qwen3:8b", None, "apache-2.0"),
        ("qwen3-coder-30b-a3b-instruct", None, "apache-2.0"),
        ("openai/gpt-oss-120b", None, "apache-2.0"),
        ("gpt-oss:20b", None, "apache-2.0"),
        ("deepseek-ai/DeepSeek-R1", None, "mit"),
        ("meta-llama/Meta-Llama-3-8B-Instruct", None, "llama3"),
        ("llama3", None, "llama3"),
        ("meta-llama/Llama-3.1-70B", None, "llama3.1"),
        ("llama3.3:70b", None, "llama3.3"),
        ("anything", "api.openai.com", "openai-terms"),
    ],
)
def test_a_model_is_found_by_its_name_or_host(model: str, host: str | None, licence: str) -> None:
    found = match_of(model, host)
    assert found is not None
    assert found.terms.id == licence


@pytest.mark.parametrize(
    "model", ["qwen3-max", "qwen2.5-72b", "deepseek-r1-distill-llama-8b", "my-llama-3-8b", "fake", ""]
)
def test_a_name_that_only_looks_alike_is_none(model: str) -> None:
    assert match_of(model, "127.0.0.1") is None


def test_a_word_of_the_user_counts_but_not_against_a_checked_ban() -> None:
    assert judge("mine", None, "commercial", "Apache-2.0").verdict == "allow"
    assert judge("qwen3-32b", None, "commercial", None).verdict == "allow"
    assert judge("llama-3-8b", None, "research", "apache-2.0").verdict == "deny"
    assert by_own_word("a contract", True).verdict == "allow"
    assert terms_of(" MIT ") is not None
