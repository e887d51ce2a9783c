"""Lists with probabilities: what is read of them, and in which order they are drawn."""

from __future__ import annotations

import json
import random

import pytest

from seedbed.core.chat import Choice
from seedbed.core.record import Unreadable
from seedbed.generate.verbalised import Sampling, Weighed, drawn, read_list


def reply(value: object) -> Choice:
    return Choice(json.dumps(value))


def test_the_tail_comes_first_in_any_order_and_then_the_less_probable() -> None:
    answers = [Weighed(f"rare {n}", 0.01 * n) for n in range(1, 9)]
    answers += [Weighed("usual", 0.6), Weighed("at the threshold", 0.1), Weighed("likely", 0.3)]
    firsts = set()
    for seed in range(60):
        order = drawn(answers, 0.1, random.Random(seed))
        assert order[-3:] == ["at the threshold", "likely", "usual"]
        assert order == drawn(answers, 0.1, random.Random(seed))
        firsts.add(order[0])
    assert firsts == {f"rare {n}" for n in range(1, 9)}


def test_without_a_tail_the_least_probable_is_drawn() -> None:
    answers = [Weighed("a", 0.5), Weighed("b", 0.2), Weighed("c", 0.3)]
    assert drawn(answers, 0.1, random.Random(1)) == ["b", "c", "a"]


def test_a_plain_list_is_drawn_from_evenly() -> None:
    answers = read_list(reply({"answers": ["a", " b ", "c"]}), "plain")
    assert not isinstance(answers, Unreadable)
    firsts = [drawn(answers, 0.1, random.Random(seed))[0] for seed in range(90)]
    assert sorted(set(firsts)) == ["a", "b", "c"]


@pytest.mark.parametrize("odd", ["12 %", -0.1, 3, None, True])
def test_a_probability_of_no_use_puts_an_answer_last(odd: object) -> None:
    listed = [{"text": "odd", "probability": odd}, {"text": "b", "probability": 0.9}]
    assert read_list(reply({"answers": listed}), "verbalised") == [Weighed("odd", 1.0), Weighed("b", 0.9)]


def test_answers_that_say_the_same_stand_once_and_empty_ones_not_at_all() -> None:
    listed = [{"text": text, "probability": 0.2} for text in ("Late fees", " late fees! ", "", "?!")]
    read = read_list(reply({"answers": listed}), "verbalised")
    assert read == [Weighed("Late fees", 0.2), Weighed("?!", 0.2)]
    assert read_list(reply({"answers": []}), "verbalised") == []


@pytest.mark.parametrize(
    ("value", "sampling"),
    [
        ({"answers": "late fees"}, "plain"),
        ({"answers": ["late fees"]}, "verbalised"),
        ({"answers": [{"text": 3, "probability": 0.1}]}, "verbalised"),
        ({"answers": [{"text": "late fees", "probability": 0.1}]}, "plain"),
        ({"topics": []}, "plain"),
    ],
)
def test_another_shape_is_unreadable(value: object, sampling: Sampling) -> None:
    read = read_list(reply(value), sampling)
    assert isinstance(read, Unreadable)
    assert read.cause == "invalid_schema"
