"""The YAML below the recipe: version 1.2, duplicate keys, lines, and form that cannot be read."""

from __future__ import annotations

import pytest

from seedbed.recipe.document import dotted, parse


def test_yaml_1_2_words_are_words() -> None:
    root, problems = parse("a: [no, off, yes, n, 012, 0o17, 1_000, 2024-01-01, true, ~, 'null']\n", "f")
    assert problems == []
    assert root.plain() == {"a": ["no", "off", "yes", "n", 12, 15, 1000, "2024-01-01", True, None, "null"]}


def test_keys_are_text() -> None:
    root, _ = parse("{1: a, 1.10: b, no: c, true: d, null: e}\n", "f")
    assert root.plain() == {"1": "a", "1.10": "b", "no": "c", "true": "d", "null": "e"}


def test_every_duplicate_key_is_reported_with_both_lines() -> None:
    root, problems = parse("a: 1\nb: {c: 1,\n    c: 2}\na: 3\n", "f.yaml")
    assert [str(problem) for problem in problems] == [
        "f.yaml:3: the key 'c' stands here a second time (first in line 2); keep one of them",
        "f.yaml:4: the key 'a' stands here a second time (first in line 1); keep one of them",
    ]
    assert root.plain() == {"a": 1, "b": {"c": 1}}


def test_places_of_keys_and_items() -> None:
    root, _ = parse("# first\na:\n  - x\n  - y:\n      z: 1\n", "f")
    lines = {path: root.place_of(path).line for path in [("a",), ("a", 0), ("a", 1), ("a", 1, "y", "z")]}
    assert lines == {("a",): 2, ("a", 0): 3, ("a", 1): 4, ("a", 1, "y", "z"): 5}
    assert root.place_of(("a", 7, "y")).line == 2


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "not valid YAML: while parsing a flow sequence"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: 'open\n", 2, "not valid YAML: while scanning a quoted scalar"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML: expected a single document"),
        ("a: *nobody\n", 1, "not valid YAML"),
        ("a: 1\nb: \x01\n", 2, "character U+0001 is not allowed"),
        ("a: 1\nb: !!python/name:os.system x\n", 2, "the tag tag:yaml.org,2002:python/name:os.system"),
        ("a: 1\nb: !mine {c: 1}\n", 2, "the tag !mine is not understood"),
        ("a: 1\n? [b, c]\n: 1\n", 2, "a key must be a single value"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "merge keys"),
        ("a: &x [*x]\n", None, "nested too deeply, or one contains itself"),
        ("[" * 5000, None, "nested too deeply"),
    ],
)
def test_form_that_cannot_be_read(text: str, line: int | None, message: str) -> None:
    _, problems = parse(text, "f.yaml")
    assert [(problem.file, problem.line) for problem in problems] == [("f.yaml", line)]
    assert message in problems[0].message


def test_anchors_stand_for_their_values() -> None:
    root, problems = parse("a: &x [1]\nb: *x\nc: &x 2\nd: *x\n", "f")
    assert problems == []
    assert root.plain() == {"a": [1], "b": [1], "c": 2, "d": 2}


def test_a_path_reads_like_the_option_that_sets_it() -> None:
    assert dotted(("generate", "axes", "tone", 1)) == "generate.axes.tone[1]"
    assert dotted(()) == ""
