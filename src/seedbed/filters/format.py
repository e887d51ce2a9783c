"""`format`: a text has the shape that was asked for, and none of a reply's wrapping is left on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from seedbed.core.field_text import texts_in
from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters import format_cues as cues
from seedbed.filters.linear_patterns import problem_with, stands_in, whole
from seedbed.filters.subject import FilterOptions, excerpt, filter_id, no_text_fields, reject
from seedbed.text.normalise import holds_any, units

Sign: TypeAlias = Literal[
    "preamble", "sign_off", "fence", "placeholder", "control_token", "boilerplate", "prompt_leak", "markdown"
]
SIGNS: tuple[Sign, ...] = (
    "preamble",
    "sign_off",
    "fence",
    "placeholder",
    "control_token",
    "boilerplate",
    "prompt_leak",
    "markdown",
)

PROMPT_RUN = 10
MISSED_REAL = 0.005
CALIBRATION_ROWS = 2000
ENOUGH_REAL = 50

_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_FEWEST_BULLETS = 2


def _linear(pattern: str) -> str:
    if problem := problem_with(pattern):
        raise ValueError(problem)
    return pattern


class FieldRules(BaseModel):
    """What the text of one field must look like."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: Annotated[str, AfterValidator(_linear)] | None = Field(
        None, description="regular expression that the whole text must match"
    )
    max_lines: int | None = Field(None, ge=1, strict=True, description="lines that a text may have at most")
    markdown: bool | None = Field(None, strict=True, description="whether Markdown may stand in it")
    capital: bool | None = Field(
        None, strict=True, description="whether its first letter is a capital one (true) or is not (false)"
    )
    ends_with: str | None = Field(None, min_length=1, description="characters of which one ends every text")


class Format:
    """Rules of the recipe for single fields, and signs that a reply was taken over with its wrapping.

    The signs are looked for in every text field: `preamble` ("Here is the message:"), `sign_off` ("Let
    me know if you want another version"), `fence` (a Markdown fence around the text, or half of one),
    `placeholder` (`[Your Name]`, `{{ slot }}`), `control_token` (`<|im_end|>`), `boilerplate` ("as an
    AI language model"), `prompt_leak` (ten words in a row of a template or of the task's description)
    and `markdown` (headings, bold, tables, links, lists). They are calibrated: a sign that more than 1
    in 200 of the real train rows carry in a field (and more than one of them) is how that field looks,
    and is not looked for there; `markdown` is looked for only with 50 real rows that show it is rare.
    """

    name: ClassVar = "format"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        fields: Mapping[str, FieldRules] = Field(
            default_factory=dict, description="field -> what its text must look like"
        )
        allow: tuple[Sign, ...] = Field((), description="signs of a reply's wrapping that are let through")

    def __init__(
        self,
        rules: Mapping[str, FieldRules],
        signs: Mapping[str, Sequence[Sign]],
        prompt_runs: frozenset[str],
    ) -> None:
        """`signs` are those looked for, by field; `prompt_runs` what no text may repeat."""
        self._rules = dict(rules)
        self.signs = {name: tuple(found) for name, found in signs.items()}
        self._prompt_runs = prompt_runs

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Format:
        runs = frozenset(run for prompt in context.prompts for run in _literal_runs(prompt))
        wanted = [sign for sign in SIGNS if sign not in options.allow]
        signs = {}
        for name in context.task.text_fields:
            real, rules = _real_texts(context, name), options.fields.get(name, FieldRules())
            usual = {sign for sign in wanted if _is_usual(sign, real, runs)}
            if rules.markdown is not None:  # what the recipe says of it is not left to the real rows
                usual = usual - {"markdown"} if not rules.markdown else usual | {"markdown"}
            signs[name] = [sign for sign in wanted if sign not in usual]
        return cls(options.fields, signs, runs)

    @staticmethod
    def problems(options: Options, task: Task) -> list[tuple[tuple[str, ...], str]]:
        """(path of the key, message) of each rule for what is no text field of the task."""
        return [(("fields", name), said) for name, said in no_text_fields(options.fields, task)]

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict | None:
        for name, signs in self.signs.items():
            for text in texts_in(record.fields.get(name)):
                found = self._sign(text, signs) or _broken_rule(text, self._rules.get(name))
                if found is not None:
                    reason, evidence = found
                    by = filter_id(type(self))
                    return reject(record, by, f"format_{reason}", {"field": name, **evidence})
        return None

    def _sign(self, text: str, signs: Iterable[Sign]) -> tuple[str, dict[str, Any]] | None:
        for sign in signs:
            if (piece := _found(sign, text, self._prompt_runs)) is not None:
                return sign, {"found": excerpt(piece)}
        return None


def _broken_rule(text: str, rules: FieldRules | None) -> tuple[str, dict[str, Any]] | None:
    """(slug, evidence) of the first rule that a text breaks."""
    if rules is None:
        return None
    if rules.pattern is not None and not stands_in(whole(rules.pattern), text):
        return "pattern", {"pattern": rules.pattern}
    lines = len(text.strip().splitlines())
    if rules.max_lines is not None and lines > rules.max_lines:
        return "lines", {"lines": lines, "max_lines": rules.max_lines}
    first = next((char for char in text if char.isalpha()), "")
    # A script without capitals has neither kind of letter.
    if rules.capital is not None and first and (first.islower() if rules.capital else first.isupper()):
        return "start", {"first": excerpt(first), "capital": rules.capital}
    last = text.rstrip()[-1:]
    if rules.ends_with is not None and (not last or last not in rules.ends_with):
        return "end", {"last": excerpt(last), "ends_with": rules.ends_with}
    return None


def _found(sign: Sign, text: str, prompt_runs: frozenset[str]) -> str | None:
    """The piece of the text that carries the sign."""
    if sign == "prompt_leak":
        return _prompt_leak(text, prompt_runs)
    return _LOOK[sign](text)


def _preamble(text: str) -> str | None:
    match = cues.PREAMBLE.search(_plain(text.lstrip()[: cues.HEAD_CHARS]))
    return match.group().strip() if match else None


def _sign_off(text: str) -> str | None:
    tail = _plain(text.rstrip()[-cues.TAIL_CHARS :])
    match = cues.SIGN_OFF.search(tail) if holds_any(tail, cues.SIGN_OFF_PARTS) else None
    return match.group().strip() if match else None


def _fence(text: str) -> str | None:
    if "```" not in text and "~~~" not in text:
        return None
    if cues.WHOLE_FENCE.match(text):
        return text.strip()[:20]
    half = len(cues.FENCE_LINE.findall(text)) % 2 == 1
    return "```" if half else None


def _placeholder(text: str) -> str | None:
    if not holds_any(text, ("[", "{", "<")):
        return None
    match = cues.PLACEHOLDER.search(text) or cues.CAPITALS.search(text)
    return match.group() if match else None


def _control_token(text: str) -> str | None:
    match = cues.CONTROL_TOKEN.search(text) if holds_any(text, ("<", "[")) else None
    return match.group() if match else None


def _boilerplate(text: str) -> str | None:
    plain = _plain(text)
    match = cues.BOILERPLATE.search(plain) if holds_any(plain, cues.BOILERPLATE_PARTS) else None
    return match.group() if match else None


def _markdown(text: str) -> str | None:
    if holds_any(text, ("#", "**", "](http", "|", "```", "~~~", "> ")) and (
        match := cues.MARKDOWN.search(text)
    ):
        return match.group()
    bullets = cues.BULLET.findall(text) if holds_any(text, ("-", "*", "+", "•")) else []
    return bullets[0] if len(bullets) >= _FEWEST_BULLETS else None


_LOOK: Mapping[Sign, Callable[[str], str | None]] = {
    "preamble": _preamble,
    "sign_off": _sign_off,
    "fence": _fence,
    "placeholder": _placeholder,
    "control_token": _control_token,
    "boilerplate": _boilerplate,
    "markdown": _markdown,
}


def _plain(text: str) -> str:
    """Lower case with plain apostrophes."""
    return text.replace("\u2019", "'").replace("\u2018", "'").casefold()


def _prompt_leak(text: str, prompt_runs: frozenset[str]) -> str | None:
    if not prompt_runs:
        return None
    return next((run for run in _runs(_words(text)) if run in prompt_runs), None)


def _words(text: str) -> list[str]:
    return [word for unit in units(text.casefold()) if (word := unit.strip(_EDGES))]


_EDGES = ".,;:!?()[]{}<>\"'*_`«»„“”‘’–—-。，！？"


def _runs(words: Sequence[str]) -> list[str]:
    """Every ten words in a row."""
    return [" ".join(words[at : at + PROMPT_RUN]) for at in range(len(words) - PROMPT_RUN + 1)]


def _literal_runs(prompt: str) -> Iterable[str]:
    """The runs of a template's own words; what fills its slots is data."""
    for piece in _JINJA.split(prompt):
        yield from _runs(_words(piece))


def _real_texts(context: FilterContext, field: str) -> list[str]:
    """A sample of the real texts of a field; identities are hashes, so that the first are one."""
    rows = sorted(context.real, key=lambda row: row.id)[:CALIBRATION_ROWS]
    texts = [text for row in rows for text in texts_in(row.fields.get(field))]
    if not rows and len(context.task.text_fields) == 1:
        return list(context.real_texts or ())
    return texts


def _is_usual(sign: Sign, real: Sequence[str], prompt_runs: frozenset[str]) -> bool:
    """Whether the real texts carry the sign, or there are too few to say that Markdown is unusual."""
    if sign == "markdown" and len(real) < ENOUGH_REAL:
        return True
    carrying = sum(_found(sign, text, prompt_runs) is not None for text in real)
    return carrying > max(1, MISSED_REAL * len(real))
