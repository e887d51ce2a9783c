"""What a run's model filters said, for its report: scores, what stayed unjudged, what they asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.core.chat import ReplyKey
from seedbed.core.verdict import UNJUDGED
from seedbed.models.rehearsal_judge import JudgeFaults, RehearsalJudge
from seedbed.review.calibration import Comparison
from seedbed.run.scopes import asked_scopes
from seedbed.run.view import RunView
from seedbed.store.replies import ReplyLog
from seedbed.store.rounds import CommittedRound
from seedbed.store.shards import read_verdicts


def judgement(
    view: RunView, committed: Sequence[CommittedRound], log: ReplyLog | None
) -> list[dict[str, Any]]:
    """One entry a model filter. `calls` are those this run made; answers that another run of the
    workspace had paid for cost none. It is None where the log cannot be opened."""
    if not view.model_filters:
        return []
    asked = asked_scopes(view.folder, rehearsal=view.rehearsal)

    def calls(name: str) -> int | None:
        return log.tally(asked.get(name.partition("@")[0], ())).calls if log is not None else None

    return [{**_entry(name, view, committed), "calls": calls(name)} for name in view.model_filters]


def _entry(name: str, view: RunView, committed: Sequence[CommittedRound]) -> dict[str, Any]:
    scores: Counter[str] = Counter()
    unjudged: Counter[str] = Counter()
    for entry in committed:
        counts = entry.measures["filters"].get(name, {})
        scores.update(counts.get("scores", {}))
        unjudged.update(counts.get(UNJUDGED, {}))
    judged = scores.total()
    total = sum(float(score) * n for score, n in scores.items())
    promoted, unreadable = _looked_up(name, view, committed)
    compared = view.compared.get(name.partition("@")[0])
    return {
        "filter": name,
        "judged": judged,
        "scores": dict(sorted(scores.items(), key=lambda item: float(item[0]))),
        "mean": round(total / judged, 4) if judged else None,
        UNJUDGED: dict(sorted(unjudged.items())),
        "promoted": promoted,
        "unreadable": unreadable,
        "compared": _compared(compared, scores) if compared is not None else None,
    }


def _compared(comparison: Comparison, scores: Mapping[str, int]) -> dict[str, Any]:
    """How the judge does beside people, and by that how many of the drafts with these scores are bad."""
    bad = comparison.bad_among({float(score): n for score, n in scores.items()})
    return {**comparison.to_json(), "bad_rate": bad.to_json() if bad is not None else None}


def _looked_up(name: str, view: RunView, committed: Sequence[CommittedRound]) -> tuple[int, int | None]:
    """Twins that came back, and the replies that a rehearsal judge broke; None where it answered nothing."""
    rehearsal = view.facts["rehearsal"] if view.roles_of_filters.get(name) == "judge" else None
    judge = None
    if rehearsal is not None and (faults := rehearsal.get("judge")) is not None:
        judge = RehearsalJudge(rehearsal["seed"], JudgeFaults(**faults))
    promoted, broken = 0, set()
    for entry in committed:
        fallen: set[str] = set()
        for verdict in read_verdicts(entry.file("verdicts")):
            if not verdict.keep and verdict.survivor is not None:
                fallen.add(verdict.record)
            if verdict.filter != name:
                continue
            promoted += verdict.record in fallen
            if judge is not None:
                keys = [ReplyKey.parse(key) for key in verdict.evidence["replies"]]
                broken |= {key for key in keys if judge.is_unreadable(key.request, key.draw)}
    return promoted, len(broken) if judge is not None else None
