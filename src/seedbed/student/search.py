"""Which share of generated rows to train on: successive halving over shares, decided on dev rows alone.

Successive halving (Jamieson & Talwalkar 2016): every share is tried on few rows, the better half on twice as
many, until few are left. These are learnt from in full under several seeds, beside real rows alone and
generated rows alone, which no halving takes out. What decides is the deciding metric of the task, such that
no critical slice falls below real rows alone by more than a tolerance.

A search that cannot tell says so and keeps the share that the recipe has: the leader of several arms on a few
hundred rows is a leader by chance often enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from seedbed.stats.intervals import LEVEL, Estimate
from seedbed.student.arms import Arm, in_order
from seedbed.student.examine import Examined, deciding, difference_of, unseen, verdict_on
from seedbed.student.mixture import Amount, Mixture, MixtureError, SliceRule, beside, mix, total_of
from seedbed.student.repeated import Repeated, SliceGap, Tried, Try, slice_gap
from seedbed.student.rows import Row

SEEDS = 5
FINALISTS = 3
"""Shares that are learnt from in full, beside real rows alone and generated rows alone."""
LEAST_ROWS = 200
"""No rung has fewer rows: what a student learns from less says little of what it learns from all."""

LEAST_IN_SLICE = 10
"""Dev rows of a slice below which nothing is said to hold in it."""

REAL, SYNTHETIC = 0.0, 1.0

Decision = Literal["better", "best_already", "no_material_gain", "undecided", "constrained"]


@dataclass(frozen=True)
class Question:
    """What is searched: rows, the recipe's mixture (its share is the prior), shares to try, constraints."""

    real: Sequence[Row]
    synthetic: Sequence[Row]
    mixture: Mixture
    shares: Sequence[float]
    critical: Sequence[str] = ()
    tolerance: float = 0.03
    seed: int = 0
    rank: Mapping[str, int] = field(default_factory=dict)

    @property
    def prior(self) -> float:
        return self.mixture.synthetic

    def arm(self, share: float, name: str, seed: int, scale: float = 1.0) -> Arm:
        """The arm of a share, drawn by a seed; at a `scale` below 1 of that part of the rows.

        Raises MixtureError.
        """
        real, synthetic = in_order(self.real, seed), in_order(self.synthetic, seed, self.rank)
        mixture = replace(self.mixture, synthetic=share)
        if mixture.fixed == "real" and share == SYNTHETIC:
            # Beside all real rows there is no such share: as many generated rows as the prior's mix has.
            size = len(real) + beside(len(real), self.mixture.share, len(synthetic))
            taken = tuple(synthetic[: max(1, round(size * scale))])
            return Arm(name, taken, 0, len(taken), "", seed)
        if scale < 1:
            mixture = replace(mixture, slices=_scaled(mixture.slices, scale))
            if mixture.fixed == "real":
                real = real[: max(1, round(len(real) * scale))]
            else:
                size = max(1, round(total_of(mixture, len(real), len(synthetic)) * scale))
                mixture = replace(mixture, size=size)
        # Without a side there is nothing that slices could be ruled by.
        if share in (REAL, SYNTHETIC):
            mixture = replace(mixture, slices={})
        mixed = mix(real, synthetic, mixture)
        rows = (*mixed.real, *mixed.synthetic)
        return Arm(name, rows, len(mixed.real), len(mixed.synthetic), mixed.note, seed)


def search(
    question: Question, attempt: Try, tell: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Try the shares and decide. Raises MixtureError where the prior's arm cannot be made, StudentError.

    The result is plain JSON: `rungs` (rows and scores of each halving), `arms` (of the final, with scores,
    differences to real rows alone and to the prior, critical slices, and whether it may be chosen),
    `decision` and `chosen` (a share), `rows_to_decide` where the decision is undecided.
    """
    shares = sorted({*question.shares, question.prior} - {REAL, SYNTHETIC})
    cannot: dict[float, str] = {}
    runs: dict[float, list[Arm]] = {}
    for share in (*shares, REAL, SYNTHETIC):
        try:
            arms = [question.arm(share, f"{share:g}#{at}", question.seed + at) for at in range(SEEDS)]
            if not arms[0].rows and share == question.prior:
                raise MixtureError(f"the recipe's own mix ({name_of(share)}) cannot be made: {arms[0].note}")
            if arms[0].rows:
                runs[share] = arms
            else:
                cannot[share] = arms[0].note or "there are no rows for it"
        except MixtureError as error:
            if share == question.prior:
                raise
            cannot[share] = str(error)
    shares = [share for share in shares if share not in cannot]
    rungs = []
    for scale in _scales(question, shares):
        tell(f"{len(shares):,} shares on {100 * scale:.0f} % of the rows")
        scores, rows = _rung(question, attempt, shares, scale)
        rungs.append({"scale": scale, "rows": rows, "scores": {f"{s:g}": scores[s] for s in shares}})
        kept = sorted(shares, key=lambda share: -scores[share])[: max(FINALISTS, (len(shares) + 1) // 2)]
        shares = sorted({*kept, *({question.prior} & set(shares))})
    finalists = [*(share for share in (REAL, SYNTHETIC) if share not in cannot), *shares]
    finalists = sorted(set(finalists))
    tell(f"{len(finalists):,} shares in full, {SEEDS} times each: {', '.join(map(name_of, finalists))}")
    return {
        **_final(question, attempt, {share: runs[share] for share in finalists}),
        "rungs": rungs,
        "left_out": {f"{share:g}": why for share, why in cannot.items()},
    }


def _scaled(slices: Mapping[str, SliceRule], scale: float) -> dict[str, SliceRule]:
    """The rules on part of the rows: numbers of rows shrink along, shares stay."""

    def shrunk(amount: Amount | None) -> Amount | None:
        return max(1, round(amount * scale)) if isinstance(amount, int) else amount

    return {
        name: SliceRule(shrunk(rule.real_at_least), shrunk(rule.synthetic_at_most))
        for name, rule in slices.items()
    }


def name_of(share: float) -> str:
    """An arm of a search in words."""
    return {REAL: "real only", SYNTHETIC: "synthetic only"}.get(share, f"{share:g} synthetic")


def _scales(question: Question, shares: Sequence[float]) -> list[float]:
    """Parts of the rows, the smallest first, such that halving ends at the finalists."""
    scales: list[float] = []
    left, rows = len(shares), len(question.arm(question.prior, "", question.seed).rows)
    while left > FINALISTS:
        left = max(FINALISTS, (left + 1) // 2)
        scales.insert(0, (scales[0] if scales else 1.0) / 2)
    return [scale for scale in scales if rows * scale >= LEAST_ROWS]


def _rung(
    question: Question, attempt: Try, shares: Sequence[float], scale: float
) -> tuple[dict[float, float], int]:
    arms = [question.arm(share, f"{share:g}", question.seed, scale) for share in shares]
    tried = attempt(arms)
    scores = {share: _score(tried, arm.name) for share, arm in zip(shares, arms, strict=True)}
    return scores, max(len(arm.rows) for arm in arms)


def _score(tried: Tried, arm: str) -> float:
    """An arm that could not be learnt from loses."""
    if tried.examined is not None and arm in tried.examined.answers:
        return tried.examined.draws(arm)[0]
    return tried.reported.get(arm, float("-inf"))


def _final(question: Question, attempt: Try, runs: Mapping[float, Sequence[Arm]]) -> dict[str, Any]:
    tried = attempt([arm for arms in runs.values() for arm in arms])
    learnt = tried.learnt(runs)
    if question.prior not in learnt:
        raise MixtureError(
            f"the recipe's own mix ({name_of(question.prior)}) could not be learnt from: "
            + "; ".join(dict.fromkeys(tried.problems.values()))
        )
    scored = tried.repeated({f"{share:g}": names for share, names in learnt.items()}, question.seed)
    arms = [_arm(question, share, runs[share], learnt, scored, tried.examined) for share in learnt]
    return {
        "metric": scored.metric,
        "dev_rows": scored.rows,
        "seeds": SEEDS,
        "fixed": question.mixture.fixed,
        "critical": list(question.critical),
        "tolerance": question.tolerance,
        "prior": question.prior,
        "arms": arms,
        **_decide(question, arms, scored),
        "problems": sorted(set(tried.problems.values())),
    }


def _arm(
    question: Question,
    share: float,
    runs: Sequence[Arm],
    learnt: Mapping[float, Sequence[str]],
    scored: Repeated,
    examined: Examined | None,
) -> dict[str, Any]:
    name = f"{share:g}"
    slices = {}
    for critical in question.critical if share != REAL else ():
        # What nobody could look at holds no more than what few rows show.
        found = None
        if examined is not None and REAL in learnt:
            found = slice_gap(examined, learnt[share], learnt[REAL], critical, seed=question.seed)
        slices[critical] = _slice(found, question.tolerance)
    beside_real = (
        difference_of(scored.gap(name, f"{REAL:g}"), scored.rows)
        if REAL in learnt and share != REAL
        else None
    )
    beside_prior = (
        difference_of(scored.gap(name, f"{question.prior:g}"), scored.rows)
        if share != question.prior
        else None
    )
    return {
        **runs[0].to_json(),
        "share": share,
        "name": name_of(share),
        "seeds": len(learnt[share]),
        "score": scored.estimate(name).to_json(),
        "against_real": beside_real,
        "against_prior": beside_prior,
        "slices": slices,
        "held": all(found["status"] == "held" for found in slices.values()),
        "broken": any(found["status"] == "broken" for found in slices.values()),
    }


def _slice(found: SliceGap | None, tolerance: float) -> dict[str, Any]:
    """`held`: it surely falls by no more than the tolerance; `broken`: it surely falls by more."""
    if found is None:
        return {"rows": 0, "score": None, "difference": None, "status": "unproven"}
    status = "unproven"
    if found.gap.low >= -tolerance and unseen(found.rows) <= tolerance:
        status = "held"
    elif found.gap.high < -tolerance and found.rows >= LEAST_IN_SLICE:
        status = "broken"
    return {
        "rows": found.rows,
        "score": round(found.score, 6),
        "difference": found.gap.to_json(),
        "status": status,
    }


def _decide(question: Question, arms: Sequence[Mapping[str, Any]], scored: Repeated) -> dict[str, Any]:
    """What to train on, and why. The level of the leader's lead is corrected (Bonferroni) for its having been
    picked as the best of several.
    """
    by_share = {arm["share"]: arm for arm in arms}
    prior = by_share[question.prior]
    free = [arm for arm in arms if arm["held"] or arm is prior]
    leader = max(free, key=lambda arm: (arm["score"]["value"], -arm["share"]))
    if prior["broken"]:
        others = [arm for arm in free if arm is not prior]
        best = max(others, key=lambda arm: (arm["score"]["value"], -arm["share"]), default=prior)
        return _decided("constrained", best["share"])
    others = [arm for arm in free if arm is not leader]
    if not others:
        return _decided("best_already", question.prior)
    # What the recipe has is held against the best of the others, as any other leader is against it: that it
    # leads on these rows says as little as if another did.
    against = prior if leader is not prior else max(others, key=lambda arm: arm["score"]["value"])
    level = 1 - (1 - LEVEL) / max(1, len(free) - 1)
    lead = scored.gap(f"{leader['share']:g}", f"{against['share']:g}", level)
    shares = leader["share"], against["share"]
    match verdict_on(lead, scored.rows):
        case "better":
            decision: Decision = "best_already" if leader is prior else "better"
            return _decided(decision, leader["share"], lead, shares)
        case "no_material_difference":
            return _decided("no_material_gain", question.prior, lead, shares)
        case _:
            rows = deciding(lead, scored.rows) if scored.rows else None
            return _decided("undecided", question.prior, lead, shares, rows)


def _decided(
    decision: Decision,
    chosen: float,
    lead: Estimate | None = None,
    shares: tuple[float | None, float | None] = (None, None),
    rows: int | None = None,
) -> dict[str, Any]:
    leader, against = shares
    return {
        "decision": decision,
        "chosen": chosen,
        "leader": leader,
        "against": against,
        "lead": None if lead is None else lead.to_json(),
        "rows_to_decide": rows,
    }
