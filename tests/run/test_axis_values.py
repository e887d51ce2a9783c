"""Axis values: read from files, asked of a teacher until enough stand, frozen in pages."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.chat import ChatReply, ChatRequest, Choice
from seedbed.core.errors import BudgetReached, RecipeError, StoreError
from seedbed.filters import DEFAULT_FILTERS
from seedbed.models.budget import Budget, Caps
from seedbed.models.executor import HttpExecutor
from seedbed.models.fault_plan import FaultPlan
from seedbed.models.limits import Limits
from seedbed.models.recorded import RecordedReplies, RecordedTeacher
from seedbed.models.rehearsal import RehearsalTeacher
from seedbed.recipe import AskedAxis, load_recipe
from seedbed.run.asked_axes import ask_axes
from seedbed.run.asked_values import Asked, Pages, Standing
from seedbed.run.asking import BoundRole
from seedbed.run.axis_values import LONGEST_VALUE, AxisQuestion, read_values
from seedbed.run.binding import BoundRecipe, bind
from seedbed.run.planner import Sequences
from seedbed.run.registry import registry
from seedbed.run.roles import AskedModel
from seedbed.store.replies import ReplyLog
from seedbed.text.similarity import unlike

TASK = "name: tickets\ntask: {kind: classification, input: text, label: team, labels: [billing, delivery]}\n"
TEMPLATE = "{{ label }} {{ persona }}"


def bound_recipe(folder: Path, axis: str, more: str = "") -> BoundRecipe:
    folder.mkdir(exist_ok=True)
    (folder / "t.j2").write_text(TEMPLATE)
    (folder / "recipe.yaml").write_text(
        f"{TASK}generate: {{target: 40, templates: t.j2, axes: {{persona: {axis}}}{more}}}\n"
    )
    return bind(load_recipe(folder, registry(), env={}, default_filters=DEFAULT_FILTERS), registry())


class Telling:
    """A teacher that gives the values of a list in turn, some at a time, and counts its questions."""

    endpoint = "telling"

    def __init__(self, values: Sequence[str], at_a_time: int = 10) -> None:
        self.values = values
        self.at_a_time = at_a_time
        self.asked: list[ChatRequest] = []

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        known = request.messages[-1].content
        left = [value for value in self.values if f"- {value}\n" not in known]
        return ChatReply((Choice(json.dumps({"values": left[: self.at_a_time]})),), "telling")

    async def close(self) -> None:
        """Nothing is open."""


def fill(bound: BoundRecipe, teacher: Telling | RecordedTeacher, budget: int | None = None) -> BoundRecipe:
    """As a run does it: behind an executor with a real log, whatever the model is called in the recipe."""

    async def work() -> BoundRecipe:
        with ReplyLog.open(bound.loaded.folder / ".seedbed" / "replies.sqlite") as log:
            executor = HttpExecutor(teacher, log, Limits(), Budget(Caps(requests=budget)).at(None))
            return await ask_axes(bound, BoundRole("m", None, 1024, executor), None, NOTES.append)

    return asyncio.run(work())


NOTES: list[str] = []
_WHAT = ("who is late", "with two dogs", "on a night shift", "from the north", "writing in haste")
PEOPLE = [f"{who} {what}" for who in ("a nurse", "one cook", "the pilot", "some judge") for what in _WHAT]


class TestAsked:
    def test_values_are_asked_for_frozen_and_never_asked_again(self, tmp_path: Path) -> None:
        bound = bound_recipe(tmp_path, "{from: teacher, count: 12, ask: who writes}")
        assert list(bound.unasked) == ["persona"]
        assert bound.space.axes["persona"] == {"(persona: not asked yet)": 1.0}
        teacher = Telling(PEOPLE)
        filled = fill(bound, teacher)
        assert filled.axes["persona"] == tuple(PEOPLE[:12])
        assert list(filled.space.axes["persona"]) == PEOPLE[:12]
        assert len(teacher.asked) == 2
        assert "What a value is: who writes" in teacher.asked[0].messages[-1].content
        assert "There are already" not in teacher.asked[0].messages[-1].content
        assert f"- {PEOPLE[9]}\n" in teacher.asked[1].messages[-1].content
        again = bound_recipe(tmp_path, "{from: teacher, count: 12, ask: who writes}")
        assert not again.unasked
        assert again.axes == filled.axes
        assert again.signature() == filled.signature()

    def test_a_page_is_what_a_first_run_replays_to(self, tmp_path: Path) -> None:
        axis = "{from: teacher, count: 12}"
        teacher = Telling(PEOPLE)
        first = fill(bound_recipe(tmp_path, axis), teacher)
        page = tmp_path / ".seedbed" / "axes" / "tickets" / "persona" / "0001.jsonl"
        before = page.read_bytes()
        page.unlink()
        assert fill(bound_recipe(tmp_path, axis), teacher).axes == first.axes
        assert page.read_bytes() == before
        assert len(teacher.asked) == 2, "the second time the log answers"

    def test_one_more_value_appends_a_page_and_disturbs_its_share_of_the_cells(self, tmp_path: Path) -> None:
        few = fill(bound_recipe(tmp_path, "{from: teacher, count: 10}"), Telling(PEOPLE))
        folder = tmp_path / ".seedbed" / "axes" / "tickets" / "persona"
        first = (folder / "0001.jsonl").read_bytes()
        more = fill(bound_recipe(tmp_path, "{from: teacher, count: 11}"), Telling(PEOPLE))
        assert sorted(path.name for path in folder.iterdir()) == ["0001.jsonl", "0002.jsonl"]
        assert (folder / "0001.jsonl").read_bytes() == first
        assert more.axes["persona"] == (*few.axes["persona"], PEOPLE[10])
        before, after = (
            [cell for _ in range(400) if (cell := sequences.take(("billing",)))]
            for sequences in (Sequences(few.space), Sequences(more.space))
        )
        changed = [new for old, new in zip(before, after, strict=True) if old.id != new.id]
        assert all(cell.axes["persona"] == PEOPLE[10] for cell in changed)
        assert 0 < len(changed) < 2 * 400 / 11

    def test_other_words_or_another_model_begin_a_set_of_their_own(self, tmp_path: Path) -> None:
        one = "{from: teacher, count: 5, ask: who writes}"
        fill(bound_recipe(tmp_path, one), Telling(PEOPLE))
        other = bound_recipe(tmp_path, "{from: teacher, count: 5, ask: who complains}")
        assert other.unasked
        assert fill(other, Telling(PEOPLE[10:])).axes["persona"] == tuple(PEOPLE[10:15])
        assert bound_recipe(tmp_path, one).axes["persona"] == tuple(PEOPLE[:5]), (
            "the former words find theirs"
        )
        seeded = bound_recipe(tmp_path, one, ", seed: 1")
        assert seeded.unasked, "another seed is another rehearsal teacher"

    def test_a_teacher_that_has_no_more_goes_on_with_a_note(self, tmp_path: Path) -> None:
        NOTES.clear()
        teacher = Telling(PEOPLE[:7])
        axis = "{from: teacher, count: 30}"
        filled = fill(bound_recipe(tmp_path, axis), teacher)
        assert filled.axes["persona"] == tuple(PEOPLE[:7])
        assert len(teacher.asked) == 4, "one that brought values, three in vain"
        assert len({request.seed for request in teacher.asked[1:]}) == 3
        assert "goes on with 7 of its 30 values" in NOTES[-1]
        again = fill(bound_recipe(tmp_path, axis), teacher)
        assert again.axes == filled.axes
        assert len(teacher.asked) == 4

    def test_fewer_than_two_are_no_axis(self, tmp_path: Path) -> None:
        bound = bound_recipe(tmp_path, "{from: teacher, count: 3}")
        with pytest.raises(RecipeError) as caught:
            fill(bound, Telling(PEOPLE[:1]))
        (problem,) = caught.value.problems
        assert (problem.key, problem.line) == ("generate.axes.persona", 3)
        assert "gave 1 values of 3" in problem.message

    def test_the_budget_holds_and_nothing_is_lost(self, tmp_path: Path) -> None:
        axis = "{from: teacher, count: 12}"
        teacher = Telling(PEOPLE)
        with pytest.raises(BudgetReached):
            fill(bound_recipe(tmp_path, axis), teacher, budget=1)
        assert bound_recipe(tmp_path, axis).unasked
        assert fill(bound_recipe(tmp_path, axis), teacher).axes["persona"] == tuple(PEOPLE[:12])
        assert len(teacher.asked) == 2

    def test_a_recording_without_values_says_so(self, tmp_path: Path) -> None:
        bound = bound_recipe(tmp_path / "one", "{from: teacher, count: 3}")
        groups: Mapping[str, Sequence[Choice]] = {"": [Choice('{"text": "a draft"}')]}
        with pytest.raises(RecipeError, match="the recording holds no values for this axis"):
            fill(bound, RecordedTeacher(RecordedReplies("order", groups)))
        bound = bound_recipe(tmp_path / "other", "{from: teacher, count: 3}")
        prompt = bound.unasked["persona"].to_json()["prompt"][-1]["content"]
        recorded = {prompt: [Choice(json.dumps({"values": PEOPLE[:4]}))]}
        filled = fill(bound, RecordedTeacher(RecordedReplies("prompt", recorded)))
        assert filled.axes["persona"] == tuple(PEOPLE[:3])

    def test_cover_is_shared_among_what_stands(self, tmp_path: Path) -> None:
        bound = bound_recipe(tmp_path, "{from: teacher, count: 4}", ", cover: {persona: even}")
        assert dict(bound.quotas.by_field["persona"]) == {"(persona: not asked yet)": 40}
        filled = fill(bound, Telling(PEOPLE))
        assert dict(filled.quotas.by_field["persona"]) == dict.fromkeys(PEOPLE[:4], 10)


class TestValues:
    @pytest.mark.parametrize(
        ("reply", "values"),
        [
            ('{"values": [" two\\n lines ", "b"]}', ["two lines", "b"]),
            ('```json\n{"values": ["a"]}\n```', ["a"]),
            ('{"values": ["a", 3, null, "", "  ", {"value": "b"}]}', ["a"]),
            (json.dumps({"values": ["x" * LONGEST_VALUE, "x" * (LONGEST_VALUE + 1)]}), ["x" * LONGEST_VALUE]),
            ('{"values": "a, b"}', []),
            ('["a", "b"]', []),
            ("1. a\n2. b", []),
            ('{"values": ["right\\u202eleft", "nul\\u0000"]}', []),
        ],
    )
    def test_what_is_read_from_a_reply(self, reply: str, values: list[str]) -> None:
        assert read_values(Choice(reply)) == values

    def test_a_cut_off_list_gives_nothing(self) -> None:
        assert read_values(Choice('{"values": ["a"]}', "length")) == []

    def test_equal_and_nearly_equal_ones_are_not_new(self) -> None:
        known = ["A retired teacher"]
        found = ["a  retired-teacher!", "a retired teachers", "a baker", "A Baker", "a dentist", "…"]
        assert unlike(found, known) == ["a baker", "a dentist"]

    @given(st.lists(st.text(min_size=1, max_size=12), max_size=8), st.integers(0, 8))
    def test_what_is_new_does_not_depend_on_how_replies_are_cut(self, values: list[str], cut: int) -> None:
        whole = unlike(values, [])
        first = unlike(values[:cut], [])
        assert whole == [*first, *unlike(values[cut:], first)]


class TestPages:
    def test_a_set_is_told_by_its_question(self, tmp_path: Path) -> None:
        pages = Pages(tmp_path / "axis")
        assert pages.read("q") == Standing()
        pages.append({"asked_as": "q", "exhausted": False}, [Asked("a", "r/1")])
        pages.append({"asked_as": "other", "exhausted": True}, [Asked("x", "r/2")])
        last = pages.append({"asked_as": "q", "exhausted": True}, [Asked("b", "r/3")])
        assert last.name == "0003.jsonl"
        assert pages.read("q") == Standing(("a", "b"), True)

    def test_a_damaged_page_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "0001.jsonl").write_text('{"asked_as": "q"')
        with pytest.raises(StoreError, match=r"0001\.jsonl: cannot be read"):
            Pages(tmp_path).read("q")


def test_the_question_is_the_same_with_every_release() -> None:
    """Golden: another hash would ask (and pay for) every axis anew."""
    axis = AskedAxis(source="teacher", count=40, ask="who writes to us")
    task = {"description": "Sort the messages."}
    question = AxisQuestion("persona", axis, task, AskedModel("m", None, 1024), Path())
    assert question.asked_as == GOLDEN


GOLDEN = "2d125e2122aa4ae156168d1c619e3170"


class TestFiles:
    def write(self, folder: Path, name: str, text: str | bytes) -> None:
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    def test_lines_are_values(self, tmp_path: Path) -> None:
        self.write(tmp_path, "p.txt", "\ufeff a nurse \n\n  \na cook\r\na nurse\n")
        assert bound_recipe(tmp_path, "{file: p.txt}").axes["persona"] == ("a nurse", "a cook")

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("p.csv", "n,who\n1,a nurse\n2,\n3,a cook\n4,a nurse\n"),
            ("p.jsonl", '{"who":"a nurse"}\n{"who":"a cook"}\n'),
        ],
    )
    def test_a_column_holds_values(self, tmp_path: Path, name: str, text: str) -> None:
        self.write(tmp_path, name, text)
        axis = f"{{file: {name}, column: who}}"
        bound = bound_recipe(tmp_path, axis, ", cover: {persona: {a nurse: 0.75, '*': fill}}")
        assert bound.axes["persona"] == ("a nurse", "a cook")
        assert dict(bound.quotas.by_field["persona"]) == {"a nurse": 30, "a cook": 10}

    @pytest.mark.parametrize(
        ("name", "text", "axis", "message"),
        [
            ("p.txt", " \n\n", "{file: p.txt}", "p.txt: no value for axis 'persona'; write a value a line"),
            ("p.csv", "who\n\n", "{file: p.csv, column: who}", "p.csv: no rows"),
            ("p.csv", "a,who\n1,\n", "{file: p.csv, column: who}", "write values in column 'who'"),
            ("p.csv", "whom\nx\n", "{file: p.csv, column: who}", "did you mean 'whom'?"),
            ("p.jsonl", '{"who":3}\n', "{file: p.jsonl, column: who}", "p.jsonl:1: 'who' is a number"),
            ("p.txt", b"a\n\xff\n", "{file: p.txt}", "p.txt:2: byte 0xff is not UTF-8"),
            ("p.txt", "".join(f"{n}\n" for n in range(10_001)), "{file: p.txt}", "10,000 are the most"),
        ],
    )
    def test_files_without_values(
        self, tmp_path: Path, name: str, text: str | bytes, axis: str, message: str
    ) -> None:
        self.write(tmp_path, name, text)
        with pytest.raises(RecipeError) as caught:
            bound_recipe(tmp_path, axis)
        assert message in str(caught.value)

    def test_a_cover_value_that_the_file_lacks_is_told_at_its_line(self, tmp_path: Path) -> None:
        self.write(tmp_path, "p.txt", "a nurse\na cook\n")
        with pytest.raises(
            RecipeError, match=r"recipe\.yaml:3: generate\.cover\.persona\.a curse: no such value"
        ):
            bound_recipe(tmp_path, "{file: p.txt}", ", cover: {persona: {a curse: 3, '*': fill}}")


ROWS = "text,team\n" + "".join(
    f"My parcel number {n} is late,delivery\nWhy was fee {n} taken,billing\n" for n in range(9)
)


class Naming(Telling):
    """Answers as a list of people, with a probability each where that is asked for."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        known = request.messages[-1].content
        left = [value for value in self.values if f"- {value}\n" not in known][: self.at_a_time]
        weighed = [{"text": text, "probability": 0.5 - at / 50} for at, text in enumerate(left)]
        verbalised = "probability" in request.messages[0].content
        return ChatReply((Choice(json.dumps({"answers": weighed if verbalised else left})),), "naming")


class TestPersonas:
    def bound(self, folder: Path, axis: str, rows: str = ROWS) -> BoundRecipe:
        folder.mkdir(exist_ok=True)
        (folder / "rows.csv").write_text(rows)
        (folder / "t.j2").write_text(TEMPLATE)
        (folder / "recipe.yaml").write_text(
            f"{TASK}sources: {{real: {{path: rows.csv}}}}\n"
            f"generate: {{target: 40, templates: t.j2, axes: {{persona: {axis}}}}}\n"
        )
        return bind(load_recipe(folder, registry(), env={}, default_filters=DEFAULT_FILTERS), registry())

    def test_people_are_found_in_real_rows_and_then_in_people(self, tmp_path: Path) -> None:
        teacher = Naming(PEOPLE)
        filled = fill(self.bound(tmp_path, "{from: personas, count: 20}"), teacher)
        assert filled.axes["persona"] == tuple(PEOPLE)
        first, second = (request.messages[-1].content for request in teacher.asked)
        rows = {row.fields["text"] for row in filled.train}
        shown = re.findall("<text>\n(.*)\n</text>", first)
        assert len(shown) == 3
        assert set(shown) <= rows
        people = re.findall("<person>(.*)</person>", second)
        assert len(people) == 3
        assert set(people) <= set(PEOPLE[:10])
        assert f"- {PEOPLE[3]}\n" in second
        assert not self.bound(tmp_path, "{from: personas, count: 20}").unasked

    def test_another_row_begins_no_new_set(self, tmp_path: Path) -> None:
        axis = "{from: personas, count: 5}"
        before = fill(self.bound(tmp_path, axis), Naming(PEOPLE)).axes
        after = self.bound(tmp_path, axis, ROWS + "One more row of mine,billing\n")
        assert not after.unasked
        assert after.axes == before

    def test_rare_values_stand_first_where_they_have_probabilities(self, tmp_path: Path) -> None:
        people = self.bound(tmp_path, "{from: personas, count: 3, sampling: verbalised}")
        assert fill(people, Naming(PEOPLE)).axes["persona"] == (PEOPLE[9], PEOPLE[8], PEOPLE[7])
        plain = self.bound(tmp_path, "{from: teacher, count: 3}")
        assert fill(plain, Telling(PEOPLE)).axes["persona"] == tuple(PEOPLE[:3])
        rare = self.bound(tmp_path, "{from: teacher, count: 3, sampling: verbalised}")
        assert rare.unasked, "it is a question of its own"
        assert fill(rare, Naming(PEOPLE)).axes["persona"] == (PEOPLE[9], PEOPLE[8], PEOPLE[7])

    @pytest.mark.parametrize("sampling", ["plain", "verbalised"])
    @pytest.mark.parametrize("source", ["teacher", "personas"])
    def test_a_rehearsal_fills_it(self, source: str, sampling: str, tmp_path: Path) -> None:
        bound = self.bound(tmp_path, f"{{from: {source}, count: 30, sampling: {sampling}}}")
        filled = fill(bound, cast(Any, RehearsalTeacher(0, FaultPlan({}, {}, ()))))
        assert len(set(filled.axes["persona"])) == 30

    @pytest.mark.parametrize(
        ("axis", "message"),
        [
            ("{from: personas, count: 4, texts: nothing}", "no source of that name may be read"),
            ("{from: personas, count: 4, ask: who}", "ask is for other values than people"),
            ("{from: teacher, count: 4, texts: real}", "texts is for people that they suggest"),
        ],
    )
    def test_what_cannot_be_is_refused(self, axis: str, message: str, tmp_path: Path) -> None:
        with pytest.raises(RecipeError, match=message):
            self.bound(tmp_path, axis)

    def test_without_texts_there_is_nobody(self, tmp_path: Path) -> None:
        with pytest.raises(RecipeError, match="there is no real row; write texts"):
            bound_recipe(tmp_path, "{from: personas, count: 4}")
