"""What a run shows about its data, as sections of the report's page: measures, proof, self-test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.publish.measures_text import between, figure
from seedbed.publish.page_content import (
    Bar,
    Block,
    Bullets,
    Cell,
    Chip,
    Column,
    Interval,
    Number,
    Paragraph,
    Scale,
    Section,
    Table,
    Text,
    Tone,
    percent,
)
from seedbed.publish.proof_text import arm_name, eval_rows, held_out_words, metric_name, signed, verdict_words
from seedbed.publish.text_layout import largest_first, share

Summary = Mapping[str, Any]

_VERDICT_TONES: Mapping[str, Tone] = {
    "better": "good",
    "no_material_difference": "plain",
    "undecided": "open",
    "worse": "bad",
}
MOST_AXIS_VALUES = 40


def measures_section(summary: Summary, rows: str = "accepted rows") -> Section:
    """Variety of the generated `rows` beside that of as many real rows, and how far the axes are covered."""
    measures = summary.get("measures")
    if not measures:
        return Section("measures", "Measured against the real data", ())
    counts = measures["rows"]
    blocks: list[Block] = [
        Paragraph(
            f"{counts['generated']:,} {rows} beside {counts['real']:,} real ones, in samples of "
            f"{counts['sample']:,}. Embedder: {measures['embedder']}."
        )
    ]
    metrics = [entry for entry in measures["metrics"] if entry["value"] is not None]
    if metrics:
        columns = [
            Column("measure"), Column("generated", "number"), Column("", "figure"), Column("real", "number"),
            Column("says"),
        ]  # fmt: skip
        caption = "Dot and line: generated, with its interval. Band: real rows in samples of the same size"
        blocks.append(Table(caption, columns, [_metric(entry) for entry in metrics]))
    blocks += [_axis(name, entry) for name, entry in measures["axes"].items()]
    silent = [
        f"{entry['label']}: {entry['note'] or 'no figure'}"
        for entry in measures["metrics"]
        if entry["value"] is None
    ]
    remarks = [*silent, *measures["notes"]]
    return Section(
        "measures", "Measured against the real data", [*blocks, *([Bullets(remarks)] if remarks else [])]
    )


def _metric(entry: Mapping[str, Any]) -> list[Cell]:
    value, low, high = entry["value"], entry["low"], entry["high"]
    real, real_low, real_high = entry["real"], entry["real_low"], entry["real_high"]
    scale = Scale.over([value, low, high, real, real_low, real_high])
    said = (
        f"generated {figure(value)} {between(low, high)}, real {figure(real)} {between(real_low, real_high)}"
    )
    tone = tone_of(entry["verdict"])
    interval = Interval(
        said=said,
        value=scale.place(value),
        low=scale.place(value if low is None else low),
        high=scale.place(value if high is None else high),
        band=None
        if real_low is None or real_high is None
        else (scale.place(real_low), scale.place(real_high)),
        mark=None if real is None else scale.place(real),
        tone=tone,
    )
    better = {"lower": "lower is more varied", "higher": "higher is more varied"}.get(entry["better"], "")
    return [
        Text(entry["label"], ". ".join(part for part in (better, entry["note"]) if part)),
        Number(figure(value), between(low, high)),
        interval,
        Number(figure(real), between(real_low, real_high)),
        Chip(str(entry["verdict"] or "–").replace("_", " "), tone),
    ]


def tone_of(verdict: str | None) -> Tone:
    """What the verdict of a measure says of the data's variety."""
    return _MEASURE_TONES.get(str(verdict).replace("_", " "), "plain")


_MEASURE_TONES: Mapping[str, Tone] = {
    "as varied": "good",
    "more varied": "good",
    "less varied": "bad",
    "undecided": "open",
}


def _axis(name: str, entry: Mapping[str, Any]) -> Table:
    counts: Mapping[str, int] = entry["counts"]
    real: Mapping[str, int] = entry.get("real_counts") or {}
    shown = largest_first(counts)[:MOST_AXIS_VALUES]
    most = max(counts.values(), default=0)
    rows: list[list[Cell]] = [
        [
            Text(value),
            Number(f"{n:,}"),
            Number(share(n, sum(counts.values()))),
            Bar(percent(n, most), 0),
            *([Number(f"{real.get(value, 0):,}")] if real else []),
        ]
        for value, n in shown
    ]
    columns = [Column(name), Column("accepted", "number"), Column("share", "number"), Column("", "figure")]
    if real:
        columns.append(Column("real", "number"))
    total = entry["values"] if isinstance(entry["values"], int) else len(entry["values"])
    more = f"; the {len(shown):,} most frequent" if len(shown) < len(counts) else ""
    return Table(f"Axis {name}: {entry['covered']:,} of {total:,} values occur{more}", columns, rows)


def proof_section(summary: Summary) -> Section:
    """The arms with their intervals, what their differences mean, and the weakest labels."""
    proof = summary["proof"]
    title = "What the data is worth"
    if not proof:
        return Section("proof", title, ())
    level = f"{100 * proof['interval']['level']:.4g} %"
    setting = (
        f"A student ({proof['student']['name']}) learnt from each arm, and all arms were scored at once on "
        f"{proof['eval']['rows']:,} locked eval rows. {_scorings(summary.get('eval'))}Intervals are {level}, "
        f"of {proof['interval']['draws']:,} bootstrap draws."
    )
    blocks: list[Block] = [Paragraph(setting)]
    if summary["rehearsal"]:
        words = "Of a rehearsal these figures show that the proof works, and nothing about any teacher."
        blocks.append(Paragraph(words))
    blocks.append(_arms(proof))
    if words := held_out_words(proof):
        blocks.append(Paragraph(words))
    blocks += [*_differences(proof), *_weakest(proof["arms"])]
    remarks = [
        f"{arm_name(entry)}: {entry['note']}" for entry in proof["arms"] if entry["note"] and entry["rows"]
    ]
    remarks += proof["notes"]
    return Section("proof", title, [*blocks, *([Bullets(remarks)] if remarks else [])])


def _scorings(lock: Mapping[str, Any] | None) -> str:
    """How often students were scored on the eval in all: this proof is of one of those times."""
    times = sum(opening["purpose"] == "evaluate" for opening in lock["openings"]) if lock else 0
    if not times:
        return ""
    often = "once" if times == 1 else f"{times:,} times"
    return f"The eval was opened {often} to score students: see its openings below. "


def _arms(proof: Mapping[str, Any]) -> Table:
    arms, metric, others = proof["arms"], proof["metric"], proof["metrics"][1:]
    held_out = any(entry["held_out"] for entry in arms)
    scored = [entry["scores"][metric] for entry in arms if entry["scores"] is not None]
    scale = Scale.over([score[key] for score in scored for key in ("low", "high")])
    rows: list[list[Cell]] = []
    for entry in arms:
        what = f"{entry['real']:,} real + {entry['synthetic']:,} synthetic"
        head: list[Cell] = [Text(arm_name(entry), what), Number(f"{entry['rows']:,}")]
        if entry["scores"] is None:
            nothing = [Number("–") for _ in range(len(others) + held_out + 1)]
            rows.append([*head, Number("not scored"), Text(""), *nothing])
            continue
        score, generated, retention = entry["scores"][metric], entry["held_out"], entry["retention"]
        low, value, high = (scale.place(score[key]) for key in ("low", "value", "high"))
        said = (
            f"{metric_name(metric)} {score['value']:.3f}, interval {score['low']:.3f} to {score['high']:.3f}"
        )
        on_generated = f"{generated['scores'][metric]['value']:.3f}" if generated else "–"
        rows.append(
            [
                *head,
                Number(f"{score['value']:.3f}", f"[{score['low']:.3f}, {score['high']:.3f}]"),
                Interval(said, value, low, high, tone="plain" if entry["name"] == "real_only" else "good"),
                *(Number(f"{entry['scores'][other]['value']:.3f}") for other in others),
                *([Number(on_generated)] if held_out else []),
                Number(f"{100 * retention['value']:.0f} %" if retention else "–"),
            ]
        )
    ticks = _ticks(scale) if scored else ()
    columns = [
        Column("arm"), Column("rows", "number"), Column(metric_name(metric), "number"),
        Column("", "figure", ticks), *(Column(metric_name(other), "number") for other in others),
        *([Column("on generated", "number")] if held_out else []), Column("of real", "number"),
    ]  # fmt: skip
    return Table("Scores of the arms on the locked eval", columns, rows)


def _ticks(scale: Scale) -> list[tuple[float, str]]:
    """Round values, some three to five of them, that lie well inside the scale."""
    width = scale.high - scale.low
    step = next((s for s in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if width / s <= 5), 1.0)
    first = int(scale.low / step) + 1
    places = [(scale.place(step * n), f"{step * n:.3g}") for n in range(first, int(scale.high / step) + 1)]
    return [(place, label) for place, label in places if 6 <= place <= 94]


def _differences(proof: Mapping[str, Any]) -> list[Block]:
    differences = proof["differences"]
    if not differences:
        return []
    material = proof["material"]
    gaps = [entry["difference"] for entry in differences]
    edges = [gap[key] for gap in gaps for key in ("low", "high")]
    scale = Scale.over([*edges, -material, material])
    rows: list[list[Cell]] = []
    for entry in differences:
        gap = entry["difference"]
        said = f"difference {signed(gap['value'])}, interval {signed(gap['low'])} to {signed(gap['high'])}"
        tone = _VERDICT_TONES.get(entry["verdict"], "plain")
        low, value, high = (scale.place(gap[key]) for key in ("low", "value", "high"))
        words = verdict_words(entry, material, eval_rows(proof))
        headline, _, rest = words.replace("; ", ": ", 1).partition(": ")
        rows.append(
            [
                Text(f"{arm_name(entry, 'arm')} against {arm_name(entry, 'against')}", rest),
                Number(signed(gap["value"]), f"[{signed(gap['low'])}, {signed(gap['high'])}]"),
                Interval(
                    said,
                    value,
                    low,
                    high,
                    (scale.place(-material), scale.place(material)),
                    scale.place(0),
                    tone,
                ),
                Chip(headline, tone),
            ]
        )
    columns = [
        Column("difference"), Column(metric_name(proof["metric"]), "number"),
        Column("", "figure", [(scale.place(0), "0")]),
        Column("shows"),
    ]  # fmt: skip
    metric = metric_name(proof["metric"])
    caption = f"Differences between arms. Band: ±{material} {metric}, too little to act on"
    return [Table(caption, columns, rows)]


def _weakest(arms: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Recall by label in every scored arm, the weakest of the mix (or else of the first arm) first."""
    scored = [entry for entry in arms if entry["per_class"]]
    if not scored:
        return []
    judged = next((entry for entry in scored if entry["name"] == "mix"), scored[0])
    by_recall = sorted(judged["per_class"].items(), key=lambda item: (item[1]["recall"], item[0]))
    rows: list[list[Cell]] = [
        [
            Text(label),
            Number(f"{figures['support']:,}"),
            *(Number(f"{entry['per_class'][label]['recall']:.2f}") for entry in scored),
            Interval(
                said=f"recall in {arm_name(judged)} {figures['recall']:.2f}, "
                f"interval {figures['recall_interval'][0]:.2f} to {figures['recall_interval'][1]:.2f}",
                value=percent(figures["recall"], 1),
                low=percent(figures["recall_interval"][0], 1),
                high=percent(figures["recall_interval"][1], 1),
            ),
        ]
        for label, figures in by_recall
    ]
    columns = [
        Column("label"), Column("eval rows", "number"), *(Column(arm_name(e), "number") for e in scored),
        Column("", "figure", [(0, "0"), (50, "0.5"), (100, "1")]),
    ]  # fmt: skip
    caption = f"Recall by label, the weakest in {arm_name(judged)} first; the line is its interval there"
    return [Table(caption, columns, rows)]


def self_test_section(summary: Summary) -> Section:
    """Of the faults that a rehearsal planted, how many each filter caught, and clean drafts dropped."""
    result = summary["selftest"]
    if not result:
        return Section("selftest", "Self-test of the filters", ())
    blocks: list[Block] = []
    if result.get("filters"):
        blocks += _by_filter(result["filters"])
    rows: list[list[Cell]] = []
    for kind, counts in result["faults"].items():
        caught = sum(counts["caught"].values())
        by = ", ".join(f"{name} {n:,}" for name, n in largest_first(counts["caught"]))
        rows.append(_caught(Text(kind, f"by {by}" if by else ""), caught, counts["planted"]))
    blocks.append(Table("Faults that the rehearsal teacher planted, by kind", _CAUGHT, rows))
    if result.get("variants") and not result.get("filters"):
        rows = [
            _caught(Text(name.replace("/", " · ")), sum(counts["caught"].values()), counts["planted"])
            for name, counts in result["variants"].items()
        ]
        blocks.append(Table("The same by variant: how hard the fault was to see", _CAUGHT, rows))
    dropped = sum(result["dropped_clean"].values())
    wrongly = ", ".join(f"{name} {n:,}" for name, n in largest_first(result["dropped_clean"]))
    words = f"Of {result['clean']:,} clean drafts the filters dropped {dropped:,}"
    blocks.append(Paragraph(words + (f" ({wrongly})." if dropped else ".")))
    return Section("selftest", "Self-test of the filters", blocks)


_CAUGHT = (
    Column("fault"), Column("planted", "number"), Column("caught", "number"), Column("share", "number"),
    Column("", "figure"), Column("missed", "number"),
)  # fmt: skip


def _caught(name: Text, caught: int, planted: int) -> list[Cell]:
    missed = planted - caught
    bar = Bar(percent(caught, planted), 100, "bad" if missed else "good")
    return [
        name,
        Number(f"{planted:,}"),
        Number(f"{caught:,}"),
        Number(share(caught, planted)),
        bar,
        Number(f"{missed:,}"),
    ]


def _by_filter(filters: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Each filter against the faults that are its own, with the interval of its catch rate."""
    rows: list[list[Cell]] = []
    graded: list[list[Cell]] = []
    for entry in filters:
        planted, caught = entry["planted"], entry["caught"]
        rate, low, high = entry["catch_rate"], entry["low"], entry["high"]
        shape: Cell = Text("")
        if rate is not None:
            said = f"catch rate {100 * rate:.0f} %, interval {100 * low:.0f} to {100 * high:.0f} %"
            tone: Tone = "good" if caught == planted else "bad"
            shape = Interval(said, percent(rate, 1), percent(low, 1), percent(high, 1), tone=tone)
        rows.append(
            [
                Text(entry["filter"]),
                Number(f"{planted:,}"),
                Number(f"{caught:,}"),
                Number("–", "no fault of its kind")
                if rate is None
                else Number(f"{100 * rate:.0f} %", f"[{100 * low:.0f}, {100 * high:.0f}]"),
                shape,
                Number(f"{entry['missed']:,}"),
                Number(f"{entry['dropped_clean']:,}", f"of {entry['clean']:,}")
                if entry.get("clean")
                else Number("–"),
            ]
        )
        graded += [
            _caught(Text(f"{entry['filter']} · {grade}"), counts["caught"], counts["planted"])
            for grade, counts in entry["grades"].items()
        ]
    columns = [
        Column("filter"), Column("planted", "number"), Column("caught", "number"),
        Column("catch rate", "number"), Column("", "figure", [(0, "0"), (50, "50 %"), (100, "100 %")]),
        Column("missed", "number"), Column("clean dropped", "number"),
    ]  # fmt: skip
    blocks: list[Block] = [Table("Each filter on the faults that are its own", columns, rows)]
    if graded:
        blocks.append(Table("The same by grade: how hard the fault was to see", _CAUGHT, graded))
    return blocks
