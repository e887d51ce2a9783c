"""`label`: the teacher labels real texts that have no label, and labels that its draws agree on stay.

Real text is what no teacher can invent; the label is what it can add. Several draws of one question vote, as
in self-consistency (Wang et al. 2022, arXiv 2203.11171): where they disagree the text is hard or of no label
at all, and is turned down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from seedbed.core.chat import LoggedReply, Pen
from seedbed.core.protocols import Draft, SourceKind
from seedbed.core.record import Rejection, Unreadable
from seedbed.generate.method import MethodOptions
from seedbed.generate.reading import read_fields
from seedbed.generate.steps import SteppedMethod, Steps

# A rehearsal's draws differ from its first one so often.
_WAVERING = 0.15


class Label(SteppedMethod):
    """Asks for the label of one text, several times in one question; one draft a text."""

    name: ClassVar[str] = "label"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {"label": ("item",)}
    uses_axes: ClassVar[bool] = False
    open_label: ClassVar[bool] = True
    tasks: ClassVar[Sequence[str]] = ("classification",)
    source_kinds: ClassVar[Sequence[SourceKind]] = ("unlabelled",)
    source_once: ClassVar[bool] = True

    class Options(MethodOptions):
        source: str | None = Field(None, description="source of the texts (default: the only unlabelled one)")
        draws: int = Field(3, ge=1, le=16, description="labels asked for each text")
        agree: float = Field(
            0.66, gt=0, le=1, description="share of the draws that must give the same label for it to stay"
        )
        temperature: float = Field(0.7, ge=0, le=2, description="at which the draws are sampled")

    async def drafts(self, steps: Steps) -> list[Draft]:
        ctx, options = steps.ctx, self.options
        field, item = ctx.task.label_field, ctx.source
        assert field is not None, "`tasks` asks for it"
        assert item is not None, "`source_kinds` asks for it"
        replies = await steps.several(
            "label",
            options.draws,
            schema=self.schema(ctx.task, tuple(ctx.task.text_fields)),
            temperature=options.temperature if options.draws > 1 else None,
            item=item.fields,
            sketch=lambda pen: {field: _some_label(pen, ctx.labels, item.id)},
        )
        votes, unreadable = _votes(replies, field)
        if not votes:
            assert unreadable is not None
            raise steps.useless(unreadable)
        winner, most = min(votes.items(), key=lambda vote: (-vote[1], vote[0]))
        share = most / len(replies)
        notes = {"votes": dict(sorted(votes.items())), "share": round(share, 3)}
        fields = {**item.fields, field: winner}
        if share < options.agree:
            return [steps.draft(fields, notes=notes, rejected=Rejection("labels_disagree", notes, share))]
        return [steps.draft(fields, notes=notes)]


def _votes(replies: Sequence[LoggedReply], field: str) -> tuple[Counter[str], Unreadable | None]:
    """How often each label was given, and the last reply that gave none."""
    votes: Counter[str] = Counter()
    unreadable = None
    for reply in replies:
        read = read_fields(reply.choice, (field,), "json")
        if isinstance(read, Unreadable):
            unreadable = read
        else:
            votes[str(read[field])] += 1
    return votes, unreadable


def _some_label(pen: Pen, labels: Sequence[str], item: str) -> str:
    """The same label of a text in nearly all draws: a rehearsal knows no text, and must not waver much."""
    if pen.rng.random() < _WAVERING:
        return pen.rng.choice(labels)
    return labels[int(item, 16) % len(labels)]
