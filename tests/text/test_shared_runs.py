from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from seedbed.text.shared_runs import RUN, SharedRuns
from seedbed.text.similarity import longest_shared_run

LONG = "when the parcel came the box was open and one of the two lamps was missing from it"
OTHER = "nobody at the desk could tell me how long the repair of the washing machine would take"


def runs(index: SharedRuns, query: str) -> list[tuple[int, int]]:
    return sorted((row, len(run)) for row, run in index.matches([query])[0])


@given(
    st.text("ab", max_size=80),
    st.integers(0, len(LONG)),
    st.integers(0, len(LONG)),
    st.text("ab", max_size=80),
)
def test_a_run_is_found_from_50_characters_on_wherever_it_lies(
    before: str, start: int, end: int, after: str
) -> None:
    query = before + LONG[start:end] + after
    longest = longest_shared_run(query, LONG)
    assert [length for _, length in runs(SharedRuns([OTHER, LONG]), query)] == (
        [longest] if longest >= RUN else []
    )


def test_the_row_is_named() -> None:
    assert runs(SharedRuns([OTHER, LONG]), f"hello {LONG[3:]} bye") == [(1, len(LONG) - 3)]


def test_a_text_shorter_than_a_run_shares_none() -> None:
    assert runs(SharedRuns(["short", LONG]), "short") == []


def test_common_windows_count_no_longer_but_what_goes_past_them_does() -> None:
    phrase = "please read the following question and choose the answer that fits best"
    index = SharedRuns([f"{phrase} {OTHER}"])
    assert runs(index, f"{phrase} and then something else")
    index.ignore_common([f"{phrase} part {n}" for n in range(5)], at_least=5)
    assert runs(index, f"{phrase} and then something else") == []
    assert runs(index, f"so {phrase} {OTHER[:40]} and so on") == []
    assert runs(index, f"so {phrase} {OTHER}") == [(0, len(OTHER))]


def test_a_phrase_below_the_floor_still_counts() -> None:
    index = SharedRuns([LONG])
    index.ignore_common([LONG, LONG], at_least=3)
    assert runs(index, LONG) == [(0, len(LONG))]


@given(st.lists(st.integers(0, 60), min_size=2, max_size=6), st.integers(0, 60), st.integers(50, 110))
def test_what_counts_is_what_lies_between_the_common_windows(
    cuts: list[int], start: int, length: int
) -> None:
    row = f"{LONG} {OTHER}"
    train = [row[cut : cut + 70] for cut in cuts]
    index = SharedRuns([row])
    index.ignore_common(train, at_least=2)
    free = [True] * len(row)
    for at in range(len(row) - RUN + 1):
        if sum(row[at : at + RUN] in text for text in train) >= 2:
            free[at : at + RUN] = [False] * RUN
    query = row[start : start + length]
    expected, run = [], 0
    for at in [*range(start, start + len(query)), None]:
        if at is not None and free[at]:
            run += 1
            continue
        if run >= RUN:
            expected.append(run)
        run = 0
    assert sorted(length for _, length in runs(index, query)) == sorted(expected)


def naive(rows: list[str], query: str) -> list[tuple[int, int]]:
    """(row, length) of every run of 50 characters or more that cannot be made longer: all against all."""
    found = []
    for row, text in enumerate(rows):
        for at in range(len(query)):
            for start in range(len(text)):
                if at and start and query[at - 1] == text[start - 1]:
                    continue
                length = 0
                while query[at + length : at + length + 1] == text[start + length : start + length + 1] != "":
                    length += 1
                if length >= RUN:
                    found.append((row, length))
    return sorted(found)


PIECES = st.lists(
    st.sampled_from([LONG[:40], LONG[30:70], OTHER[:33], "ab ", "ö\U0001f600", "x"]), max_size=6
)


@given(st.lists(PIECES, max_size=3), st.lists(PIECES, max_size=3))
def test_all_runs_of_several_texts_are_found_at_once(rows: list[list[str]], queries: list[list[str]]) -> None:
    texts, asked = ["".join(row) for row in rows], ["".join(query) for query in queries]
    index = SharedRuns(texts)
    found = index.matches(asked)
    assert [sorted((row, len(run)) for row, run in one) for one in found] == [
        naive(texts, query) for query in asked
    ]
    assert all(
        run in texts[row] and run in query
        for query, one in zip(asked, found, strict=True)
        for row, run in one
    )
    assert pickle.loads(pickle.dumps(index)).matches(asked) == found


def test_a_run_is_found_wherever_it_lies_in_a_long_text() -> None:
    index = SharedRuns([LONG])
    for before in range(65_536 - 100, 65_536 + 20, 7):
        assert runs(index, "x" * before + LONG[5:65] + "y" * 200) == [(0, 60)]
