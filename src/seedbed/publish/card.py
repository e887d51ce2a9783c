"""The data card: what a data set is, how it was made and what is known of its worth, as Markdown.

It begins with the front matter that the Hugging Face Hub reads. Every figure is one of the run's own log;
what is not known is said to be unknown.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.core.fate import Accounts
from seedbed.core.verdict import OVER_TARGET, TARGET_FILTER
from seedbed.publish.card_licence import licence_matter, licence_text
from seedbed.publish.card_sources import UNSTATED, real_data
from seedbed.publish.card_worth import mix_choice, proven_worth
from seedbed.publish.judgement_text import compared_words
from seedbed.publish.markdown import bullets, code, quotation, table, words
from seedbed.publish.measures_text import between, figure
from seedbed.publish.report_sections import PRICE_UNKNOWN, amount
from seedbed.publish.text_layout import largest_first, share

Facts = Mapping[str, Any]

NOT_TRAINING_DATA = (
    "> **Rehearsal. This is not training data.** The rehearsal teacher made up these records from the "
    "recipe's own examples, to test the pipeline."
)
_WRITING = ("instruction", "conversation", "preference", "extraction", "math", "code")
_TASK_CATEGORIES = {"classification": "text-classification", "translation": "translation"}
_TASK_CATEGORIES |= dict.fromkeys(_WRITING, "text-generation")
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_LARGEST = "n>10M"
# Exports that `datasets` reads by their name.
_LOADABLE = (".jsonl", ".csv")


def render_card(facts: Facts) -> str:
    """The whole card. `facts` are those of `run.dossier.dossier`.

    Raises AccountsError where the accounts do not add up.
    """
    summary = facts["summary"]
    accounts = Accounts.from_json(summary["accounts"])
    accounts.check()
    parts = [
        front_matter(facts),
        f"# {words(summary['recipe'])}",
        NOT_TRAINING_DATA if summary["rehearsal"] else "",
        _what_it_is(facts, accounts),
        _how_made(facts),
        _filters(facts, accounts),
        _section("Real data behind it", *real_data(facts)),
        _eval(summary["eval"]),
        _accounts(summary, accounts),
        _measures(summary.get("measures")),
        _section("How the mix was chosen", *mix_choice(summary["mix"])),
        _section("What it is worth", *proven_worth(summary["proof"], rehearsal=summary["rehearsal"])),
        _limits(facts, accounts),
        _again(facts),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def size_category(rows: int) -> str:
    return next((name for limit, name in _SIZES if rows < limit), _LARGEST)


def front_matter(facts: Facts) -> str:
    """YAML between `---` lines, by a dumper: no text of the run can add a key or end it."""
    from ruamel.yaml import YAML

    summary = facts["summary"]
    value: dict[str, Any] = {"pretty_name": summary["recipe"], **licence_matter(facts.get("licence"))}
    if summary["task"] in _TASK_CATEGORIES:
        value["task_categories"] = [_TASK_CATEGORIES[summary["task"]]]
    real = facts["real_rows"]["train"] > 0
    value |= {
        "size_categories": [size_category(facts["accepted"])],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "source_datasets": ["extended|other" if real else "original"],
        "tags": ["synthetic", "seedbed", *(["rehearsal"] if summary["rehearsal"] else [])],
    }
    files = [name for name in facts["exports"] if name.endswith(_LOADABLE)]
    if files:
        value["configs"] = [
            {
                "config_name": name.rpartition(".")[0],
                "data_files": [{"split": "train", "path": f"export/{name}"}],
                **({"default": True} if at == 0 else {}),
            }
            for at, name in enumerate(sorted(files, key=lambda name: not name.startswith("jsonl.")))
        ]
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.allow_unicode = True
    stream = io.StringIO()
    yaml.dump(value, stream)
    return f"---\n{stream.getvalue()}---"


def _section(title: str, *parts: str) -> str:
    """Nothing where there is nothing to say."""
    if not any(parts):
        return ""
    return "\n\n".join([f"## {title}", *(part for part in parts if part)])


def _what_it_is(facts: Facts, accounts: Accounts) -> str:
    summary = facts["summary"]
    rows = accounts.drafts.accepted
    fields = ", ".join(
        f"{code(value)} ({words(role)})"
        for role, value in facts["fields"].items()
        if isinstance(value, str) and value
    )
    labels = ", ".join(code(label) for label in facts["labels"])
    return _section(
        "What it is",
        f"{rows:,} generated records for {words(summary['task'])}, accepted of "
        f"{accounts.drafts.total:,} drafts. All of them were written by a model; no real row is among them.",
        quotation(facts["description"]) if facts["description"] else "",
        f"Fields: {fields}." if fields else "",
        f"Labels ({len(facts['labels'])}): {labels}." if labels else "",
        licence_text(facts["licence"], facts["record_licences"]),
    )


def _how_made(facts: Facts) -> str:
    models = [
        [
            words(row["role"]), code(row["model"]), code(row["revision"]) if row["revision"] else "–",
            code(row["endpoint"]), f"{row['drafts']:,}", f"{row['accepted']:,}",
        ]
        for row in facts["models"]
    ]  # fmt: skip
    methods = ", ".join(
        f"{code(row['method'])} ({row['drafts']:,} drafts, {row['accepted']:,} accepted)"
        for row in facts["methods"]
    )
    templates = [
        [code(row["template"]), code(row["hash"]), f"{row['drafts']:,}", f"{row['accepted']:,}"]
        for row in facts["templates"]
    ]
    generation = facts["generation"]
    spread = generation["temperature"] or []
    sampling = (
        f"temperature {', '.join(f'{t:g}' for t in spread)}" if spread else "temperature left to the server"
    )
    depth = ", ".join(f"{d} ({n:,} records)" for d, n in facts["depth"].items())
    return _section(
        "How it was made",
        "The models as the replies named them:" if models else "",
        table(["role", "model", "revision", "endpoint", "drafts", "accepted"], models, left=4)
        if models
        else "No reply was received.",
        f"Method: {methods}. Sampling: {sampling}. Real rows shown as examples in a prompt: up to "
        f"{generation['examples'] or 0}. Generation depth: {depth or '–'}."
        if methods
        else "",
        table(["prompt template", "hash", "drafts", "accepted"], templates, left=2) if templates else "",
        _slots(facts["slots"]),
        *(_role_licence(entry) for entry in facts["licences"]),
    )


def _slots(slots: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, entry in slots.items():
        counts = entry["counts"]
        shown = (
            f"{entry['values']:,} values"
            if counts is None
            else ", ".join(f"{code(value)} {n:,}" for value, n in counts.items())
        )
        rows.append([code(name), f"{entry['values']:,}", shown])
    if not rows:
        return ""
    head = "| slot | values | accepted records by value |\n| --- | ---: | --- |"
    return "\n".join([head, *("| " + " | ".join(row) + " |" for row in rows)])


def _role_licence(entry: Mapping[str, Any]) -> str:
    text = f"Licence of the {words(entry['role'])}: {words(entry.get('licence') or UNSTATED)}"
    verdict = entry.get("verdict")
    if verdict:
        text += f" ({words(verdict)} for {words(entry.get('use') or 'the stated use')})"
    duties = [words(duty) for duty in entry.get("obligations") or ()]
    return text + ("; it obliges to: " + "; ".join(duties) if duties else "") + "."


def _filters(facts: Facts, accounts: Accounts) -> str:
    summary = facts["summary"]
    steps = {step["filter"]: step for step in summary["funnel"]["steps"]}
    checked = {entry["filter"]: entry["checked"] for entry in summary["filters"]}
    rows = []
    for name, step in steps.items():
        if name == TARGET_FILTER:
            continue
        options = facts["filters"].get(name.partition("@")[0]) or {}
        said = ", ".join(f"{words(key)} {code(value)}" for key, value in sorted(options.items()))
        lost = ", ".join(f"{n:,} {code(reason)}" for reason, n in largest_first(step["rejected"]))
        dropped = sum(step["rejected"].values())
        rows.append([code(name), said or "–", lost or "–", f"{checked.get(name, 0):,}", f"{dropped:,}"])
    turned_away = accounts.drafts.rejected[OVER_TARGET]
    return _section(
        "Filters",
        "In the order in which they ran. A rejected draft counts at the first filter that rejects it; all of "
        "them are kept in the run.",
        table(["filter", "options", "why", "checked", "rejected"], rows, left=3)
        if rows
        else "No filter looked at the drafts.",
        f"{turned_away:,} more good drafts were left out because the target was met." if turned_away else "",
        words(compared_words(summary["judged"])),
    )


def _eval(lock: Mapping[str, Any] | None) -> str:
    if lock is None:
        return _section("Locked eval", "None: contamination was not checked, and nothing was proven.")
    openings = [f"{words(o['at'])}: {words(o['purpose'])} by {code(o['by'])}" for o in lock["openings"]]
    counted = f"Opened {len(openings):,} time{'s' * (len(openings) != 1)}:" if openings else "Never opened."
    return _section(
        "Locked eval",
        f"{lock['rows']:,} rows, SHA-256 {code(lock['sha256'])}, compared by "
        f"{', '.join(code(name) for name in lock['compare']) or 'the text'}. A process of its own held its "
        "text and answered only with hits; it reached no model.",
        counted,
        bullets(openings),
    )


def _accounts(summary: Mapping[str, Any], accounts: Accounts) -> str:
    drafts, cells = accounts.drafts, accounts.cells
    lines = [
        (
            f"drafts: {drafts.total:,} = {drafts.accepted:,} accepted + {drafts.rejected.total():,} rejected "
            f"+ {drafts.failed.total():,} failed + {drafts.pending:,} pending"
        ),
        (
            f"cells: {cells.planned:,} = {cells.done:,} done + {cells.failed:,} failed "
            f"+ {cells.pending:,} pending"
        ),
        f"target: {accounts.target:,}; stopped: {words(accounts.stopped or 'not finished')}",
    ]
    rows = [[code(reason), f"{n:,}", share(n, drafts.total)] for reason, n in largest_first(drafts.rejected)]
    failed = ", ".join(f"{code(cause)} {n:,}" for cause, n in largest_first(drafts.failed))
    cost = summary.get("cost")
    used = ""
    if cost:
        money = cost.get("money")
        spent = amount(money["spent"], money) if money else PRICE_UNKNOWN
        per = money.get("per_accepted") if money else None
        used = (
            f"Used: {cost['requests']:,} requests, {cost['prompt_tokens']:,} prompt tokens, "
            f"{cost['completion_tokens']:,} completion tokens; cost: {words(spent)}"
            + (f", {words(amount(per, money))} per accepted record" if money and per is not None else "")
            + "."
        )
    return _section(
        "Accounts",
        bullets(lines),
        table(["rejected for", "drafts", "share"], rows) if rows else "",
        f"Failed for: {failed}." if failed else "",
        used,
    )


def _measures(measures: Mapping[str, Any] | None) -> str:
    if not measures:
        return ""
    rows = [
        [
            words(entry["label"]),
            words(entry["verdict"] or "–"),
            f"{figure(entry['value'])} {between(entry['low'], entry['high'])}".strip(),
            f"{figure(entry['real'])} {between(entry['real_low'], entry['real_high'])}".strip(),
        ]
        for entry in measures["metrics"]
    ]
    sizes = measures["rows"]
    return _section(
        "Measured against the real data",
        f"{sizes['generated']:,} generated rows beside {sizes['real']:,} real ones, in samples of "
        f"{sizes['sample']:,}; embedder: {words(measures['embedder'])}. In brackets the interval.",
        table(["measure", "verdict", "generated", "real"], rows, left=2).replace("[", "\\[") if rows else "",
        bullets([words(note) for note in measures["notes"]]),
    )


def _limits(facts: Facts, accounts: Accounts) -> str:
    summary = facts["summary"]
    lines = [
        "Every record was written by a model, with what that model gets wrong, leaves out and is biased to."
    ]
    if accounts.drafts.accepted < accounts.target:
        lines.append(
            f"The run ended {accounts.target - accounts.drafts.accepted:,} records short of its target."
        )
    short = [
        f"{code(value)} of {code(name)} ({counts['accepted']:,} of {counts['target']:,})"
        for name, values in summary["by_cover"].items()
        for value, counts in values.items()
        if counts["accepted"] < counts["target"]
    ]
    if short:
        lines.append(f"Short of what was asked for: {', '.join(short)}.")
    lines.append("Nobody is recorded as having looked at the records; a filter finds only what it looks for.")
    if summary["rehearsal"]:
        lines.insert(0, "A rehearsal: it is not training data.")
    return _section("Limits", bullets([*lines, *(words(note) for note in summary["notes"])]))


def _again(facts: Facts) -> str:
    summary = facts["summary"]
    versions: Sequence[Mapping[str, Any]] = summary["versions"]
    rows = [
        [str(number), words(version["at"]), words(", ".join(version["changed"]) or "the first")]
        for number, version in enumerate(versions, start=1)
    ]
    parts = [[words(name), code(value)] for name, value in sorted(versions[-1]["parts"].items())]
    return _section(
        "How to reproduce",
        f"Seedbed {words(facts['seedbed'])}, seed {facts['generation']['seed']}. The recipe with every "
        "default is `recipe.lock.yaml` in the run folder, its prompts are in `prompts/`, and the raw replies "
        "in the reply log of the workspace: equal replies give equal records, byte for byte.",
        "```sh\nseedbed run RECIPE\nseedbed export RECIPE --format jsonl"
        + (" --allow-rehearsal" if summary["rehearsal"] else "")
        + "\n```",
        table(["version of the recipe", "since", "what changed"], rows, left=3),
        table(["part in force", "hash"], parts, left=2),
    )
