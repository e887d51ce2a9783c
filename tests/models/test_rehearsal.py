"""The rehearsal teacher: what is clean is new and plausible, what is planted can be told afterwards."""

from __future__ import annotations

import asyncio
import csv
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import seedbed
from seedbed.core.chat import ChatReply, ChatRequest, Hints, Message, ReplyKey
from seedbed.core.hashing import seed_from
from seedbed.core.protocols import ChatModel
from seedbed.models.fault_plan import DEFAULT_RATES, VARIANTS, Fault, FaultPlan, Faults, planted_fault
from seedbed.models.imitation import LONGEST_RUN, decoys, joined, repeats, shingles, words_of
from seedbed.models.planted_faults import (
    REFUSALS,
    SENTENCES,
    cut,
    edited,
    foreign_words,
    inflected,
    reordered,
)
from seedbed.models.rehearsal import RehearsalTeacher

CLEAN = FaultPlan.of(Faults())
USUAL = FaultPlan.of(Faults(broken_json=0.06, refusal=0.04, copies=0.06))
SCOPE = b"cell"


def only(kind: str) -> FaultPlan:
    return FaultPlan.of(Faults.model_validate({kind: 1}))


@cache
def seeds(name: str = "train") -> tuple[Mapping[str, str], ...]:
    folder = Path(seedbed.__file__).parent / "examples" / "support_tickets" / "data"
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def sixty_seeds() -> dict[str, list[Mapping[str, str]]]:
    by_label: defaultdict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in seeds():
        by_label[row["category"]].append(row)
    counts = {"privacy": 8, "cancellation": 12}
    return {label: rows[: counts.get(label, 10)] for label, rows in sorted(by_label.items())}


def ticket(
    label: str, draw: int, pool: Sequence[Mapping[str, Any]], *, output: Literal["json", "text"] = "json"
) -> ChatRequest:
    hints = Hints(
        fields=("text",),
        fixed={"category": label, "channel": ("e-mail", "live chat")[draw % 2]},
        labels=tuple(sixty_seeds()),
        examples=pool,
        real=seeds(),
        output=output,
        text_field="text",
        draw=draw,
    )
    return sent(ChatRequest("m", (Message("user", f"Category: {label}\nVariation: {draw}"),), hints=hints))


def qa(draw: int, examples: Sequence[Mapping[str, Any]] = (), **fixed: str) -> ChatRequest:
    hints = Hints(
        fields=("question", "answer"), fixed=fixed, examples=examples, text_field="question", draw=draw
    )
    return sent(ChatRequest("m", (Message("user", f"Write pair {draw}"),), hints=hints))


def sent(request: ChatRequest, first: int = 0) -> ChatRequest:
    """The request as the executor sends it."""
    return request._replace(seed=seed_from(request.hash, SCOPE, first))


def ask(teacher: RehearsalTeacher, request: ChatRequest) -> ChatReply:
    return asyncio.run(teacher.complete(request))


def faults_of(teacher: RehearsalTeacher, request: ChatRequest) -> list[Fault | None]:
    """The fault of each choice, with the request's hints and the seed of its call."""
    return [teacher.answer(request, index)[1] for index in range(request.n)]


def text_of(teacher: RehearsalTeacher, request: ChatRequest) -> str:
    return ask(teacher, request).choices[0].text


def tickets(count: int) -> Iterable[tuple[str, ChatRequest]]:
    pools = sixty_seeds()
    labels = list(pools)
    for draw in range(count):
        label = labels[draw % len(labels)]
        yield label, ticket(label, draw, pools[label])


def most_alike(texts: Sequence[str]) -> float:
    """The highest Jaccard similarity of five-word shingles among all pairs that share one."""
    sets = [shingles(words_of(text), 5) for text in texts]
    holders: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, one in enumerate(sets):
        for shingle in one:
            holders[shingle].append(number)
    pairs = {pair for numbers in holders.values() for pair in combinations(numbers, 2)}
    return max((len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a, b in pairs), default=0.0)


# Clean replies.


def test_it_is_a_chat_model() -> None:
    teacher = RehearsalTeacher(0, USUAL)
    assert isinstance(teacher, ChatModel)
    assert teacher.endpoint == "rehearsal"


def test_two_thousand_replies_from_sixty_seeds_are_far_apart_and_new() -> None:
    teacher = RehearsalTeacher(0, CLEAN)
    texts = [json.loads(text_of(teacher, request))["text"] for _, request in tickets(2_000)]
    pool = [row["text"] for rows in sixty_seeds().values() for row in rows]
    assert len(pool) == 60
    assert most_alike(texts) < 0.4
    known = [shingles(words_of(text), 5) for text in pool]
    for text in texts:
        own = shingles(words_of(text), 5)
        assert all(len(own & other) / len(own | other) < 0.4 for other in known)
    lengths = sorted(len(words_of(text)) for text in texts)
    real = sorted(len(words_of(text)) for text in pool)
    assert 0.7 * real[30] < lengths[1_000] < 1.5 * real[30]
    assert lengths[-1] <= 2 * real[-1]


def test_a_classifier_learns_the_labels_from_clean_replies() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    teacher = RehearsalTeacher(0, CLEAN)
    rows = [(json.loads(text_of(teacher, request))["text"], label) for label, request in tickets(600)]
    vectorizer = TfidfVectorizer(sublinear_tf=True)
    student = LinearSVC().fit(
        vectorizer.fit_transform([text for text, _ in rows]), [label for _, label in rows]
    )
    truth = [row["category"] for row in seeds("test")]
    found = student.predict(vectorizer.transform([row["text"] for row in seeds("test")]))
    right = sum(a == b for a, b in zip(found, truth, strict=True)) / len(truth)
    # Always naming the most frequent category is right for one ticket in five.
    assert right > 0.35


def test_fields_that_the_cell_fixes_are_not_in_the_reply() -> None:
    pools = sixty_seeds()
    reply = json.loads(text_of(RehearsalTeacher(0, CLEAN), ticket("privacy", 1, pools["privacy"])))
    assert list(reply) == ["text"]


def test_a_label_that_the_reply_must_name_is_one_of_them_and_decides_the_words() -> None:
    rows = [{"text": f"{word} " * 12, "kind": kind} for kind, word in (("a", "apple"), ("b", "bear"))]
    hints = Hints(fields=("text", "kind"), labels=("a", "b"), examples=rows, text_field="text")
    kinds: Counter[str] = Counter()
    for draw in range(40):
        request = sent(ChatRequest("m", (Message("user", str(draw)),), hints=hints))
        reply = json.loads(text_of(RehearsalTeacher(0, CLEAN), request))
        assert ("apple" in reply["text"].lower()) == (reply["kind"] == "a")
        kinds[reply["kind"]] += 1
    assert set(kinds) == {"a", "b"}


def test_a_reply_depends_on_seed_and_request_and_not_on_what_came_before() -> None:
    requests = [request for _, request in tickets(60)]
    forward, backward = RehearsalTeacher(3, USUAL), RehearsalTeacher(3, USUAL)
    there = [ask(forward, request) for request in requests]
    back = [ask(backward, request) for request in reversed(requests)]
    assert there == back[::-1]
    assert there != [ask(RehearsalTeacher(4, USUAL), request) for request in requests]


def test_choices_of_one_call_differ_and_do_not_depend_on_how_many_there_are() -> None:
    pool = sixty_seeds()["access"]
    teacher, request = RehearsalTeacher(0, USUAL), ticket("access", 0, pool)
    five = ask(teacher, request._replace(n=5)).choices
    assert len({choice.text for choice in five}) == 5
    assert ask(teacher, request._replace(n=3)).choices == five[:3]


def test_without_examples_it_writes_neutral_text_around_the_slots() -> None:
    teacher = RehearsalTeacher(0, CLEAN)
    replies = [json.loads(text_of(teacher, qa(draw, topic="beekeeping"))) for draw in range(400)]
    assert all(set(reply) == {"question", "answer"} for reply in replies)
    assert all("beekeeping" in reply["question"].lower() for reply in replies)
    assert most_alike([f"{reply['question']} {reply['answer']}" for reply in replies]) < 0.4


def test_with_a_pool_of_one_short_row_it_still_repeats_nothing() -> None:
    teacher, row = RehearsalTeacher(0, CLEAN), {"text": "Please call me back."}
    texts = [json.loads(text_of(teacher, ticket("access", draw, [row])))["text"] for draw in range(50)]
    assert len(set(texts)) == 50
    assert not any(repeats(text, [row["text"]]) for text in texts)


def test_both_fields_of_a_pair_imitate_their_own_column() -> None:
    rows = [
        {"question": f"why does the {n}th kettle whistle so early in the day?", "answer": f"steam {n} " * 20}
        for n in range(8)
    ]
    reply = json.loads(text_of(RehearsalTeacher(0, CLEAN), qa(0, rows)))
    assert "kettle" in reply["question"]
    assert reply["question"].endswith("?")
    assert "steam" in reply["answer"].lower()
    assert "kettle" not in reply["answer"]
    assert len(reply["answer"]) > 2 * len(reply["question"])


def test_scripts_without_spaces_are_recombined_by_character() -> None:
    row = {"text": "昨天收到的账单金额和合同上写的不一样请帮我查一下是什么原因谢谢"}
    texts = [
        json.loads(text_of(RehearsalTeacher(0, CLEAN), ticket("billing", n, [row])))["text"]
        for n in range(30)
    ]
    longest = LONGEST_RUN * 2
    for text in texts:
        assert any(character in row["text"] for character in text)
        assert not any(row["text"][at : at + longest] in text for at in range(len(row["text"]) - longest + 1))


def test_without_hints_it_answers_with_plain_text() -> None:
    request = ChatRequest("m", (Message("user", "hello"),), n=2)
    reply = ask(RehearsalTeacher(0, CLEAN), request)
    assert len({choice.text for choice in reply.choices}) == 2
    assert ask(RehearsalTeacher(0, CLEAN), request) == reply


def test_usage_follows_the_length_of_what_was_said() -> None:
    request = sent(ChatRequest("m", (Message("system", "x" * 400), Message("user", "y" * 41))))
    reply = ask(RehearsalTeacher(0, CLEAN, model="pretend"), request)
    assert reply.model == "pretend"
    assert reply.usage.prompt_tokens == 111
    assert reply.usage.completion_tokens == -(-len(reply.choices[0].text) // 4)


ROW = st.dictionaries(st.sampled_from(["question", "answer"]), st.one_of(st.text(max_size=60), st.none()))


@settings(max_examples=150)
@given(
    rows=st.lists(ROW, max_size=6), draw=st.integers(0, 5), slot=st.text(max_size=12), seed=st.integers(0, 9)
)
def test_whatever_the_examples_hold_a_clean_reply_is_utf8_json_with_every_field(
    rows: list[dict[str, str | None]], draw: int, slot: str, seed: int
) -> None:
    text = text_of(RehearsalTeacher(seed, CLEAN), qa(draw, rows, topic=slot))
    reply = json.loads(text.encode("utf-8"))
    assert set(reply) == {"question", "answer"}
    assert all(value.strip() for value in reply.values())


# Planted faults.


def served(kind: str, count: int = 400) -> list[tuple[ChatRequest, str, str, Fault]]:
    """Request, text, finish_reason and fault of replies that all carry one kind of fault."""
    teacher = RehearsalTeacher(0, only(kind))
    found: list[tuple[ChatRequest, str, str, Fault]] = []
    for _, request in tickets(count):
        choice, [fault] = ask(teacher, request).choices[0], faults_of(teacher, request)
        assert fault is not None
        assert fault.kind == kind
        assert 0 <= fault.strength <= (5 if kind in ("length", "copy") else 1)
        found.append((request, choice.text, choice.finish_reason, fault))
    return found


def test_broken_json_never_parses_and_a_third_of_the_cuts_is_not_marked() -> None:
    variants: Counter[str] = Counter()
    for _, text, finish, fault in served("broken_json", 1_200):
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
        assert (finish == "length") == (fault.variant == "cut")
        variants[fault.variant] += 1
    assert set(variants) == {"missing_brace", "trailing_prose", "single_quotes", "cut", "cut_unmarked"}
    cuts = variants["cut"] + variants["cut_unmarked"]
    assert 0.2 < cuts / 1_200 < 0.3
    assert 0.25 < variants["cut_unmarked"] / cuts < 0.42


def test_a_refusal_stands_alone_or_in_a_well_formed_field() -> None:
    variants: Counter[str] = Counter()
    wordings = set()
    for _, text, finish, fault in served("refusal"):
        assert finish == "stop"
        said = text if fault.variant == "whole" else json.loads(text)["text"]
        assert said in REFUSALS
        wordings.add(said)
        variants[fault.variant] += 1
    assert set(variants) == {"whole", "field"}
    assert len(wordings) >= 18


def test_of_a_pair_it_is_the_answer_that_is_declined() -> None:
    teacher = RehearsalTeacher(0, only("refusal"))
    seen = 0
    for request in map(qa, range(30)):
        if faults_of(teacher, request) == [Fault("refusal", "field", 0.5)]:
            reply = json.loads(text_of(teacher, request))
            assert reply["answer"] in REFUSALS
            assert reply["question"] not in REFUSALS
            seen += 1
    assert seen > 3


def test_a_copy_is_verbatim_or_differs_by_the_share_of_words_it_is_said_to() -> None:
    strengths = []
    for request, text, _, fault in served("copy"):
        assert request.hints is not None
        rows = {row["text"] for row in request.hints.examples}
        copied = json.loads(text)["text"]
        assert (copied in rows) == (fault.variant == "verbatim")
        if fault.variant == "edited":
            strengths.append(fault.strength)
            kept = Counter(words_of(copied))
            closest = max((Counter(words_of(row)) for row in rows), key=lambda row: (row & kept).total())
            assert (closest - kept).total() <= round(fault.strength * closest.total())
        elif fault.variant == "reordered":
            assert Counter(words_of(copied)) in [Counter(words_of(row)) for row in rows]
            assert 1 <= fault.strength <= 5
        elif fault.variant == "inflected":
            assert len(words_of(copied)) in [len(words_of(row)) for row in rows]
            assert 0 < fault.strength <= 0.55
        else:
            assert fault.strength == 0
    assert 0.3 < len(strengths) / 400 < 0.6
    assert min(strengths) < 0.1
    assert max(strengths) <= 0.4


def test_an_edited_copy_always_differs() -> None:
    for share in (0.05, 0.4):
        for words in (["word"], ["again", "again"], ["a"] * 50):
            for seed in range(50):
                changed, strength = edited(words, share, random.Random(seed))
                assert changed
                assert changed != words
                assert 0 < strength <= 1


@pytest.mark.parametrize("seed", range(20))
def test_a_reworded_copy_has_its_words_in_another_order_or_with_another_ending(seed: int) -> None:
    words = ["The", "parcels,", "that", "you", "shipped,", "were", "still", "missing", "yesterday!"]
    for together in (1, 2.6, 5):
        changed, width = reordered(words, together, random.Random(seed))
        assert changed != words
        assert Counter(changed) == Counter(words)
        assert width == min(round(together), 4)
    changed, share = inflected(words, 0.3, random.Random(seed))
    assert sum(a != b for a, b in zip(changed, words, strict=True)) == 3
    assert share == round(3 / 9, 3)
    assert inflected(["1,200", "is"], 0.3, random.Random(seed)) == (["1,200", "is"], 0.0)


@given(reply=st.text(min_size=2, max_size=50), lost=st.floats(0, 1))
def test_a_cut_takes_something_and_leaves_something(reply: str, lost: float) -> None:
    kept = cut(reply, lost)
    assert kept
    assert reply.startswith(kept)
    assert kept != reply


def test_where_there_is_nothing_to_copy_the_reply_is_clean_and_known_to_be() -> None:
    teacher = RehearsalTeacher(0, only("copy"))
    for request in (qa(0), qa(0, [{"question": "", "answer": None}]), ticket("access", 0, [])):
        assert faults_of(teacher, request) == [None]
        assert text_of(teacher, request) == text_of(RehearsalTeacher(0, CLEAN), request)


@pytest.mark.parametrize("kind", ["broken_json", "refusal", "copy"])
def test_bare_text_carries_the_same_kinds(kind: str) -> None:
    pool = sixty_seeds()["defect"]
    teacher = RehearsalTeacher(0, only(kind))
    for draw in range(40):
        request = ticket("defect", draw, pool, output="text")
        choice, [fault] = ask(teacher, request).choices[0], faults_of(teacher, request)
        assert fault is not None
        if kind == "broken_json":
            assert (choice.finish_reason, fault.variant) == ("length", "cut")
            assert text_of(RehearsalTeacher(0, CLEAN), request).startswith(choice.text)
        elif kind == "refusal":
            assert choice.text in REFUSALS
        elif fault.variant == "verbatim":
            assert choice.text in {row["text"] for row in pool}


def test_the_report_recomputes_every_fault_from_the_keys_of_the_log() -> None:
    teacher = RehearsalTeacher(11, FaultPlan.of(Faults(broken_json=0.2, refusal=0.2, copies=0.2)))
    kinds: Counter[str] = Counter()
    for _, request in tickets(300):
        topped_up = sent(request, first=3)._replace(n=2)
        for first, call in ((0, request._replace(n=3)), (3, topped_up)):
            for index, fault in enumerate(faults_of(teacher, call)):
                again = teacher.fault_at(ReplyKey(request.hash, SCOPE, first + index), first)
                assert (again and again.kind) == (fault and fault.kind)
                assert (again and again.variant) == (fault and fault.variant)
                kinds[fault.kind if fault else "clean"] += 1
    assert min(kinds.values()) > 200


ALL_FILTERS = tuple({name for ways in VARIANTS.values() for way in ways.values() for name in way.filters})


def test_faults_come_at_their_rates_and_the_default_leaves_most_replies_clean() -> None:
    plan = FaultPlan.of(Faults(), ALL_FILTERS)
    assert plan.rates == dict(DEFAULT_RATES)
    # What can be got wrong hangs on the task, and none has all of this.
    apart = {"wrong_sum", "wrong_program", "wrong_json", "wrong_call", "unsupported"}
    assert 0.25 < sum(rate for kind, rate in plan.rates.items() if kind not in apart) < 0.5
    planted = Counter(
        fault.kind if (fault := planted_fault(0, plan, seed_from("reply", n), 0)) else "clean"
        for n in range(20_000)
    )
    for kind, rate in DEFAULT_RATES.items():
        # Five standard deviations.
        assert abs(planted[kind] / 20_000 - rate) < 5 * (rate * (1 - rate) / 20_000) ** 0.5


def test_only_what_a_filter_answers_is_planted_unless_a_rate_asks_for_more() -> None:
    assert set(FaultPlan.of(Faults(), ["refusal", "duplicates"]).rates) == {"refusal", "copy"}
    # Without near_duplicates nothing answers an edited copy.
    assert FaultPlan.of(Faults(), ["duplicates"]).variants == {"copy": ("verbatim",)}
    asked = FaultPlan.of(Faults(refusal=0.1, copies=0.2), ["schema"])
    assert asked.variants["copy"] == ("verbatim", "edited", "reordered", "inflected")
    assert asked.rates["refusal"] == 0.1
    assert asked.answers(Fault("copy", "verbatim", 0.0)) == "duplicates"
    assert (
        FaultPlan.of(Faults(), ["near_duplicates"]).answers(Fault("copy", "verbatim", 0)) == "near_duplicates"
    )


def test_what_a_recipe_has_no_matter_for_is_not_planted_even_when_asked_for() -> None:
    plan = FaultPlan.of(Faults(copies=0.5, leak=0.2), ALL_FILTERS, impossible={"copy", "leak"})
    assert not {"copy", "leak"} & set(plan.rates)


def test_default_rates_take_what_room_the_given_ones_leave() -> None:
    plan = FaultPlan.of(Faults(broken_json=0.9), ALL_FILTERS)
    assert plan.rates["broken_json"] == 0.9
    assert sum(plan.rates.values()) == pytest.approx(1)


def test_a_plan_comes_back_from_json_in_whatever_order_its_keys_stand() -> None:
    plan = FaultPlan.of(Faults(), ALL_FILTERS)
    again = FaultPlan.from_json(json.loads(json.dumps(plan.to_json(), sort_keys=True)))
    for n in range(300):
        call = seed_from("reply", n)
        for text in (False, True):
            assert planted_fault(1, again, call, 0, text=text) == planted_fault(1, plan, call, 0, text=text)


def test_a_wrong_shape_is_json_that_no_reader_takes() -> None:
    for _, text, _, fault in served("wrong_shape"):
        value = json.loads(text)
        assert isinstance(value, dict)
        right = {"text"}
        if fault.variant == "missing_key":
            assert "text" not in value
        elif fault.variant == "extra_key":
            assert right < set(value)
        else:
            assert not isinstance(value["text"], str)


def test_odd_lengths_lie_outside_the_real_ones() -> None:
    sizes = [len(words_of(row["text"])) for row in seeds()]
    for _, text, _, fault in served("length", 100):
        words = len(words_of(json.loads(text)["text"]))
        if fault.variant == "short":
            assert words <= 0.45 * min(sizes)
        else:
            assert abs(words - fault.strength * max(sizes)) <= 2


def test_without_enough_real_texts_odd_lengths_are_extreme() -> None:
    teacher = RehearsalTeacher(0, only("length"))
    found = {len(json.loads(text_of(teacher, qa(n)))["answer"].strip()) for n in range(20)}
    assert min(found) == 0
    assert max(found) > 20_000


def test_a_leak_is_a_decoy_whole_inside_or_edited() -> None:
    invented = decoys(0)
    assert len(set(invented)) == len(invented)
    for _, text, _, fault in served("leak", 150):
        said = json.loads(text)["text"]
        if fault.variant == "equal":
            assert said in invented
        elif fault.variant == "inside":
            assert any(joined(words_of(decoy)) in said for decoy in invented)
        else:
            assert max(jaccard_of_words(said, decoy) for decoy in invented) > 0.5


def jaccard_of_words(a: str, b: str) -> float:
    one, two = set(words_of(a)), set(words_of(b))
    return len(one & two) / len(one | two)


def test_a_wrong_label_has_the_words_of_another_label() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    vectorizer = TfidfVectorizer(sublinear_tf=True)
    student = LinearSVC().fit(
        vectorizer.fit_transform([row["text"] for row in seeds()]), [row["category"] for row in seeds()]
    )
    spoilt = [
        (r.hints.fixed["category"], json.loads(t)["text"]) for r, t, _, _ in served("wrong_label") if r.hints
    ]
    clean = RehearsalTeacher(0, CLEAN)
    kept = [(label, json.loads(text_of(clean, request))["text"]) for label, request in tickets(400)]

    def agrees(rows: Sequence[tuple[str, str]]) -> float:
        told = student.predict(vectorizer.transform([text for _, text in rows]))
        return sum(label == str(other) for (label, _), other in zip(rows, told, strict=True)) / len(rows)

    assert agrees(spoilt) < 0.3
    assert agrees(kept) > 0.6


def test_a_forbidden_phrase_comes_from_the_recipe_and_a_clean_reply_has_none() -> None:
    phrases = ("invoice", "at the moment")
    bad = RehearsalTeacher(0, only("forbidden"), phrases)
    good = RehearsalTeacher(0, CLEAN, phrases)
    for _, request in tickets(100):
        assert re.search(r"invoice|at\W+the\W+moment", text_of(bad, request), re.IGNORECASE)
        assert "invoice" not in text_of(good, request).casefold()
    assert faults_of(RehearsalTeacher(0, only("forbidden")), next(iter(tickets(1)))[1]) == [None]


def test_another_language_is_not_that_of_the_real_rows_and_clean_texts_keep_theirs() -> None:
    strangers = {word for said in SENTENCES.values() for line in said for word in line.split()}
    for request, text, _, fault in served("wrong_language"):
        words = json.loads(text)["text"].split()
        assert len(words) >= 12
        assert len(strangers.intersection(words)) > 0.4 * len(set(words))
        clean = json.loads(text_of(RehearsalTeacher(0, CLEAN), request))["text"].split()
        assert len(strangers.intersection(clean)) < 0.2 * len(set(clean))
        assert fault is not None
        assert fault.strength == (1.0 if fault.variant == "whole" else pytest.approx(0.75, abs=0.15))
    assert "Das" not in foreign_words(["Das ist gut, aber wir können nicht."] * 3, random.Random(0))


def test_wrapping_leaves_the_text_inside_what_it_is() -> None:
    for request, text, _, fault in served("wrapped"):
        inside = json.loads(text_of(RehearsalTeacher(0, CLEAN), request))["text"]
        said = json.loads(text)["text"]
        assert inside in said
        assert len(said) > len(inside), fault


def test_clean_replies_stay_what_they_are_when_a_rate_changes() -> None:
    calm, wild = RehearsalTeacher(0, CLEAN), RehearsalTeacher(0, FaultPlan.of(Faults(broken_json=0.5)))
    clean = [request for _, request in tickets(60) if faults_of(wild, request) == [None]]
    assert clean
    assert [text_of(calm, request) for request in clean] == [text_of(wild, request) for request in clean]


def test_rates_are_validated_and_read_like_the_recipe_writes_them() -> None:
    assert Faults.model_validate({"copy": 0.5}).given() == {"copy": 0.5}
    assert Faults.model_validate(Faults(copies=0.3).model_dump()) == Faults(copies=0.3)
    Faults(broken_json=0.7, refusal=0.2, copies=0.1)  # a sum that floats put a little beside 1
    with pytest.raises(ValidationError, match=r"broken_json, refusal and copy add up to 1\.2; lower them"):
        Faults(broken_json=0.5, refusal=0.5, copies=0.2)
    for wrong in ({"copy": -0.1}, {"refusal": 1.5}, {"toxicity": 0.1}):
        with pytest.raises(ValidationError):
            Faults.model_validate(wrong)


# Words.


@given(text=st.text(max_size=80))
def test_words_joined_again_are_the_same_words(text: str) -> None:
    assert words_of(joined(words_of(text))) == words_of(text)


def test_a_text_repeats_an_example_whatever_its_case_and_punctuation() -> None:
    example = "The lid of the jar does not open, even after we ran it under hot water."
    assert repeats("the LID of the jar does not open even after we ran it under hot water!", [example])
    assert not repeats("The jar arrived without a lid, and I want my money back.", [example])
