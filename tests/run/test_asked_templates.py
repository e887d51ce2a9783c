"""Templates that the teacher writes: asked once, frozen, and never a program."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.errors import RecipeError
from seedbed.prompts.templates import PromptTemplate, library_template
from seedbed.run.asked_templates import new_templates, template_of
from seedbed.run.loading import load_bound
from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint

LIBRARY = PromptTemplate("library/x", "System.\n---user---\nVariation: {{ draw }}\n", "library/x.j2")
WAYS = [
    "Begin in the middle of the matter, as somebody would who has written twice already about it.",
    "Tell the story of the day first and come to the point in the {tone} last sentence only.",
    "Answer a reminder that arrived this morning; quote one line of it and object to that line.",
    "Three short lines without a greeting, as if typed on a telephone between two appointments.",
    "Write for a colleague who cannot get in today, and say whom the reply should be sent to.",
    "A question that hides a second question; the second one is what the writer really means.",
]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_whatever_a_teacher_writes_stands_in_the_prompt_as_it_is(text: str) -> None:
    template = template_of(LIBRARY, text.replace("{tone}", ""))
    filled = dict.fromkeys(template.names(), "kept")
    (system, user) = template.render(filled)
    assert system.content == "System."
    for name in set(template.names()) - {"draw"}:
        text = text.replace(f"{{{name}}}", "kept")
    assert user.content == f"Variation: kept\nHow to go about it: {text}".strip()


def test_a_slot_is_filled_and_a_programme_is_not_run() -> None:
    template = template_of(LIBRARY, "Be {tone}. {{ 7 * 7 }} {% raw %} \\u0041 \" ' 😀")
    (_, user) = template.render({"tone": "cross", "draw": 3})
    assert user.content.endswith("Be cross. {{ 7 * 7 }} {% raw %} \\u0041 \" ' 😀")


def test_templates_that_use_an_unknown_slot_or_say_the_same_again_are_left_out() -> None:
    again = WAYS[0].replace("matter", "story")
    unknown = "Write it as {mood} as you can, for a reader who has never heard of any of this before."
    assert new_templates([WAYS[0], again, unknown, WAYS[1]], [], ["tone"]) == WAYS[:2]
    assert new_templates([WAYS[0]], [again], []) == []


def reply(body: dict[str, Any]) -> str:
    if '"templates"' in body["messages"][0]["content"]:
        known = sum(way in body["messages"][-1]["content"] for way in WAYS)
        return json.dumps({"templates": WAYS[known : known + 5]})
    return json.dumps(
        {"text": f"words {hash(json.dumps(body)):x} and {len(body['messages'][-1]['content'])}"}
    )


def recipe(folder: Path, url: str | None, count: int) -> Workspace:
    generate = {
        "target": 60,
        "axes": {"tone": ["calm", "cross"]},
        "templates": {"from": "teacher", "count": count},
    }
    return Workspace.make(folder, url, generate=generate, filters=["schema"])


def test_they_are_asked_once_and_every_one_is_used(tmp_path: Path) -> None:
    with FakeEndpoint(reply) as server:
        workspace = recipe(tmp_path, server.url, 6)
        plan = workspace.run("plan", ".", "--json").json
        assert plan["unasked_templates"]["questions"] == 2
        done = workspace.run("run", ".")
        assert "6 are few: below 20" in done.err
        prompts = [body["messages"][-1]["content"] for body in server.requests]
        asked = [prompt for prompt in prompts if prompt.startswith("Give ") or "There are already" in prompt]
        assert len(asked) == 2
        used = {prompt.partition("How to go about it: ")[2] for prompt in prompts} - {""}
        assert {re.sub(r"the (calm|cross) last", "the {tone} last", way) for way in used} == set(WAYS)
        workspace.run("run", ".", "--target", "66")
        assert len(server.requests) == 2 + 66
    assert workspace.run("plan", ".", "--json").json["unasked_templates"] is None
    bound = load_bound(tmp_path, ())
    assert sorted(bound.space.method_templates["template"]) == sorted(
        template_of(library_template("classification"), way).name for way in WAYS
    )


def test_a_rehearsal_writes_them_too(tmp_path: Path) -> None:
    workspace = recipe(tmp_path, None, 20)
    summary = workspace.run("run", ".", "--json")
    assert "are few" not in summary.err
    assert len(load_bound(tmp_path, ()).space.method_templates["template"]) == 20


def test_a_teacher_that_has_but_one_way_is_not_enough(tmp_path: Path) -> None:
    def once(body: dict[str, Any]) -> str:
        return json.dumps({"templates": WAYS[:1]})

    with FakeEndpoint(once) as server:
        done = recipe(tmp_path, server.url, 20).run("run", ".", expect=2)
    assert "the teacher gave 1 templates of 20 and has no more" in done.err


def test_a_method_without_templates_refuses_them(tmp_path: Path) -> None:
    generate = {"target": 24, "methods": "direct", "templates": {"from": "teacher", "count": 20}}
    workspace = Workspace.make(tmp_path, generate=generate)
    with pytest.raises(RecipeError, match="uses no templates"):
        load_bound(workspace.folder, ())
