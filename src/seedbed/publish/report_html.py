"""The report as one HTML file that opens offline: no request leaves it, and nothing from data acts in it.

The page is whole without a script: tables and figures are HTML and SVG. Where Altair is installed,
`charts` adds interactive ones. A content security policy names the one style sheet and the one
script by their hashes and forbids all else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from seedbed import __version__
from seedbed.core.fate import Accounts
from seedbed.publish.charts import as_json, available, bundle, charts_of
from seedbed.publish.page_content import Chart, Section, visible
from seedbed.publish.report_drafts import specimens_section
from seedbed.publish.report_evidence import measures_section, proof_section, self_test_section
from seedbed.publish.report_judges import judged_section
from seedbed.publish.report_mix import mix_section
from seedbed.publish.report_sections import (
    cost_section,
    coverage_section,
    eval_section,
    funnel_section,
    next_section,
    notes_section,
    outcome,
    reasons_section,
    rounds_section,
    versions_section,
)
from seedbed.publish.whole_file import whole_file

Summary = Mapping[str, Any]


_LONGEST_PART = 24
HOW_TO_CHARTS = "For interactive charts: pip install 'seedbed[report]', then seedbed report."


def write_html(summary: Summary, path: Path, *, charts: bool = False) -> None:
    """The page at `path`, whole or not at all; with `charts` also interactive ones, if they can be drawn.

    Raises StoreError where it cannot be written.
    """
    page = render_html(summary, charts=charts)
    with whole_file(path) as file:
        file.write(page)


def render_html(summary: Summary, *, charts: bool = False) -> str:
    """The page as text. Raises AccountsError where the accounts do not add up.

    Charts cost some three seconds and 0.9 MB; without the extra `report` the page says how to get it.
    """
    accounts = Accounts.from_json(summary["accounts"])
    accounts.check()
    css = page_file("report.css")
    drawn = charts_of(summary) if charts and available() else {}
    every = [chart for section in drawn.values() for chart in section]
    script = bundle(page_file("charts.js")) if every else ""
    shown = [_with_charts(section, drawn) for section in sections(summary, accounts) if section.blocks]
    page: str = template("report.html.j2").render(
        policy=policy(css, script),
        css=as_is(css),
        version=__version__,
        recipe=summary["recipe"],
        task=summary["task"],
        run=summary["run"],
        outcome=outcome(summary, accounts),
        sections=shown,
        script=as_is(script),
        charts=as_is(as_json(every)),
        how_to_charts="" if available() else HOW_TO_CHARTS,
    )
    return page


def sections(summary: Summary, accounts: Accounts) -> Sequence[Section]:
    """Every section, in the order in which a reader asks: one without blocks has nothing to say."""
    return (
        funnel_section(summary, accounts),
        reasons_section(summary, accounts),
        judged_section(summary),
        cost_section(summary, accounts),
        coverage_section(summary),
        measures_section(summary),
        mix_section(summary),
        proof_section(summary),
        self_test_section(summary),
        rounds_section(summary),
        eval_section(summary),
        specimens_section(summary, accounts),
        versions_section(summary),
        notes_section(summary),
        next_section(summary, accounts),
    )


def _with_charts(section: Section, drawn: Mapping[str, Sequence[Chart]]) -> Section:
    """Charts stand between the opening words and the tables that say the same in figures."""
    blocks = list(section.blocks)
    words = next((at for at, block in enumerate(blocks) if block.kind != "paragraph"), len(blocks))
    return Section(section.id, section.title, [*blocks[:words], *drawn.get(section.id, ()), *blocks[words:]])


def policy(css: str, script: str) -> str:
    """Nothing is loaded, and what is in the page acts only if it has one of these hashes."""
    scripts = f"script-src '{_hash(script)}'; " if script else ""
    return f"default-src 'none'; style-src '{_hash(css)}'; {scripts}base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def page_file(name: str) -> str:
    return (resources.files("seedbed.publish") / "page_files" / name).read_text(encoding="utf-8")


def as_is(text: str) -> Any:
    """Text of ours that stands in the page unescaped: a style sheet or a script that ships with Seedbed."""
    from markupsafe import Markup

    return Markup(text)


def _breakable(text: object) -> Any:
    """A name that may be broken where its parts meet, but not before its version (`length@1`), and within a
    part that is very long; words have their spaces."""
    from markupsafe import Markup

    parts = [
        part[at : at + _LONGEST_PART]
        for part in re.split(r"(?<=[_/.:-])(?=\w)|(?<=@)(?=[^\W\d])|(?<=\s)", visible(text))
        for at in range(0, len(part), _LONGEST_PART)
    ]
    return Markup("<wbr>").join(parts)


@cache
def template(name: str) -> Any:
    """A page, with the macros that draw blocks."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"visible": visible, "breakable": _breakable}
    return environment.from_string(page_file("blocks.html.j2") + page_file(name))
