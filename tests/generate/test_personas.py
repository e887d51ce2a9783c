"""`personas`: who is found in a text, who is related to them, and who writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.generate.bench import CLEAN, Asked, Bench, Done, saying

NURSE = "A district nurse who does her paperwork in the car"
PLUMBER = "A plumber who learnt to read late and phones rather than writes"
FIELDS = {"text": "cant find the button for the second invoice, am in the car"}


def people(*texts: str) -> dict[str, Any]:
    return {"answers": [{"text": text, "probability": 0.01} for text in texts]}


def bench_of(folder: Path, options: str, *more: str) -> Bench:
    return Bench.of(
        "personas", folder / "bench", [*CLEAN, f"generate.methods={{personas: {options}}}", *more]
    )


def made(bench: Bench, *replies: Any, cell: int = 0) -> Done:
    (done,) = bench.make([bench.cells[cell]], lambda: Asked(saying(*replies)))
    return done


def test_somebody_found_in_the_text_writes(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{related: 0, drafts: 1}")
    done = made(bench, people(NURSE), FIELDS)
    (record,) = done.records
    assert record.fields == {**FIELDS, "category": done.cell.axes["category"]}
    assert record.notes == {"persona": NURSE}
    source = bench.bound.items[done.cell.source]
    finding, writing = (request.messages[-1].content for request in done.asked.requests)
    assert source.fields["text"] in finding
    assert f"<person>{NURSE}</person>" in writing
    assert source.fields["text"] not in writing


def test_now_and_then_it_is_somebody_related(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{drafts: 1}")
    writers = [
        made(bench, people(NURSE), people(PLUMBER), FIELDS, cell=cell).records[0].notes["persona"]
        for cell in range(8)
    ]
    assert set(writers) == {NURSE, PLUMBER}


def test_a_relation_that_is_the_same_person_over_again_does_not_write(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{drafts: 1}")
    again = people(NURSE.upper(), NURSE.replace("the car", "her car"))
    for cell in range(8):
        (record,) = made(bench, people(NURSE), again, FIELDS, cell=cell).records
        assert record.notes == {"persona": NURSE}


def test_a_text_that_suggests_nobody_ends_the_cell(tmp_path: Path) -> None:
    (record,) = made(bench_of(tmp_path, "{}"), people()).records
    assert record.rejected is not None
    assert record.rejected.reason == "no_persona"


def test_several_drafts_are_one_request(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{drafts: 3, sampling: plain, temperature: 1.2}")
    for done in bench.make(bench.cells[:3]):
        assert len(done.asked.roles) == 3
        assert len(done.records) == 3
        assert len({record.notes["persona"] for record in done.records}) == 1
        assert all(len(record.provenance.reply_keys) == 3 for record in done.records)
        assert done.asked.requests[-1].sampling.temperature == 1.2


def test_real_rows_suggest_people_too(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{}", "sources={real: {path: train.csv}}")
    done = bench.make(bench.cells)
    texts = {row.id: row.fields["text"] for row in bench.bound.train}
    for one in done:
        assert texts[one.cell.source] in one.asked.requests[0].messages[-1].content
    assert any(record.fields for one in done for record in one.records)
