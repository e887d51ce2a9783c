"""The report as one HTML file that opens offline: no request leaves it, and nothing from data acts in it.

The page is whole without a script: tables and figures are HTML and SVG. Where Altair is installed,
`charts` adds interactive ones. A content security policy names the one style sheet and the one
script by their hashes and forbids all else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from seedbed import __version__
from seedbed.core.fate import Accounts
from seedbed.publish.page_content import Section, visible
from seedbed.publish.report_evidence import measures_section, proof_section, self_test_section
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
    specimens_section,
    versions_section,
)
from seedbed.publish.whole_file import whole_file

Summary = Mapping[str, Any]


def write_html(summary: Summary, path: Path) -> None:
    """The page at `path`, whole or not at all. Raises StoreError where it cannot be written."""
    page = render_html(summary)
    with whole_file(path) as file:
        file.write(page)


def render_html(summary: Summary) -> str:
    """The page as text. Raises AccountsError where the accounts do not add up."""
    accounts = Accounts.from_json(summary["accounts"])
    accounts.check()
    css = _file("report.css")
    page: str = _template().render(
        policy=_policy(css),
        css=_as_is(css),
        version=__version__,
        recipe=summary["recipe"],
        task=summary["task"],
        run=summary["run"],
        outcome=outcome(summary, accounts),
        sections=[section for section in sections(summary, accounts) if section.blocks],
        script=None,
        charts=None,
        how_to_charts="",
    )
    return page


def sections(summary: Summary, accounts: Accounts) -> Sequence[Section]:
    """Every section, in the order in which a reader asks: one without blocks has nothing to say."""
    return (
        funnel_section(summary, accounts),
        reasons_section(summary, accounts),
        cost_section(summary, accounts),
        coverage_section(summary),
        measures_section(summary),
        proof_section(summary),
        self_test_section(summary),
        rounds_section(summary),
        eval_section(summary),
        specimens_section(summary, accounts),
        versions_section(summary),
        notes_section(summary),
        next_section(summary, accounts),
    )


def _policy(css: str) -> str:
    """Nothing is loaded, and what is in the page acts only if it has this hash."""
    return f"default-src 'none'; style-src '{_hash(css)}'; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _file(name: str) -> str:
    return (resources.files("seedbed.publish") / "page_files" / name).read_text(encoding="utf-8")


def _as_is(text: str) -> Any:
    """Text of ours that stands in the page unescaped: a style sheet or a script that ships with Seedbed."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704


@cache
def _template() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["visible"] = visible
    return environment.from_string(_file("report.html.j2"))
