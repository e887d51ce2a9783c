"""What a loop came to as one HTML file that opens offline, of the same make as a run's report.

Rows of dev stand in it, and no row of the eval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seedbed import __version__
from seedbed.publish.loop_text import (
    arm_of,
    asked_words,
    ends_words,
    gain_words,
    score_words,
)
from seedbed.publish.mix_text import OF_A_REHEARSAL
from seedbed.publish.page_content import (
    Block,
    Bullets,
    Cell,
    Chip,
    Column,
    Curve,
    Interval,
    Number,
    Paragraph,
    Point,
    Scale,
    Section,
    Specimen,
    Specimens,
    Table,
    Text,
    Tile,
    Tone,
)
from seedbed.publish.proof_text import metric_name
from seedbed.publish.report_evidence import proof_section
from seedbed.publish.report_html import as_is, page_file, policy, template
from seedbed.publish.weaknesses_text import error_words, p_words
from seedbed.publish.whole_file import whole_file

LoopValue = Mapping[str, Any]

_TONES: Mapping[str, Tone] = {"better": "good", "worse": "bad", "undecided": "open"}
_TICKS = 4
_TOP, _BOTTOM = 10.0, 88.0
"""Where the plot ends above and below, per cent of its height."""
_LEFT, _RIGHT = 14.0, 92.0


def write_loop_page(value: LoopValue, folder: Path) -> Path:
    """The page of a loop's result as `loop.html` in the folder, whole or not at all. Raises StoreError."""
    path = folder / "loop.html"
    page = render_loop(value)
    with whole_file(path) as out:
        out.write(page)
    return path


def render_loop(value: LoopValue) -> str:
    css = page_file("report.css")
    tone, headline = _headline(value)
    page: str = template("loop.html.j2").render(
        policy=policy(css, ""),
        css=as_is(css),
        version=__version__,
        name=value["recipe"],
        folder=value["folder"],
        stamp=OF_A_REHEARSAL if value["rehearsal"] else "",
        tone=tone,
        headline=headline,
        why=f"Stopped: {ends_words(value)}.",
        tiles=_tiles(value),
        sections=[section for section in _sections(value) if section.blocks],
    )
    return page


def _scored(value: LoopValue) -> list[Mapping[str, Any]]:
    return [each for each in value["rounds"] if each["scored"] is not None]


def _headline(value: LoopValue) -> tuple[Tone, str]:
    scored = _scored(value)
    if not scored:
        return "open", "No round is done yet"
    gains = [each for each in scored if each["gain"] is not None and each["gain"]["verdict"] == "better"]
    rounds = f"{len(scored)} round{'' if len(scored) == 1 else 's'}"
    if gains:
        return "good", f"{rounds}, {len(gains)} of them better than the one before"
    return "plain", rounds


def _tiles(value: LoopValue) -> list[Tile]:
    scored = _scored(value)
    if not scored:
        return []
    first, last = scored[0], scored[-1]
    metric = last["scored"]["metric"]
    mix = arm_of(last)
    score = mix["scores"][metric]
    begun = arm_of(first)["scores"][metric]["value"]
    return [
        Tile(f"{score['value']:.3f}", f"{metric_name(metric)} on dev", f"{begun:.3f} in the first round"),
        Tile(f"{last['scored']['dev_rows']:,}", "dev rows"),
        Tile(f"{mix['real']:,}", "real rows in the mix", "all of them stay from round to round"),
        Tile(
            f"{mix['synthetic']:,}", "generated rows in the mix", f"{last['scored']['accepted']:,} accepted"
        ),
        Tile(f"{len(last['weaknesses']):,}", "weak slices in the last round"),
    ]


def _sections(value: LoopValue) -> Iterator[Section]:
    scored = _scored(value)
    if not scored:
        return
    yield Section("curve", "The score by round", [*_curve(scored), _rounds_table(scored)])
    for each in reversed(scored):
        yield Section(
            f"weak-{each['round']}",
            f"Weak slices in round {each['round']}, and what was asked for",
            [*_weak(each), *_asked(each, value)],
        )
    if value["proof"] is not None:
        yield proof_section({"proof": value["proof"], "rehearsal": value["rehearsal"]})


def _curve(scored: Sequence[Mapping[str, Any]]) -> list[Block]:
    metric = scored[-1]["scored"]["metric"]
    scores = [arm_of(each)["scores"][metric] for each in scored]
    real = _real_only(scored[-1], metric)
    scale = Scale.over([*(s[key] for s in scores for key in ("low", "high")), real])

    def height(figure: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * scale.place(figure) / 100, 3)

    def across(at: int) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (at / (len(scored) - 1) if len(scored) > 1 else 0.5), 3)

    points = [
        Point(across(at), height(s["value"]), height(s["low"]), height(s["high"]), f"round {each['round']}")
        for at, (each, s) in enumerate(zip(scored, scores, strict=True))
    ]
    said = "; ".join(f"round {each['round']} {score_words(arm_of(each), metric)}" for each in scored)
    caption = f"{metric_name(metric)} of the mix on dev rows, with 95 % intervals"
    if real is not None:
        caption += f"; the dashed line is real rows alone, {real:.3f}"
    ticks = [scale.low + (scale.high - scale.low) * (at + 0.5) / _TICKS for at in range(_TICKS)]
    return [
        Curve(
            caption,
            said,
            points,
            [(height(tick), f"{tick:.2f}") for tick in ticks],
            None if real is None else height(real),
        ),
        Paragraph(
            "The dev rows steered the rounds, so that their scores flatter the later ones a little. What the "
            "data is worth is told by the eval, which is opened once, after the last round.",
            "note",
        ),
    ]


def _real_only(this: Mapping[str, Any], metric: str) -> float | None:
    scores = arm_of(this, "real_only")["scores"]
    return None if scores is None else float(scores[metric]["value"])


def _rounds_table(scored: Sequence[Mapping[str, Any]]) -> Table:
    rows: list[Sequence[Cell]] = []
    for each in scored:
        mix, metric = arm_of(each), each["scored"]["metric"]
        score = mix["scores"][metric]
        gain = each["gain"]
        tone: Tone = "plain" if gain is None else _TONES.get(gain["verdict"], "plain")
        interval = (
            "" if gain is None else f"[{gain['difference']['low']:+.3f}, {gain['difference']['high']:+.3f}]"
        )
        rows.append(
            [
                Text(str(each["round"])),
                Number(f"{each['targets']['target']:,}"),
                Number(f"{each['scored']['accepted']:,}"),
                Number(f"{mix['real']:,}"),
                Number(f"{mix['synthetic']:,}"),
                Number(f"{score['value']:.3f}", f"[{score['low']:.3f}, {score['high']:.3f}]"),
                Chip(gain_words(each), tone),
                Text(interval),
            ]
        )
    columns = [
        Column("round"),
        *(Column(name, "number") for name in ("target", "accepted", "real", "generated", "dev score")),
        Column("gain over the round before"),
        Column("interval"),
    ]
    return Table("What each round had and came to", columns, rows)


def _weak(this: Mapping[str, Any]) -> list[Block]:
    weak = this["weaknesses"]
    if not weak:
        return [Paragraph("No slice has an error above the rest that chance would not give too.")]
    scale = Scale(0.0, 1.0)
    rows: list[Sequence[Cell]] = [
        [
            Text(each["name"], each["kind"]),
            Number(f"{each['errors']:,} of {each['rows']:,}"),
            Number(f"{100 * each['error']['value']:.0f} %"),
            Interval(
                f"error rate {error_words(each)}, the rest {100 * each['rest']:.0f} %",
                scale.place(each["error"]["value"]),
                scale.place(each["error"]["low"]),
                scale.place(each["error"]["high"]),
                mark=scale.place(each["rest"]),
                tone="bad",
            ),
            Number(f"{100 * each['rest']:.0f} %"),
            Number(p_words(each)),
        ]
        for each in weak
    ]
    columns = [
        Column("slice"),
        Column("errors", "number"),
        Column("rate", "number"),
        Column("", "figure", [(0.0, "0"), (50.0, "50 %"), (100.0, "100 %")]),
        Column("the rest", "number"),
        Column("p", "number"),
    ]
    caption = "Dev rows in which the student errs more than in all others (Fisher's exact test, corrected)"
    shown = [
        Specimens(
            each["name"],
            f"{len(each['examples']):,} of {each['errors']:,} errors",
            "bad",
            [
                Specimen(row["id"], [("text", row["text"]), ("answer", row["answer"]), ("told", row["told"])])
                for row in each["examples"]
            ],
        )
        for each in weak
    ]
    return [Table(caption, columns, rows), *shown]


def _asked(this: Mapping[str, Any], value: LoopValue) -> list[Block]:
    asked, last = this["next"], this["round"] == len(value["rounds"])
    more = asked["target"] - this["targets"]["target"]
    who = "A further round would ask" if last else f"Round {this['round'] + 1} asked"
    words = f"{who} for {more:,} records more, {asked['target']:,} in all:"
    return [Paragraph(words), Bullets(asked_words(asked))] if asked_words(asked) else [Paragraph(words)]
