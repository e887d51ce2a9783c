"""`language` on M-IFEval's responses to "answer in …", and on English of people.

The filter's ratio of 20 was chosen with a look at the first two sets and at BANKING77's train rows; CLINC150
was held out.
"""

from __future__ import annotations

import json

from benchmarks.evidence.datasets import data
from benchmarks.filters.figure import Figure, Rate, precision_and_recall
from benchmarks.filters.human_items import false_drop, human_items
from benchmarks.filters.mifeval import Checked, checked
from benchmarks.filters.trial import Trial, generated, trial
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.tasks.custom import Custom

CONTEXT = FilterContext(Custom.bind(Custom.Options(fields={"text": "a text"}), None))


def measure() -> list[Figure]:
    """The truth of the first figure is what another identifier, langdetect, said when M-IFEval was recorded.

    The second holds the texts that it confirmed in another language against English that people wrote.
    """
    asked = [one for one in checked() if one.instruction == "language:response_language"]
    found = [_is_wrong(one) for one in asked]
    failed = [not one.followed for one in asked]
    dropped = false_drop("language", languages=("en",))
    foreign = [_text(one.key, one.response) for one in asked if one.followed]
    people = [_text(row.id, row.fields["question"]) for row in human_items()[0]]
    mixed = trial("language", [*foreign, *people], CONTEXT, languages=("en",))
    truth = [*(True for _ in foreign), *(False for _ in people)]
    languages = len({one.kwargs["language"] for one in asked})
    return [
        Figure(
            "language",
            f"M-IFEval, answers asked for in {languages} languages",
            len(asked),
            *precision_and_recall(found, failed),
            dropped,
            mixed.rows_per_second,
        ),
        Figure(
            "language",
            "answers in other languages among human items, English expected",
            len(truth),
            *precision_and_recall(mixed.found, truth),
            dropped,
            mixed.rows_per_second,
        ),
        _of_people("human items, languages learnt from others", trial("language", *human_items())),
        _of_people("CLINC150, English expected", trial("language", _clinc(), CONTEXT, languages=("en",))),
    ]


def _of_people(data: str, each: Trial) -> Figure:
    dropped = Rate(sum(each.found), len(each.found))
    return Figure("language", data, len(each.found), None, None, dropped, each.rows_per_second)


def _clinc() -> list[Record]:
    parts = json.loads((data("clinc150") / "data" / "data_full.json").read_text("utf-8"))
    texts = [text for rows in parts.values() for text, _ in rows]
    return [_text(f"clinc-{at}", text) for at, text in enumerate(texts)]


def _is_wrong(one: Checked) -> bool:
    language = one.kwargs["language"]
    return trial("language", [_text(one.key, one.response)], CONTEXT, languages=(language,)).found[0]


def _text(key: str, text: str) -> Record:
    return generated(key, {"text": text})
