from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.protocols import FilterContext
from seedbed.filters.near_duplicates import CHAR_WIDTH, SHORT_RUNS, NearDuplicates
from seedbed.tasks.code import Code
from seedbed.text.normalise import normalise
from seedbed.text.similarity import char_shingles, jaccard
from tests.filters.tickets import TICKETS, build, falls, record

CONTEXT = FilterContext(TICKETS)
_letters = random.Random(3)
WORDS = ["".join(_letters.choices("aeioubcdfghlmnprst", k=_letters.randint(2, 9))) for _ in range(4000)]


def sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words))


def edited(text: str, rng: random.Random, share: float) -> str:
    """Another word in the place of about this share of the words."""
    words = text.split()
    for place in rng.sample(range(len(words)), round(share * len(words))):
        words[place] = rng.choice(WORDS)
    return " ".join(words)


def meet(each: NearDuplicates, a: str, b: str) -> bool:
    return bool(set(each.keys([a])[0]) & set(each.keys([b])[0]))


@pytest.mark.parametrize(
    ("a", "b", "near"),
    [
        ("Why do we need to verify the top-up?", "Why do we need to verify top-ups?", True),
        ("My lamp came broken, I want my money back", "my lamp came broken and I want my money back", True),
        ("My lamp came broken, I want my money back", "My chair came late, I want another one", False),
        ("请问我的灯什么时候能送到我家里来", "请问我的灯什么时候能送到我家里", True),
        ("yes", "yes!", True),
        ("yes", "no", False),
    ],
)
def test_short_texts_by_example(a: str, b: str, near: bool) -> None:
    assert bool(falls(build("near_duplicates", CONTEXT, threshold=0.75), [a, b])) == near


@pytest.mark.parametrize(("share", "near"), [(0.02, True), (0.2, False)])
def test_long_texts_by_share_of_words_changed(share: float, near: bool) -> None:
    each, rng = build("near_duplicates", CONTEXT), random.Random(5)
    found = 0
    for _ in range(40):
        text = sentence(rng, 120)
        found += bool(falls(each, [text, edited(text, rng, share)]))
    assert found == (40 if near else 0)


@pytest.mark.parametrize("words", [6, 10, 14, 20, 60, 150])
def test_pairs_above_the_threshold_meet(words: int) -> None:
    """Recall of the keys at and just above the threshold, on edited copies of all lengths."""
    each, rng = build("near_duplicates", CONTEXT), random.Random(words)
    kin = 0
    met = 0
    while kin < 150:
        text = sentence(rng, words)
        other = _one_letter_edits(text, rng)
        score = each.edge(text, other)
        if score is not None and score < 1.0:
            kin += 1
            met += meet(each, text, other)
    assert met / kin >= 0.95


def _one_letter_edits(text: str, rng: random.Random) -> str:
    letters = list(text)
    for _ in range(rng.randint(1, 1 + len(text) // 40)):
        letters[rng.randrange(len(letters))] = rng.choice("aeiourst")
    return "".join(letters)


@given(st.integers(0, 10_000), st.integers(1, 4))
@settings(max_examples=60)
def test_a_text_at_the_border_carries_the_keys_of_both_kinds(seed: int, extra: int) -> None:
    """A short text and its longer twin are compared by characters, so the twin has those keys too."""
    each, rng = build("near_duplicates", CONTEXT), random.Random(seed)
    text = sentence(rng, 30)
    while len(char_shingles(text, CHAR_WIDTH)) >= SHORT_RUNS:
        text = text[:-1].strip()
    twin = f"{text} {sentence(rng, extra)}"
    score = jaccard(char_shingles(text, CHAR_WIDTH), char_shingles(twin, CHAR_WIDTH))
    assert each.edge(text, twin) == (score if score >= each.thresholds.short else None)
    assert each.edge(text, twin) == each.edge(twin, text)
    if score >= 0.7:
        assert len(char_shingles(twin, CHAR_WIDTH)) <= SHORT_RUNS / 0.7
        kinds = 1 if len(char_shingles(twin, CHAR_WIDTH)) < SHORT_RUNS else 2
        assert len(each.keys([twin])[0]) == {1: 20, 2: 35}[kinds]


@given(st.text(max_size=80), st.text(max_size=80))
def test_an_edge_never_depends_on_the_keys(a: str, b: str) -> None:
    each = build("near_duplicates", CONTEXT, threshold=0.5)
    score = jaccard(char_shingles(normalise(a), CHAR_WIDTH), char_shingles(normalise(b), CHAR_WIDTH))
    assert each.edge(a, b) == (score if score >= 0.5 else None)


def _real(rng: random.Random, repeats: float, edits: int) -> list[str]:
    """300 short texts, of which this share are copies of another with so many letters changed."""
    texts = [sentence(rng, 12) for _ in range(300)]
    for place in range(1, round(300 * repeats) + 1):
        letters = list(texts[-place])
        for at in rng.sample(range(len(letters)), edits):
            letters[at] = "x"
        texts[place - 1] = "".join(letters)
    return texts


def test_varied_real_texts_allow_the_lowest_threshold() -> None:
    rng = random.Random(1)
    assert build("near_duplicates", FilterContext(TICKETS, _real(rng, 0, 0))).thresholds.short == 0.7


def test_repetitive_real_texts_raise_the_threshold_until_one_percent_would_fall() -> None:
    texts = _real(random.Random(1), 0.2, 2)
    each = build("near_duplicates", FilterContext(TICKETS, texts))
    assert 0.8 < each.thresholds.short <= 0.95
    assert len(falls(each, texts)) <= 3
    loose = build("near_duplicates", FilterContext(TICKETS, texts), threshold=each.thresholds.short - 0.01)
    assert len(falls(loose, texts)) > 3


def test_equal_real_texts_say_nothing_about_the_threshold() -> None:
    texts = _real(random.Random(1), 0.0, 0)
    assert build("near_duplicates", FilterContext(TICKETS, [*texts, *texts])).thresholds.short == 0.7


@pytest.mark.parametrize("real", [None, [], ["only a few", "real texts"]])
def test_too_few_real_texts_leave_the_default(real: list[str] | None) -> None:
    assert build("near_duplicates", FilterContext(TICKETS, real)).thresholds.short == 0.8


def test_keys_do_not_depend_on_the_calibration() -> None:
    text = "where is the lamp that I bought"
    one = build("near_duplicates", FilterContext(TICKETS, _real(random.Random(1), 0.2, 2)))
    assert one.keys([text])[0] == build("near_duplicates", CONTEXT).keys([text])[0]


@given(
    st.lists(
        st.lists(
            st.sampled_from(["the", "card", "has", "not", "come", "back", "again"]),
            max_size=60,
        ).map(" ".join),
        max_size=6,
    )
)
def test_no_pair_that_is_kin_is_ruled_out_beforehand(texts: list[str]) -> None:
    each = build("near_duplicates", CONTEXT)
    pairs = [(one, two) for one in texts for two in texts]
    for pair, possible in zip(pairs, can_be_kin(each, pairs), strict=True):
        assert possible or each.edge(*pair) is None


def can_be_kin(each: NearDuplicates, pairs: list[tuple[str, str]]) -> list[bool]:
    drawn = each.sketches([text for pair in pairs for text in pair])
    places = np.arange(2 * len(pairs)).reshape(-1, 2)
    return [bool(possible) for possible in each.can_be_kin(drawn, *places.T)]


def test_most_pairs_that_are_no_kin_are() -> None:
    each = build("near_duplicates", CONTEXT)
    texts = [
        f"ticket {at} asks about {at * 37} of the {at * at} parcels in house {at * 11}" for at in range(40)
    ]
    pairs = list(combinations(texts, 2))
    kin = [each.edge(*pair) is not None for pair in pairs]
    possible = can_be_kin(each, pairs)
    assert sum(possible) <= sum(kin) + len(pairs) // 20


def test_programs_are_compared_by_what_they_do_and_not_by_their_names() -> None:
    task = Code.bind(Code.Options(), None)
    built = NearDuplicates.build(NearDuplicates.Options(on="ast"), FilterContext(task))
    total = """def total(prices):
    result = 0
    for price in prices:
        result += price
    return result
"""
    renamed = '''def add_up(xs):
    """Adds them up."""
    acc = 0  # starts with nothing
    for x in xs: acc += x
    return acc
'''
    other = total.replace("+=", "-=").replace("result = 0", "result = 100").replace("total", "left")
    texts = [
        built.text(record(name, prompt=name, solution=program, tests="assert True"))
        for name, program in {"a": total, "b": renamed, "c": other, "d": "def total(prices:"}.items()
    ]
    assert built.edge(texts[0], texts[1]) == 1.0
    assert (built.edge(texts[0], texts[2]) or 0) < 1.0
    assert texts[3] == "def total(prices:"
    by_words = NearDuplicates.build(NearDuplicates.Options(on=("solution",)), FilterContext(task))
    assert by_words.edge(total, renamed) is None


def test_syntax_trees_are_for_programs_in_python() -> None:
    options = NearDuplicates.Options(on="ast")
    assert NearDuplicates.problems(options, Code.bind(Code.Options(), None)) == []
    other = Code.bind(Code.Options(language="Rust"), None)
    ((place, message),) = NearDuplicates.problems(options, other)
    assert (place, message) == (("on",), "ast is for tasks of kind code in Python; name fields")
