"""A search for a mix, and what filters, methods or templates were worth, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.publish.proof_text import metric_name, signed
from seedbed.publish.text_layout import bullet, figure, heading, paragraph, table

OF_A_REHEARSAL = "Of a rehearsal these figures show that it works, and nothing about any teacher."

SIGNS: Mapping[str, str] = {
    "better": "▲",
    "worse": "▼",
    "undecided": "?",
    "no_material_difference": "=",
}
LEGEND = "▲ better, ▼ worse, = no material difference, ? undecided"


def mix_sections(mix: Mapping[str, Any], *, rehearsal: bool = False) -> list[str]:
    """What a run knows of its mix: the search and the ablations that were made of its present records."""
    found = [search_text(mix["search"], rehearsal=rehearsal)] if mix["search"] else []
    return found + [ablation_text(each, rehearsal=rehearsal) for _, each in sorted(mix["ablations"].items())]


def search_text(result: Mapping[str, Any], *, rehearsal: bool = False) -> str:
    """`result` is that of `student.search.search`."""
    metric = metric_name(result["metric"])
    kept = {
        "total": "All arms have one size: generated rows stand in for real ones.",
        "real": "Every real row is in each mix, and generated ones are added.",
    }[result["fixed"]]
    setting = (
        f"{tried_words(result)}: {metric}, each share learnt from {result['seeds']} times; in brackets the "
        f"95 % interval over rows and times. {kept} {LEGEND}; * is {prior_words(result)}. The eval stayed "
        "closed."
    )
    if rehearsal:
        setting += " " + OF_A_REHEARSAL
    rows = [_row(arm, result) for arm in result["arms"]]
    slices = [line for arm in result["arms"] for line in _slices(arm, result)]
    slices += [f"{arm['name']}: {arm['note']}" for arm in result["arms"] if arm["note"]]
    left_out = [f"share {share}: {why}" for share, why in result["left_out"].items()]
    parts = [
        heading("Which mix") + "\n" + paragraph(setting),
        table(["arm", "real", "synth.", metric, "to real only", "to *"], rows),
        "\n".join(map(bullet, [*_rungs(result), *slices, *left_out, *result["problems"]])),
        paragraph(decision_words(result)),
    ]
    return "\n\n".join(part for part in parts if part)


def tried_words(result: Mapping[str, Any]) -> str:
    """Which student tried a mix, and on what."""
    where = f"{result['dev_rows']:,} dev rows" if result["dev_rows"] else "what its trainer reports on dev"
    return f"Student {result['student']['name']}, {where}"


def prior_words(result: Mapping[str, Any]) -> str:
    """What the share is to the recipe that a search began with."""
    return "the share that the recipe had" if result.get("taken") else "the recipe's share"


def _row(arm: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    score = arm["score"]
    mark = " *" if arm["share"] == result["prior"] else ""
    return [
        arm["name"] + mark,
        f"{arm['real']:,}",
        f"{arm['synthetic']:,}",
        f"{figure(score['value'])} [{figure(score['low'])}, {figure(score['high'])}]",
        gap_words(arm["against_real"]),
        gap_words(arm["against_prior"]),
    ]


def gap_words(difference: Mapping[str, Any] | None) -> str:
    """A difference with the sign of what it shows; a dash where there is none."""
    if difference is None:
        return "–"
    return f"{signed(difference['difference']['value'])} {SIGNS[difference['verdict']]}"


def _rungs(result: Mapping[str, Any]) -> list[str]:
    return [
        f"on {rung['rows']:,} rows: "
        + ", ".join(f"{share} has {figure(score)}" for share, score in rung["scores"].items())
        for rung in result["rungs"]
    ]


def _slices(arm: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """How an arm does in the critical slices beside real rows alone, in one line."""
    if not arm["slices"]:
        return []
    words = {
        "held": "holds",
        "unproven": "too few rows to tell",
        "broken": f"falls by more than {result['tolerance']:g}",
    }
    found = [
        f"{name} {signed(each['difference']['value']) if each['difference'] else '–'} "
        f"({each['rows']:,} rows: {words[each['status']]})"
        for name, each in arm["slices"].items()
    ]
    return [f"{arm['name']}, critical slices to real only: {', '.join(found)}"]


def decision_words(result: Mapping[str, Any]) -> str:
    """What to train on, and why; of a share that was `taken` since, what it was taken over."""
    chosen, prior, lead = (result[name] for name in ("chosen", "prior", "lead"))
    taken = result.get("taken", False)
    recipes = f"the recipe's {'earlier ' if taken else ''}{_share(prior, article='')}"
    gap = figures = ""
    if lead:
        of = [recipes if result[name] == prior else _share(result[name]) for name in ("leader", "against")]
        figures = f"{signed(lead['value'])} [{signed(lead['low'])}, {signed(lead['high'])}]"
        gap = f"{of[0]} has {figures} to {of[1]}"
    match result["decision"]:
        case "better" if taken:
            return f"The recipe took {_share(chosen)}: {figures} to {recipes}."
        case "better":
            return f"Take {_share(chosen)}: {figures} to {recipes}. {_line(chosen)}"
        case "best_already":
            return f"Keep {recipes}: {gap or 'nothing else could be tried'}."
        case "no_material_gain":
            return f"No material gain, keeping the prior: {gap}, which is not worth acting on."
        case "constrained":
            why = "falls by more than the tolerance in a critical slice"
            if chosen == prior:
                return f"{recipes.capitalize()} {why}, and no other share of those tried does better."
            if taken:
                return f"The recipe took {_share(chosen)}: {recipes} {why}."
            return f"Take {_share(chosen)}: {recipes} {why}. {_line(chosen)}"
        case _:
            rows = result["rows_to_decide"]
            decides = (
                f"About {rows:,} dev rows would decide, if the difference is what it seems; there are "
                f"{result['dev_rows']:,}."
                if rows
                else "More times would tell more."
            )
            return f"Undecided, keeping the prior: {gap}. {decides}"


def _line(share: float) -> str:
    return f"Write mix: {{synthetic: {share:g}}}."


def _share(share: float, article: str = "a ") -> str:
    words = {0.0: "real rows alone (0)", 1.0: "generated rows alone (1)"}
    return words.get(share, f"{article}share of {share:g}")


def ablation_text(result: Mapping[str, Any], *, rehearsal: bool = False) -> str:
    """`result` is that of `student.ablation.ablate`, with the `part` that was taken out."""
    metric, base, rows = metric_name(result["metric"]), result["base"], result["rows"]
    how = {
        "filters": "the drafts that it turned away are among those that the mix may draw from",
        "methods": "the mix draws from the records of the other methods",
        "templates": "the mix draws from the records of the other templates",
    }[result["part"]]
    score = base["score"]
    setting = (
        f"{tried_words(result)}: the recipe's mix of {rows['real']:,} real and {rows['synthetic']:,} "
        f"generated rows has {metric} {figure(score['value'])} [{figure(score['low'])}, "
        f"{figure(score['high'])}], learnt from {result['seeds']} times. Without one of the "
        f"{result['part']}, {how}; all sets are of one size. "
        f"What it was worth is how much better the mix is with it: {LEGEND}."
    )
    if rehearsal:
        setting += " " + OF_A_REHEARSAL
    table_rows = [_worth(name, found) for name, found in largest_worth(result["without"])]
    notes = [f"{name}: {why}" for name, why in result["left_out"].items()] + list(result["problems"])
    parts = [
        heading(f"What the {result['part']} were worth") + "\n" + paragraph(setting),
        table(["without", "drawn from", metric, "worth", "rows to decide"], table_rows),
        "\n".join(map(bullet, notes)),
    ]
    return "\n\n".join(part for part in parts if part)


def largest_worth(without: Mapping[str, Any]) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """What was taken out, the most missed first."""
    return sorted(without.items(), key=lambda item: (-item[1]["worth"]["difference"]["value"], item[0]))


def _worth(name: str, found: Mapping[str, Any]) -> list[str]:
    worth = found["worth"]
    gap = worth["difference"]
    rows = worth["rows_to_decide"]
    return [
        name,
        f"{found['pool']:,}",
        figure(found["score"]["value"]),
        f"{signed(gap['value'])} [{signed(gap['low'])}, {signed(gap['high'])}] {SIGNS[worth['verdict']]}",
        f"{rows:,}" if rows else "–",
    ]
