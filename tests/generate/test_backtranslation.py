"""A round trip stays where it kept numbers, label and sense and changed the wording."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.cell import Cell
from seedbed.core.record import Record
from tests.generate.bench import Bench
from tests.generate.by_hand import answered, bench_of, one_record

KETTLE = "I sent the kettle back 3 weeks ago and have not seen my 34.90 since."
GOOD = "Three lines: 3 weeks ago I sent you back the kettle, and my 34.90 I have not seen since."


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of("backtranslation", tmp_path)


def about(bench: Bench, text: str, draw: int = 0) -> Cell:
    row = next(row for row in bench.bound.train if row.fields["text"] == text)
    return Cell("backtranslation", "backtranslation", {}, (), draw, row.id)


def trip(bench: Bench, returned: str, *label: dict[str, str]) -> Record:
    there = {"text": "Vor 3 Wochen habe ich den Kessel zurückgeschickt, und die 34,90 sind nicht da."}
    return one_record(answered(bench, about(bench, KETTLE), there, {"text": returned}, *label))


def test_other_words_of_the_same_sense_stay_with_their_label_and_both_likenesses(bench: Bench) -> None:
    record = trip(bench, GOOD, {"topic": "returns"})
    assert record.rejected is None
    assert record.fields == {"text": GOOD, "topic": "returns"}
    assert record.slots == {"topic": "returns"}
    assert record.notes["there"]["text"].startswith("Vor 3 Wochen")
    assert record.notes["through"] in bench.bound.methods["backtranslation"].options.through
    assert 0.3 < record.notes["chrf"] < 0.9
    assert 0.5 < record.notes["words"] < 1


@pytest.mark.parametrize(
    ("returned", "lost", "new"),
    [
        ("3 weeks ago I sent back the kettle, and I have not seen my 39.40 since.", ["34.9"], ["39.4"]),
        ("I sent the kettle back weeks ago and my 34.90 is not here yet.", ["3"], []),
        ("I sent 1 kettle back 3 weeks ago and have not seen my 34.90 since.", [], ["1"]),
    ],
)
def test_a_number_changed_on_the_way_back_is_turned_down_and_named(
    bench: Bench, returned: str, lost: list[str], new: list[str]
) -> None:
    record = trip(bench, returned)
    assert record.rejected is not None
    assert record.rejected.reason == "numbers_changed"
    assert record.rejected.evidence == {"lost": lost, "new": new}
    assert len(record.provenance.reply_keys) == 2, "the label of what falls anyway is not asked"


def test_the_same_number_written_otherwise_is_no_change(bench: Bench) -> None:
    assert trip(bench, GOOD.replace("34.90", "34,9"), {"topic": "returns"}).rejected is None


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (KETTLE, "unchanged"),
        (KETTLE.replace("ago", "ago,"), "unchanged"),
        ("My cousin plays the trumpet: 3 tunes, of which 34.90 per cent are jazz.", "meaning_lost"),
    ],
)
def test_nothing_gained_and_everything_lost_are_turned_down(bench: Bench, returned: str, reason: str) -> None:
    record = trip(bench, returned)
    assert record.rejected is not None
    assert record.rejected.reason == reason
    assert record.rejected.score == record.notes["chrf"]
    assert record.rejected.evidence["before"] == KETTLE


def test_a_text_that_is_now_of_another_label_is_turned_down(bench: Bench) -> None:
    record = trip(bench, GOOD, {"topic": "delivery"})
    assert record.rejected is not None
    assert record.rejected.reason == "label_changed"
    assert record.rejected.evidence == {"label": "returns", "now": "delivery"}
    assert record.fields["topic"] == "returns"


def test_each_use_of_a_text_takes_another_way(bench: Bench) -> None:
    through = [one_record(answered(bench, about(bench, KETTLE, draw))).notes["through"] for draw in range(4)]
    assert len(set(through)) == 4


def test_a_text_without_a_label_is_labelled_before_and_after(tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    bench_of("backtranslation", tmp_path)
    (folder / "inbox.csv").write_text(f'text\n"{KETTLE}"\n', "utf-8")
    bench = bench_of(
        "backtranslation",
        tmp_path,
        (
            "sources.inbox={path: inbox.csv, unlabelled: true}",
            "generate.methods={backtranslation: {source: inbox}}",
        ),
    )
    (item,) = bench.bound.material["inbox"]
    cell = Cell("backtranslation", "backtranslation", {}, (), 0, item.id)
    said = ({"text": "Vor 3 Wochen, 34,90"}, {"text": GOOD}, {"topic": "returns"})
    kept = one_record(answered(bench, cell, *said, {"topic": "returns"}))
    assert (kept.rejected, kept.fields["topic"], len(kept.provenance.reply_keys)) == (None, "returns", 4)
    lost = one_record(answered(bench, cell, *said, {"topic": "delivery"}))
    assert lost.rejected is not None
    assert lost.rejected.reason == "label_changed"


def test_of_an_instruction_the_prompt_alone_makes_the_trip(tmp_path: Path) -> None:
    bench = bench_of("backtranslation", tmp_path, ("task={kind: instruction, prompt: text, answer: topic}",))
    row = next(row for row in bench.bound.train if row.fields["text"] == KETTLE)
    cell = Cell("backtranslation", "backtranslation", {}, (), 0, row.id)
    record = one_record(answered(bench, cell, {"text": "Vor 3 Wochen, 34,90"}, {"text": GOOD}))
    assert record.rejected is None
    assert record.fields == {"text": GOOD, "topic": "returns"}
    assert len(record.provenance.reply_keys) == 2
