"""`faithfulness`: claims as a judge names them, each with a quotation that is looked for in the source."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pydantic import ValidationError

from seedbed.core.protocols import FilterContext
from seedbed.core.record import Provenance, Record
from seedbed.core.verdict import Regime, Verdict
from seedbed.filters.faithfulness import Faithfulness
from tests.filters.test_groundedness import MEMO, TASK, answered
from tests.filters.tickets import QUESTIONS, FromMemory, record

CONTEXT = FilterContext(TASK)
GOOD = ("It opens on 4 June 2019.", "opens on 4 June 2019", 5)
FAIR = ("It is a large depot.", "holds 1,200 crates", 3)
MISQUOTED = ("It opens on 4 June 2019.", "opens on June 4", 5)


def says(*claims: tuple[Any, Any, Any]) -> str:
    return json.dumps({"claims": [{"claim": c, "quote": q, "score": s} for c, q, s in claims]})


def judged(
    *replies: Any, one: Record | None = None, context: FilterContext = CONTEXT, **options: Any
) -> tuple[Verdict, FromMemory]:
    judge: Any = Faithfulness.build(Faithfulness.Options(**options), context)
    asking = FromMemory(judge, *replies)
    return asyncio.run(judge.check(one or answered("It opens on 4 June 2019 and is large."), asking)), asking


def test_the_score_is_that_of_the_claim_that_is_borne_out_least() -> None:
    verdict, asking = judged(says(GOOD, FAIR))
    assert (verdict.keep, verdict.score, verdict.reason) == (True, 3.0, "")
    assert verdict.evidence["says"] == FAIR[0]
    assert (verdict.evidence["claims"], verdict.evidence["misquoted"]) == (2, 0)
    assert len(verdict.evidence["replies"]) == len(asking.asked) == 1
    shown = json.loads(asking.asked[0][-1].content.splitlines()[1])
    assert shown == {
        "question": "What does it say?",
        "source": MEMO,
        "answer": "It opens on 4 June 2019 and is large.",
    }


@pytest.mark.parametrize("quote", ["opens on June 4", "", "The depot … crates"])
def test_a_claim_whose_quotation_is_not_in_the_source_has_the_lowest_score(quote: str) -> None:
    verdict, _ = judged(says(FAIR, (GOOD[0], quote, 5)))
    assert verdict.score == 1.0
    assert (verdict.evidence["says"], verdict.evidence["quote"], verdict.evidence["misquoted"]) == (
        GOOD[0],
        quote,
        1,
    )


def test_a_quotation_may_be_broken_into_lines_otherwise() -> None:
    verdict, _ = judged(says((GOOD[0], "opens on\n4  June 2019", 4)))
    assert verdict.score == 4.0


USELESS = [
    "It is all there.",
    says(),
    says(("", "opens", 5)),
    says((GOOD[0], None, 5)),
    says((GOOD[0], GOOD[1], "5")),
    says((GOOD[0], GOOD[1], 4.5)),
    says((GOOD[0], GOOD[1], True)),
    says(GOOD, (FAIR[0], FAIR[1], 0)),
    '{"claims": ["It opens."]}',
    '{"claims": {}}',
    '{"evidence": "fine", "score": 5}',
]


@pytest.mark.parametrize("reply", USELESS)
def test_what_are_no_claims_is_asked_again_with_the_error_and_never_guessed(reply: str) -> None:
    mended, asking = judged(reply, says(GOOD))
    assert mended.score == 5
    first, second = (messages[-1].content for messages in asking.asked)
    assert "could not be used" not in first
    assert "could not be used" in second
    given_up, asking = judged(reply)
    assert (given_up.keep, given_up.score, given_up.evidence["unjudged"]) == (True, None, "unreadable")
    assert len(asking.asked) == 2


@pytest.mark.parametrize(
    ("one", "cause"),
    [
        (answered("It opens.", context=""), "no_source"),
        (answered(""), "no_answer"),
        (answered("That is not said.", notes={"answerable": False}), "not_in_source"),
    ],
)
def test_nothing_is_asked_where_there_is_nothing_to_hold_against(one: Record, cause: str) -> None:
    verdict, asking = judged(says(GOOD), one=one)
    assert (verdict.keep, verdict.score, verdict.evidence["unjudged"]) == (True, None, cause)
    assert asking.asked == []


def test_the_passage_that_a_record_is_about_is_its_source() -> None:
    passage = Record("p", {"text": MEMO, "heading": "Depots", "document": "a.md"}, Provenance("real", "docs"))
    one = record("r", question="When?", answer="On 4 June 2019.")
    about = one._replace(provenance=one.provenance._replace(parents=("p",)))
    verdict, asking = judged(says(GOOD), one=about, context=FilterContext(QUESTIONS, documents=[passage]))
    assert verdict.score == 5
    assert MEMO in asking.asked[0][-1].content


@pytest.mark.parametrize(
    ("regime", "keep", "reason"),
    [("gates", False, "faithfulness_below_min"), ("people", True, "faithfulness_for_people")],
)
def test_what_people_showed_decides_what_a_low_score_does(regime: Regime, keep: bool, reason: str) -> None:
    options = Faithfulness.Options(min=4, calibration="file.json")
    judge: Any = Faithfulness.build(options, CONTEXT).in_regime(regime)
    verdict = asyncio.run(judge.check(answered("It opens."), FromMemory(judge, says(FAIR))))
    assert (verdict.keep, verdict.reason, verdict.score) == (keep, reason, 3)


def test_it_drops_without_calibration_only_where_the_recipe_trusts_it() -> None:
    verdict, _ = judged(says(MISQUOTED), min=4, trust="uncalibrated")
    assert (verdict.keep, verdict.reason) == (False, "faithfulness_below_min")
    with pytest.raises(ValidationError, match="never compared with people"):
        Faithfulness.Options(min=4)
