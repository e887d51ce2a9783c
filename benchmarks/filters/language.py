"""`language` on M-IFEval's responses to "answer in …", and on English of people."""

from __future__ import annotations

from benchmarks.filters.figure import Figure, Rate, precision_and_recall
from benchmarks.filters.human_items import false_drop, human_items
from benchmarks.filters.mifeval import Checked, checked
from benchmarks.filters.trial import generated, trial
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
        _learnt(),
    ]


def _learnt() -> Figure:
    """Without `languages`: what is expected is learnt from 2,000 other items."""
    items, context = human_items()
    each = trial("language", items, context)
    dropped = Rate(sum(each.found), len(items))
    return Figure(
        "language", "learnt from other human items", len(items), None, None, dropped, each.rows_per_second
    )


def _is_wrong(one: Checked) -> bool:
    language = one.kwargs["language"]
    return trial("language", [_text(one.key, one.response)], CONTEXT, languages=(language,)).found[0]


def _text(key: str, text: str) -> Record:
    return generated(key, {"text": text})
