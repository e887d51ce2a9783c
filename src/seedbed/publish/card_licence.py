"""The licence on a data card: what the recipe says, and nothing that nobody said.

Neither the licence of a teacher's weights nor that of the real rows is that of the records: whoever
publishes them says under which terms. So without the recipe's word it stays `unknown`, and the card says
what to fill in, and which terms stand behind the records.
"""

from __future__ import annotations

from collections.abc import Mapping

from seedbed.publish.markdown import code

UNKNOWN, OTHER = "unknown", "other"

# The words of the Hub that data sets use for `license`; any other becomes `other` with a name.
_OF_THE_HUB = frozenset(
    {
        "apache-2.0", "bsd-2-clause", "bsd-3-clause", "cc", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0",
        "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0",
        "cc-by-sa-4.0", "cc0-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0",
        "gfdl", "gpl-3.0", "lgpl-3.0", "mit", "mpl-2.0", "odbl", "odc-by", "pddl", "unlicense",
    }
)  # fmt: skip


def licence_matter(licence: str | None) -> dict[str, str]:
    """The keys of the front matter that say it."""
    if licence is None:
        return {"license": UNKNOWN}
    if (word := licence.strip().lower()) in _OF_THE_HUB:
        return {"license": word}
    return {"license": OTHER, "license_name": licence}


def licence_text(licence: str | None, behind: Mapping[str, int]) -> str:
    """The paragraph for people. `behind` counts the accepted records by the licences behind them."""
    said = (
        f"Licence of this data set: {code(licence)}, as the recipe says."
        if licence is not None
        else "Licence of this data set: not stated by the recipe. Whoever publishes it writes `licence:` "
        "into the recipe and runs it again, which asks nothing anew, or fills in `license` above."
    )
    if not behind:
        return said
    counted = "; ".join(
        f"{code(name)}, {count:,} records" if name else f"none stated, {count:,} records"
        for name, count in sorted(behind.items(), key=lambda item: (-item[1], item[0]))
    )
    return f"{said} Licences of the models and real rows behind the records: {counted}."
