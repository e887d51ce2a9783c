"""The next recipe: what weaknesses on the dev rows ask for, as keys that are laid over the present one.

Only labels, lengths and words that are typical of train rows go into it. No text of a dev row does: what is
asked for here stands in prompts.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedbed.recipe import CoverEntry, EdgeCase
from seedbed.recipe.cover import contradictions
from seedbed.stats.apportion import apportion
from seedbed.student.examine import Examined
from seedbed.student.slices import LEAST_ROWS
from seedbed.student.weaknesses import Weakness

MOST_CASES = 6
_CASES_SHARE = 2
"""Where labels share out the step, one record in so many of it is to be of an edge case."""
_LONGEST_NAME = 64
_MARK = 6


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a recipe wants so far: counts by cover field that sum to the target, and its own keys."""

    target: int
    by_field: Mapping[str, Mapping[str, int]]
    cover: Mapping[str, CoverEntry]
    edge_cases: tuple[EdgeCase, ...] = ()
    takes_cases: bool = True
    """Whether its methods and templates can be asked for an edge case."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What the next run shall want. `increases` are by label, `asked` the edge cases that are new or more.

    `notes` say what was found and is not asked for.
    """

    target: int
    cover: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    edge_cases: tuple[EdgeCase, ...] = ()
    increases: Mapping[str, int] = field(default_factory=dict)
    asked: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def overrides(self) -> tuple[str, ...]:
        """The same as `--set` says it. JSON is YAML, and a label may hold what a key path cannot."""
        said = [f"generate.target={self.target}"]
        said += [f"generate.cover.{name}={json.dumps(counts)}" for name, counts in self.cover.items()]
        if self.edge_cases:
            said.append(f"generate.edge_cases={json.dumps(self._cases())}")
        return tuple(said)

    def to_yaml(
        self, extends: str, heading: Sequence[str] = (), more: Mapping[str, Any] | None = None
    ) -> str:
        """A recipe that takes all other keys from the one it extends, but for those in `more`.

        The targets are laid over these. `heading` stands above as comments.
        """
        from ruamel.yaml import YAML

        more = dict(more or {})
        generate: dict[str, Any] = {"target": self.target} | (more.pop("generate", None) or {})
        generate["target"] = self.target
        if self.cover:
            cover = {name: dict(counts) for name, counts in self.cover.items()}
            generate["cover"] = (generate.get("cover") or {}) | cover
        if self.edge_cases:
            generate["edge_cases"] = self._cases()
        yaml: Any = YAML(typ="safe", pure=True)
        yaml.default_flow_style = False
        yaml.sort_base_mapping_type_on_output = False
        yaml.allow_unicode = True
        stream = io.StringIO()
        yaml.dump({"extends": extends, "generate": generate, **more}, stream)
        comments = (" ".join(line.split()) for line in heading)
        return "".join(f"# {line}\n" for line in comments) + stream.getvalue()

    def _cases(self) -> list[dict[str, Any]]:
        return [case.model_dump() for case in self.edge_cases]

    def to_json(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "cover": {name: dict(counts) for name, counts in self.cover.items()},
            "edge_cases": self._cases(),
            "increases": dict(self.increases),
            "asked": dict(self.asked),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Targets:
        cases = tuple(EdgeCase(**case) for case in value["edge_cases"])
        return cls(**{**value, "edge_cases": cases, "notes": tuple(value["notes"])})


def label_errors(examined: Examined, arm: str, labels: Sequence[str]) -> dict[str, float]:
    """The error rate of each label on the dev rows, 0..1, the weakest first.

    A label with fewer than five of them counts with the mean of the others: one wrong row of one would be the
    weakest of all. {} for a task without labels.
    """
    classes = examined.per_class(arm)
    known = {
        label: 1.0 - classes[label]["recall"]
        for label in labels
        if label in classes and classes[label]["support"] >= LEAST_ROWS
    }
    mean = sum(known.values()) / len(known) if known else 0.0
    errors = {label: known.get(label, mean) for label in labels}
    return dict(sorted(errors.items(), key=lambda item: (-item[1], item[0])))


def targets_of(
    weaknesses: Sequence[Weakness],
    wanted: Wanted,
    step: int,
    *,
    label_field: str | None = None,
    errors: Mapping[str, float] | None = None,
) -> Targets:
    """`step` records more than are wanted so far, shared out by what the student gets wrong.

    Labels share them out in proportion to their `errors` (see `label_errors`), so that the weakest gets the
    largest increase. Confusions, clusters and length bands become edge cases: half of the step is to be of
    some, or all of it where the task has no labels. Raises ValueError for a step below 1.
    """
    if step < 1:
        raise ValueError(f"a step is at least one record, not {step}")
    target = wanted.target + step
    increases = apportion(errors, step) if label_field is not None and errors else {}
    cover: dict[str, dict[str, int]] = {}
    for name, counts in wanted.by_field.items():
        if name == label_field and increases:
            cover[name] = {label: count + increases.get(label, 0) for label, count in counts.items()}
        elif name in wanted.cover and contradictions(wanted.cover[name], list(counts), target):
            # Counts that were given by hand: the step goes to them in proportion.
            more = apportion(counts, step)
            cover[name] = {value: count + more[value] for value, count in counts.items()}
    cases, asked, notes = _cases(weaknesses, wanted, step // _CASES_SHARE if increases else step)
    return Targets(
        target,
        cover,
        cases,
        {label: increase for label, increase in increases.items() if increase},
        asked,
        tuple(notes),
    )


def _cases(
    weaknesses: Sequence[Weakness], wanted: Wanted, records: int
) -> tuple[tuple[EdgeCase, ...], dict[str, int], list[str]]:
    """All edge cases with those that weaknesses ask for, what is new of each, and what cannot be asked."""
    found = {each.name: (ask, each) for each in weaknesses if (ask := ask_for(each)) is not None}
    notes = [
        f"{each.kind} {each.name} is weak, and no key of a recipe asks for more of it"
        for each in weaknesses
        if each.kind in ("field", "slot")
    ]
    if found and not wanted.takes_cases:
        notes.append(
            f"not asked for: {', '.join(found)}; the recipe's templates or methods take no edge case (write "
            "{{ edge_case }} into each template)"
        )
        found = {}
    chosen = dict(list(found.items())[:MOST_CASES])
    if not chosen or not records:
        return wanted.edge_cases, {}, notes
    counts = apportion({name: float(each.errors) for name, (_, each) in chosen.items()}, records)
    cases = {case.name: case for case in wanted.edge_cases}
    asked: dict[str, int] = {}
    for name, count in counts.items():
        if not count:
            continue
        ask, each = chosen[name]
        slug = _slug(f"{each.kind}-{name}")
        if slug in cases and cases[slug].ask != ask:  # two names that differ in what a slug leaves out
            slug = _marked(slug, name)
        before = cases[slug].count if slug in cases else 0
        cases[slug] = EdgeCase(name=slug, ask=ask, count=before + count)
        asked[slug] = count
    return tuple(cases.values()), asked, notes


def ask_for(weakness: Weakness) -> str | None:
    """What the prompt says to get more of a slice; None where something else than an edge case does."""
    about = weakness.about
    match weakness.kind:
        case "confusion":
            told = about["told"]
            return f"comes as close to what is labelled '{told}' as it can, and is plainly of its own label"
        case "cluster":
            return "is about what these words tell of: " + ", ".join(weakness.words)
        case "length":
            least, most = about["least"], about["most"]
            if most is None:
                return f"is at least {least} words long"
            return f"is at most {most} words long" if not least else f"is {least} to {most} words long"
    return None


def _slug(name: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")
    return slug if name.isascii() and len(slug) <= _LONGEST_NAME else _marked(slug, name)


def _marked(slug: str, name: str) -> str:
    """The slug with a mark of the whole name, for what it leaves out."""
    mark = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=_MARK // 2).hexdigest()
    return f"{slug[: _LONGEST_NAME - _MARK - 1].rstrip('-_')}-{mark}"
