"""`preference`: what can be checked ranks before what is an opinion, and length is not what is learnt."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.errors import RecipeError
from seedbed.core.record import Record
from seedbed.generate.preference import Answers, Preference
from seedbed.generate.ranking import Answer, decides, round_robin, sides
from seedbed.run.loading import load_bound
from seedbed.run.planner import plan_from_scratch
from seedbed.verify.mathematics import compare, final_answer
from tests.generate.bench import CLEAN, Bench
from tests.generate.scripted import Question, Scripted

TASK = {"kind": "preference", "prompt": "question", "answer": "known"}
EGGS = {"question": "Three eggs and four eggs are how many?", "known": "3 + 4 = 7\n#### 7"}


def recipe(**options: object) -> dict[str, Any]:
    return {
        "task": TASK,
        "sources": {"rows": {"path": "rows.jsonl"}},
        "generate": {"target": 4, "examples": 0, "methods": {"preference": {"source": "rows", **options}}},
    }


def pair_of(
    folder: Path, answers: Sequence[str], scores: Mapping[str, object] | None = None, **options: object
) -> tuple[Record, list[Question]]:
    """The one record, where the draws are `answers` and the judge scores each by `scores`."""

    def say(question: Question) -> str:
        if question.model == "judge":
            answer = question.user.rpartition("<answer>\n")[2].removesuffix("\n</answer>")
            return json.dumps({"evidence": "As it says.", "score": (scores or {})[answer]})
        return answers[question.choice]

    options = {"rank": ["verifier"], "answers": [{"n": len(answers)}], "length_ratio": False, **options}
    script = Scripted(folder, say, roles=("teacher", "judge") if scores else ("teacher",))
    (record,) = script.records(recipe(**options), {"rows.jsonl": json.dumps(EGGS)})
    return record, script.asked


def reason(record: Record) -> str:
    return record.rejected.reason if record.rejected else ""


RIGHT, WRONG, SLIPPED = "3 + 4 = 7, so 7.", "3 + 4 = 8, so 8.", "3 + 5 = 7, so 7."
PROSE = "As many as there are."


def test_the_right_answer_is_chosen_and_the_wrong_one_rejected(tmp_path: Path) -> None:
    record, _ = pair_of(tmp_path, [WRONG, RIGHT, PROSE])
    assert record.fields == {"question": EGGS["question"], "chosen": RIGHT, "rejected": WRONG}
    passes = {each.get("passes") for each in record.notes["answers"]}
    assert passes == {True, False, None}
    assert record.notes["answers"][record.notes["chosen"]]["passes"] is True


def test_of_right_answers_one_whose_equations_hold_is_chosen(tmp_path: Path) -> None:
    record, _ = pair_of(tmp_path, [SLIPPED, WRONG, RIGHT])
    assert record.fields["chosen"] == RIGHT


@pytest.mark.parametrize(
    "answers", [[RIGHT, f"Well, {RIGHT}"], [WRONG, "9."], [RIGHT, PROSE], [WRONG, PROSE]]
)
def test_no_pair_where_the_verifier_cannot_tell(tmp_path: Path, answers: Sequence[str]) -> None:
    scores = dict(zip(answers, (5, 1), strict=True))
    record, asked = pair_of(tmp_path, answers, scores, rank=["verifier", "judge"])
    assert reason(record) == "not_told_apart"
    assert record.fields == {"question": EGGS["question"]}
    assert not [question for question in asked if question.model == "judge"]


def test_behind_the_verifier_the_judge_only_picks(tmp_path: Path) -> None:
    other = "It is 7."
    record, _ = pair_of(
        tmp_path,
        [WRONG, RIGHT, other, "9"],
        {WRONG: 5, RIGHT: 1, other: 2, "9": 1},
        rank=["verifier", "judge"],
    )
    assert (record.fields["chosen"], record.fields["rejected"]) == (other, "9")


def test_the_judge_alone_decides_by_its_margin(tmp_path: Path) -> None:
    answers = ["One.", "Two.", "Six."]
    record, asked = pair_of(
        tmp_path / "1", answers, {"One.": 2, "Two.": 5, "Six.": 3}, rank=["judge"], margin=2
    )
    assert (record.fields["chosen"], record.fields["rejected"]) == ("Two.", "One.")
    judged = [question.user for question in asked if question.model == "judge"]
    assert all(sum(answer in user for answer in answers) == 1 for user in judged)
    record, _ = pair_of(tmp_path / "2", answers, {"One.": 4, "Two.": 5, "Six.": 4}, rank=["judge"], margin=2)
    assert reason(record) == "margin_too_small"


def test_a_score_of_no_use_leaves_its_answer_out(tmp_path: Path) -> None:
    scores = {"One.": 9, "Two.": 5, "Six.": 3}
    record, _ = pair_of(tmp_path, list(scores), scores, rank=["judge"])
    assert (record.fields["chosen"], record.fields["rejected"]) == ("Two.", "Six.")
    assert "score" not in record.notes["answers"][0]


def compared(
    folder: Path, answers: Sequence[str], better: Callable[[str, str], str], **options: object
) -> tuple[Record, list[tuple[str, str]]]:
    """The one record, and what the judge was shown, by a judge that says `better(first, second)`."""
    shown: list[tuple[str, str]] = []

    def say(question: Question) -> str:
        if question.model != "judge":
            return answers[question.choice]
        first, second = (
            question.user.partition(f"<{place}>\n")[2].partition(f"\n</{place}>")[0]
            for place in ("first", "second")
        )
        shown.append((first, second))
        return json.dumps({"evidence": "As it says.", "better": better(first, second)})

    asked = recipe(
        **{"answers": [{"n": len(answers)}], "rank": ["judge"], "length_ratio": False, **options},
        pairwise=True,
    )
    script = Scripted(folder, say, roles=("teacher", "judge"))
    (record,) = script.records(asked, {"rows.jsonl": json.dumps(EGGS)})
    return record, shown


def shorter(first: str, second: str) -> str:
    return "tie" if len(first) == len(second) else "first" if len(first) < len(second) else "second"


def test_each_two_answers_are_compared_in_both_orders(tmp_path: Path) -> None:
    record, shown = compared(tmp_path, ["four", "six", "eleven", "seven"], shorter)
    assert (record.fields["chosen"], record.fields["rejected"]) == ("six", "eleven")
    assert len(shown) == len(set(shown)) == 4 * 3
    assert {(second, first) for first, second in shown} == set(shown)
    assert [each["score"] for each in record.notes["answers"]] == [1, 3, -3, -1]
    # One question for the answers and one for what they answer, where that is asked too.
    assert Preference(Preference.Options(answers=(Answers(n=4),), pairwise=True)).requests() == (1, 2 + 12)


def test_a_judge_that_favours_a_place_prefers_nobody(tmp_path: Path) -> None:
    record, shown = compared(tmp_path, ["four", "six", "eleven"], lambda first, second: "first")
    assert reason(record) == "margin_too_small"
    assert {each["score"] for each in record.notes["answers"]} == {0}
    assert len(shown) == 6


@pytest.mark.parametrize("reply", ["neither", "", "First!"])
def test_a_comparison_of_no_use_is_a_tie(tmp_path: Path, reply: str) -> None:
    def say(first: str, second: str) -> str:
        return reply if "six" in (first, second) else shorter(first, second)

    record, _ = compared(tmp_path, ["four", "six", "eleven"], say)
    assert (record.fields["chosen"], record.fields["rejected"]) == ("four", "eleven")


def test_a_margin_asks_for_more_than_one_comparison(tmp_path: Path) -> None:
    record, _ = compared(tmp_path / "1", ["four", "eleven"], shorter, margin=2)
    assert record.fields["chosen"] == "four"
    record, _ = compared(tmp_path / "2", ["four", "eleven"], shorter, margin=3)
    assert reason(record) == "margin_too_small"


def test_behind_a_check_only_answers_of_one_side_are_compared(tmp_path: Path) -> None:
    answers = [RIGHT, WRONG, "It is 7.", "It must be 9."]
    record, shown = compared(tmp_path, answers, shorter, rank=["verifier", "judge"])
    assert (record.fields["chosen"], record.fields["rejected"]) == ("It is 7.", WRONG)
    assert {frozenset(each) for each in shown} == {frozenset((RIGHT, "It is 7.")), frozenset(answers[1::2])}


NAMES = st.lists(st.text(min_size=1, max_size=3), min_size=2, max_size=6, unique=True)


@given(NAMES, st.data())
def test_a_round_robin_counts_each_comparison_once_for_each_side(
    names: list[str], data: st.DataObject
) -> None:
    answers = [Answer(name, "teacher") for name in names]
    won = [
        pair if outcome == 1 else pair[::-1]
        for pair in combinations(answers, 2)
        if (outcome := data.draw(st.integers(0, 2)))
    ]
    ranked = round_robin(answers, won)
    scores = [each.score or 0 for each in ranked.values()]
    assert sum(scores) == 0
    assert max(map(abs, scores)) < len(answers)
    for one, other in permutations(ranked.values(), 2):
        better = decides(one, other, margin=1)
        assert not (better and decides(other, one, margin=1))
        assert not better or (one.beaten is not None and other.text in one.beaten)


def test_without_a_source_the_teacher_asks(tmp_path: Path) -> None:
    def say(question: Question) -> str:
        if question.model == "judge":
            return json.dumps({"evidence": "As it says.", "score": 1 + 4 * ("Seven" in question.user)})
        wants_question = '{"question": "..."}' in question.system
        return (
            json.dumps({"question": "How many?"}) if wants_question else ["Seven", "Eight"][question.choice]
        )

    asked = recipe(source=None, answers=[{"n": 2}])
    (record,) = Scripted(tmp_path, say, roles=("teacher", "judge")).records(
        asked, {"rows.jsonl": json.dumps(EGGS)}
    )
    assert record.fields == {"question": "How many?", "chosen": "Seven", "rejected": "Eight"}


def test_lengths_are_kept_alike(tmp_path: Path) -> None:
    long = f"{RIGHT} " + "That is so because it is so. " * 9
    record, _ = pair_of(tmp_path / "1", [long, WRONG, RIGHT], length_ratio=[0.5, 2])
    assert record.fields["chosen"] == RIGHT
    record, _ = pair_of(tmp_path / "2", [long, WRONG], length_ratio=[0.5, 2])
    assert reason(record) == "lengths_apart"


PASSAGE = "# Leave\n\nStaff may carry over five days until 31 March 2025."


def test_grounded_answers_are_preferred_and_the_weak_prompt_sees_no_passage(tmp_path: Path) -> None:
    def say(question: Question) -> str:
        if '{"question": "..."}' in question.system:
            return json.dumps({"question": "How long may I carry over leave?"})
        if question.model == "judge":
            return json.dumps({"evidence": "It says so.", "score": 5})
        return f"Until 3{int(question.model == 'teacher')} March 2025."

    given = recipe(
        answers=[{"n": 1}, {"role": "weak", "prompt": "no_source.j2"}], rank=["groundedness", "judge"]
    )
    given["sources"] = {"rows": {"path": "*.md", "chunk": {"tokens": 100}}}
    script = Scripted(tmp_path, say, roles=("teacher", "weak", "judge"))
    files = {"leave.md": PASSAGE, "no_source.j2": "From memory: {{ question }}"}
    (record,) = script.records(given, files)
    assert record.fields["chosen"] == "Until 31 March 2025."
    assert record.fields["rejected"] == "Until 30 March 2025."
    assert record.notes["answers"][1] == {"by": "weak", "prompt": "no_source.j2", "passes": False, "slips": 0}
    assert [question.user for question in script.asked if question.model == "weak"] == [
        "From memory: How long may I carry over leave?"
    ]
    assert set(record.provenance.models) == {"teacher", "weak"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": ["judge", "verifier"]}, "the judge last"),
        ({"answers": [{"n": 1}]}, "a pair needs 2"),
        ({"answers": [{"n": 9}, {"n": 9, "temperature": 0.5}]}, "16 are the most"),
        ({"answers": [{"n": 2}, {"n": 2}]}, "raise n instead"),
        ({"length_ratio": [2, 3]}, "two numbers around 1"),
        ({"rank": ["groundedness"]}, "works on documents .*, which the source 'rows' is not"),
        ({"rank": ["groundedness"], "source": None}, "works on documents .*, and there is no such source"),
        ({"rank": ["verifier", "groundedness"]}, "keep one"),
        ({"answers": [{"n": 2, "prompt": "missing.j2"}]}, "no such template file"),
        ({"answers": [{"n": 2, "prompt": "odd.j2"}]}, "unknown slot 'questoin'; did you mean 'question'"),
        ({"rank": ["judge"]}, "asks the role judge, which the recipe does not fill"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    files = {"rows.jsonl": json.dumps(EGGS), "odd.j2": "{{ questoin }}"}
    with pytest.raises(RecipeError, match=message):
        Scripted(tmp_path, lambda question: "").records(recipe(**{"rank": ["verifier"], **options}), files)


@given(
    st.lists(st.tuples(st.sampled_from([True, False, None]), st.none() | st.integers(1, 5)), max_size=16),
    st.integers(1, 4),
)
def test_a_wrong_answer_is_never_chosen_nor_a_right_one_rejected(
    verdicts: Sequence[tuple[bool | None, int | None]], margin: int
) -> None:
    answers = [
        Answer(f"Answer {at}", "teacher", passes=passes, score=score)
        for at, (passes, score) in enumerate(verdicts)
    ]
    good, bad = sides(answers, "verifier", judged=True)
    for chosen in good:
        for rejected in bad:
            assert decides(chosen, rejected, margin=margin)
            assert (chosen.passes, rejected.passes) == (True, False)


@pytest.mark.campaign  # `make evidence D=D5` is the same by way of a run
@pytest.mark.real_data
def test_recorded_solutions_of_gsm8k(tmp_path: Path, real_data: Callable[[str], Path]) -> None:
    """Four models' solutions of a question: every pair is of a right and a wrong one, as they are marked."""
    lines = (real_data("gsm8k/grade_school_math/data") / "example_model_solutions.jsonl").read_text("utf-8")
    marked: dict[str, dict[str, bool]] = {}
    with (tmp_path / "rows.jsonl").open("w") as rows, (tmp_path / "replies.jsonl").open("w") as replies:
        for row in map(json.loads, lines.splitlines()):
            solutions = [value for value in row.values() if isinstance(value, dict)]
            marked[row["question"]] = {each["solution"].strip(): each["is_correct"] for each in solutions}
            rows.write(json.dumps({"question": row["question"], "known": row["ground_truth"]}) + "\n")
            for each in solutions:
                replies.write(json.dumps({"prompt": row["question"], "reply": each["solution"]}) + "\n")
    written = recipe(answers=[{"n": 4}], rank=["verifier"], length_ratio=False)
    written["roles"] = {
        "teacher": {
            "recorded": "replies.jsonl",
            "by": "prompt",
            "match": "(?s)<question>\n(?P<prompt>.*)\n</question>",
        }
    }
    written["generate"]["target"] = len(marked)
    (tmp_path / "recipe.yaml").write_text(json.dumps({"name": "pairs", **written}), encoding="utf-8")
    bench = Bench(load_bound(tmp_path, CLEAN), tmp_path)
    cells = plan_from_scratch(bench.bound.space, bench.bound.quotas, len(marked))
    records = [record for done in bench.make(cells) for record in done.records]
    pairs = [record.fields for record in records if record.rejected is None]
    wrong_chosen = sum(not marked[pair["question"]][pair["chosen"]] for pair in pairs)
    right_rejected = sum(marked[pair["question"]][pair["rejected"]] for pair in pairs)
    print(f"{len(pairs)} pairs of {len(records)} questions; {wrong_chosen=}, {right_rejected=}")
    assert len({record.fields["question"] for record in records}) == len(records) == 1319
    assert len(pairs) == 731
    assert wrong_chosen == right_rejected == 0
    assert all(
        compare(final_answer(pair["chosen"]) or "", final_answer(pair["rejected"]) or "") != "equal"
        for pair in pairs
    )
    assert {reason(record) for record in records} == {"", "not_told_apart"}


@pytest.mark.parametrize("in_a_list", [False, True])
def test_a_prompt_of_a_base_is_found_from_the_recipe_that_extends_it(tmp_path: Path, in_a_list: bool) -> None:
    base, more = tmp_path / "base", tmp_path / "more"
    written = {"name": "base", **recipe(answers=[{"n": 1}, {"prompt": "weak.j2"}], rank=["verifier"])}
    if in_a_list:
        written["generate"]["methods"] = [written["generate"]["methods"]]
    files = {"recipe.yaml": json.dumps(written), "rows.jsonl": json.dumps(EGGS), "weak.j2": "{{ question }}"}
    for folder, texts in ((base, files), (more, {"recipe.yaml": "extends: ../base\n"})):
        folder.mkdir()
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    assert "preference/../base/weak.j2" in load_bound(more, CLEAN).templates
