"""A translation stays where its language, its terms and what it says on the way back are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.cell import Cell
from seedbed.core.errors import RecipeError, SourceError
from seedbed.core.record import Record
from seedbed.run.loading import load_bound
from tests.generate.bench import CLEAN, Bench
from tests.generate.by_hand import answered, bench_of, one_record

LAKE = "Our bus goes to the lake every hour from June to September."
LAGO = "Nia aŭtobuso veturas al la lago ĉiun horon de junio ĝis septembro."
BACK = "Our bus travels to the lake each hour from June until September."
BIKE = "You can borrow a bicycle at the town hall for 2 euros a day."
BICIKLO = "Vi povas prunti biciklon ĉe la urbodomo por 2 eŭroj tage."


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of("translate", tmp_path)


def of(bench: Bench, text: str, translation: str, back: str | None = None) -> Record:
    """The draft of a notice; the real pairs that are shown are those of the contract."""
    (item,) = [item for item in bench.bound.material["notices"] if item.fields["source"] == text]
    pairs = tuple(row.id for row in bench.bound.train)
    said = [{"target": translation}, *([{"target": back}] if back is not None else [])]
    return one_record(answered(bench, Cell("translate", "translate", {}, pairs, 0, item.id), *said))


def test_a_translation_that_comes_back_as_it_went_stays_with_what_came_back(bench: Bench) -> None:
    record = of(bench, LAKE, LAGO, BACK)
    assert record.rejected is None
    assert record.fields == {"source": LAKE, "target": LAGO}
    assert record.notes["back"] == BACK
    assert 0.5 < record.notes["chrf"] < 0.9


@pytest.mark.parametrize(
    ("reply", "told_by"),
    [
        (LAKE, "like_source"),
        ("Unser Bus fährt von Juni bis September jede Stunde zum großen See.", "language"),
        ("Наш автобус ходит к озеру каждый час с июня по сентябрь.", "script"),
    ],
    ids=["the source's language", "another language", "another script"],
)
def test_a_reply_in_the_wrong_language_is_turned_down(bench: Bench, reply: str, told_by: str) -> None:
    record = of(bench, LAKE, reply)
    assert record.rejected is not None
    assert record.rejected.reason == "wrong_language"
    assert told_by in record.rejected.evidence
    assert len(record.provenance.reply_keys) == 1, "what falls anyway is not translated back"


def test_of_a_short_text_no_language_is_told(bench: Bench) -> None:
    assert of(bench, LAKE, "Bus 12", LAKE).rejected is None


ENGLISH = "The bus of our town drives to the lake once an hour, but in summer only."
TOKI_PONA = "tomo tawa ma mi li tawa telo suli lon tenpo ale pi tenpo seli."


@pytest.mark.parametrize("pairs", [True, False])
@pytest.mark.parametrize(("reply", "stays"), [(TOKI_PONA, True), (ENGLISH, False)])
def test_of_a_language_that_no_identifier_knows_it_is_seen_that_it_is_not_the_source(
    tmp_path: Path, pairs: bool, reply: str, stays: bool
) -> None:
    bench_of("translate", tmp_path)
    (tmp_path / "bench" / "pairs.csv").write_text(
        "source,target\nThe house is big.,tomo li suli.\nI want water.,mi wile e telo.\n"
        "My friend goes to the land.,jan pona mi li tawa ma.\nThis fish is good.,kala ni li pona.\n",
        "utf-8",
    )
    real = ", real: {path: pairs.csv}" if pairs else ""
    bench = bench_of(
        "translate",
        tmp_path,
        (
            "task={kind: translation, from: English, to: Toki Pona}",
            f"sources={{notices: {{path: notices.csv, unlabelled: true}}{real}}}",
        ),
    )
    record = of(bench, LAKE, reply, BACK)
    assert (record.rejected is None) is stays
    if record.rejected is not None:
        assert record.rejected.reason == "wrong_language"
        assert ("like_source" if pairs else "language") in record.rejected.evidence


def test_a_term_of_the_glossary_must_be_there_in_one_of_its_forms(bench: Bench) -> None:
    kept = of(bench, BIKE, BICIKLO, BIKE)
    assert kept.rejected is None
    assert kept.notes["terms"] == {"bicycle": "biciklo|biciklon"}
    record = of(bench, BIKE, BICIKLO.replace("biciklon", "radon"))
    assert record.rejected is not None
    assert record.rejected.reason == "glossary"
    assert record.rejected.evidence == {"missing": {"bicycle": "biciklo|biciklon"}}


def test_what_does_not_come_back_is_turned_down(bench: Bench) -> None:
    changed = of(bench, BIKE, BICIKLO, BIKE.replace("2 euros", "20 euros"))
    assert changed.rejected is not None
    assert changed.rejected.reason == "numbers_changed"
    assert changed.rejected.evidence == {"lost": ["2"], "new": ["20"]}
    lost = of(bench, LAKE, LAGO, "The town hall is closed.")
    assert lost.rejected is not None
    assert lost.rejected.reason == "meaning_lost"
    assert lost.rejected.score == pytest.approx(lost.notes["chrf"], abs=1e-3)


def test_rows_of_another_task_change_their_language_and_keep_their_label(tmp_path: Path) -> None:
    bench_of("translate", tmp_path)
    (tmp_path / "bench" / "labelled.csv").write_text(f"text,about\n{LAKE},bus\nNo dogs.,animals\n", "utf-8")
    changes = (
        "task={kind: classification, input: text, label: about}",
        "sources={real: {path: labelled.csv}}",
    )
    with pytest.raises(RecipeError, match="to_language: is missing"):
        load_bound(tmp_path / "bench", (*CLEAN, *changes))
    methods = "generate.methods={translate: {to_language: Esperanto}}"
    bench = bench_of("translate", tmp_path, (*changes, methods))
    row = next(row for row in bench.bound.train if row.fields["text"] == LAKE)
    cell = Cell("translate", "translate", {}, (), 0, row.id)
    record = one_record(answered(bench, cell, {"text": LAGO}, {"text": BACK}))
    assert record.rejected is None
    assert (record.fields, record.slots) == ({"text": LAGO, "about": "bus"}, {"about": "bus"})
    unlabelled = "sources={notices: {path: notices.csv, unlabelled: true, columns: {text: source}}}"
    task = "task={kind: classification, input: text, label: about, labels: [bus, animals]}"
    with pytest.raises(SourceError, match=r"source 'notices': .* have no 'about'"):
        load_bound(tmp_path / "bench", (*CLEAN, task, unlabelled, methods))


@pytest.mark.parametrize(
    ("file", "problem"),
    [(None, "cannot be read"), ("term,word\na,b\n", "must be a CSV file with the columns source and target")],
)
def test_a_glossary_that_cannot_be_used_is_named(tmp_path: Path, file: str | None, problem: str) -> None:
    bench = bench_of("translate", tmp_path)
    if file is not None:
        (bench.folder / "terms.csv").write_text(file, "utf-8")
    with pytest.raises(RecipeError, match=rf"generate.methods.translate.glossary: terms.csv {problem}"):
        load_bound(bench.folder, (*CLEAN, "generate.methods={translate: {glossary: terms.csv}}"))


def test_a_glossary_may_stand_in_the_recipe(tmp_path: Path) -> None:
    bench = bench_of("translate", tmp_path, ("generate.methods={translate: {glossary: {lake: lag}}}",))
    assert of(bench, LAKE, LAGO, BACK).notes["terms"] == {"lake": "lag"}
