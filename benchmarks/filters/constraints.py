"""`constraints` beside the strict results that M-IFEval has of two models' responses."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from benchmarks.filters.figure import Figure, precision_and_recall
from benchmarks.filters.mifeval import Checked, checked
from seedbed.filters.constraint_kinds import FieldConstraints, first_broken

# Told by the filter `language`.
ELSEWHERE = "language:response_language"
_YES_NO_MAYBE = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


def measure() -> list[Figure]:
    """For each kind of instruction and for all of them: how well what breaks ours is what failed there.

    `agreement` is the share of the instructions on which both say the same.
    """
    by_kind: dict[str, list[Checked]] = {}
    for one in checked():
        if one.instruction != ELSEWHERE:
            by_kind.setdefault(one.instruction, []).append(one)
    figures = [_figure(f"M-IFEval, {kind}", ones) for kind, ones in sorted(by_kind.items())]
    return [_figure("M-IFEval, all kinds", [one for ones in by_kind.values() for one in ones]), *figures]


def _figure(data: str, ones: list[Checked]) -> Figure:
    asked = [FieldConstraints.model_validate(asked_by(one.instruction, one.kwargs)) for one in ones]
    began = time.process_time()
    found = [
        first_broken(one.response, constraints) is not None
        for one, constraints in zip(ones, asked, strict=True)
    ]
    seconds = time.process_time() - began
    failed = [not one.followed for one in ones]
    same = sum(a == b for a, b in zip(found, failed, strict=True))
    return Figure(
        "constraints",
        f"{data}: agreement {100 * same / len(ones):.1f} %",
        len(ones),
        *precision_and_recall(found, failed),
        None,
        len(ones) / seconds,
    )


def asked_by(instruction: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """An instruction of M-IFEval as constraints of ours."""
    match instruction.partition(":")[2]:
        case "number_words":
            return {"words": _count(kwargs["relation"], kwargs["num_words"])}
        case "number_sentences":
            return {"sentences": _count(kwargs["relation"], kwargs["num_sentences"])}
        case "number_paragraphs":
            return {"parts": {"***": {"exactly": kwargs["num_paragraphs"]}}}
        case "nth_paragraph_first_word":
            return {
                "paragraphs": {"exactly": kwargs["num_paragraphs"]},
                "paragraph_starts": {kwargs["nth_paragraph"]: kwargs["first_word"]},
            }
        case "number_bullet_lists":
            return {"bullets": {"exactly": kwargs["num_bullets"]}}
        case "number_highlighted_sections":
            return {"highlights": {"at_least": kwargs["num_highlights"]}}
        case "multiple_sections":
            return {"sections": {kwargs["section_spliter"]: {"at_least": kwargs["num_sections"]}}}
        case "number_placeholders":
            return {"placeholders": {"at_least": kwargs["num_placeholders"]}}
        case "capital_word_frequency":
            return {"capital_words": _count(kwargs["capital_relation"], kwargs["capital_frequency"])}
        case "existence":
            return {"include": kwargs["keywords"]}
        case "forbidden_words":
            return {"exclude": kwargs["forbidden_words"]}
        case "frequency":
            return {"occurrences": {kwargs["keyword"]: _count(kwargs["relation"], kwargs["frequency"])}}
        case "letter_frequency":
            return {"letters": {kwargs["letter"]: _count(kwargs["let_relation"], kwargs["let_frequency"])}}
        case "no_comma":
            return {"commas": {"exactly": 0}}
        case "english_capital":
            return {"case": "upper"}
        case "english_lowercase":
            return {"case": "lower"}
        case "end_checker":
            return {"ends_with": kwargs["end_phrase"]}
        case "quotation":
            return {"is_quoted": True}
        case "repeat_prompt":
            return {"starts_with": kwargs["prompt_to_repeat"]}
        case "two_responses":
            return {"parts": {"******": {"exactly": 2}}}
        case "constrained_response":
            return {"any_of": _YES_NO_MAYBE}
        case "json_format":
            return {"is_json": True}
        case "title":
            return {"has_title": True}
        case "postscript":
            return {"postscript": kwargs["postscript_marker"]}
    raise ValueError(f"an instruction of M-IFEval that nothing here is for: {instruction}")


def _count(relation: str, number: int) -> dict[str, int]:
    return {"at_least": number} if relation == "at least" else {"at_most": number - 1}
