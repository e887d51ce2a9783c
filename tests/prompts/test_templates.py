"""Templates are strict, sandboxed, and never made of model output."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.errors import TemplateError
from seedbed.prompts.templates import PromptTemplate, library_template, read_template

TASK = {"description": "", "label": "label", "input": "text", "answer": "text", "kind": "classification"}


def variables(**more: object) -> dict[str, object]:
    names = {"label": "a", "labels": ["a"], "examples": [], "slots": {}, "draw": 0, "output": "json"}
    return {"task": TASK, "fields": ("text",), **names, **more}


def test_the_mark_parts_system_from_user() -> None:
    template = PromptTemplate("t", "Be brief.\n---user---\nAbout {{ label }}.", "t.j2")
    messages = template.render(variables())
    assert [(m.role, m.content) for m in messages] == [("system", "Be brief."), ("user", "About a.")]


def test_without_a_mark_all_of_it_is_the_user_message() -> None:
    assert [m.role for m in PromptTemplate("t", "Hi", "t.j2").render({})] == ["user"]


def test_unknown_slots_are_named_with_their_line_and_the_nearest() -> None:
    template = PromptTemplate("t", "One.\n{{ label }}\n{{ persna }}\n{{ tone }}", "p/t.j2")
    problems = template.problems(["persona"])
    assert [(p.file, p.line) for p in problems] == [("p/t.j2", 3), ("p/t.j2", 4)]
    assert "did you mean 'persona'?" in problems[0].message
    assert "unknown slot 'tone'" in problems[1].message


def test_broken_syntax_is_a_problem_with_its_line() -> None:
    (problem,) = PromptTemplate("t", "ok\n{% if %}", "t.j2").problems([])
    assert problem.line == 2


def test_an_undefined_attribute_fails_when_rendered() -> None:
    with pytest.raises(TemplateError, match=r"t\.j2:1: does not render"):
        PromptTemplate("t", "{{ task.nothing }}", "t.j2").render(variables())


def test_the_sandbox_holds() -> None:
    with pytest.raises(TemplateError):
        PromptTemplate("t", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "t.j2").render({})
    with pytest.raises(TemplateError):
        PromptTemplate("t", "{{ labels.append('x') }}", "t.j2").render(variables())


def test_a_value_is_never_template_source() -> None:
    (message,) = PromptTemplate("t", "{{ label }}", "t.j2").render(variables(label="{{7*7}}"))
    assert message.content == "{{7*7}}"


@pytest.mark.parametrize("name", ["classification", "instruction"])
def test_library_templates_render_without_problems(name: str) -> None:
    template = library_template(name)
    assert template.problems([]) == []
    example = {"text": "an example", "label": "a"}
    for output in ("json", "text"):
        messages = template.render(variables(examples=[example], slots={"tone": "dry"}, output=output))
        assert [m.role for m in messages] == ["system", "user"]
        assert "an example" in messages[1].content
        assert "tone: dry" in messages[1].content
    assert template.uses("tone")


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no such template file"):
        read_template(tmp_path / "none.j2", "none.j2")
    (tmp_path / "bad.j2").write_bytes(b"abc\xff")
    with pytest.raises(TemplateError, match="not UTF-8 at byte 3"):
        read_template(tmp_path / "bad.j2", "bad.j2")
