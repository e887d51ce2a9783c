"""D6: programs of a model, run: verdicts that stay, a consensus worth something, no cheat that passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.evidence.cheats import CHEATS, ESCAPES, ESCAPING, HONEST, TESTS
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.humaneval import SET, CodingProblem, problems
from seedbed.stats.half_samples import half_sample_interval, half_samples
from seedbed.verify.code import CodeVerifier
from seedbed.verify.consensus import by_consensus
from seedbed.verify.outcome import Outcome
from seedbed.verify.programs import parsed
from seedbed.verify.sandbox.broker import Limits

PROGRAMS = BLOCKS = 20
LIMITS = Limits(seconds=10, cpu_seconds=2)  # whatever else the machine does, the second decides
CHEATS_LIMITS = Limits(seconds=2, cpu_seconds=2, memory=256 << 20)


def measure(setting: Setting) -> Figures:
    parts = {"verdicts": _verdicts, "consensus": _consensus, "cheats": _cheats}
    return setting.steps(
        {name: partial(part, full=setting.full, broken=setting.broken) for name, part in parts.items()}
    )


def _verdicts(folder: Path, *, full: bool, broken: bool) -> dict[str, Any]:
    """The programs against the tests of those who asked, twice over.

    Broken: the second time nothing is known of a program but that it parses.
    """
    asked = problems()
    texts = [program for problem in asked for program in problem.programs]
    with CodeVerifier(LIMITS) as verifier:
        first = [_found(verifier, problem, full) for problem in asked]
        again = (
            [[Outcome("passed") for _ in of_problem] for of_problem in first]
            if broken
            else [_found(verifier, problem, full) for problem in asked]
        )
    flat, second = [one for found in first for one in found], [one for found in again for one in found]
    return {
        "texts": len(texts),
        "distinct": len(set(texts)),
        "do_not_parse": sum(isinstance(parsed(text), str) for text in texts),
        "programs_run": len(flat),
        "verdicts_that_differ": sum(
            (one.finding, one.reason) != (other.finding, other.reason)
            for one, other in zip(flat, second, strict=True)
        ),
        "found": dict(Counter(one.reason or one.finding for one in flat).most_common()),
    }


def _found(verifier: CodeVerifier, problem: CodingProblem, full: bool) -> list[Outcome]:
    return [
        verifier.attempt(program, problem.tests, problem.entry_point)
        for program in problem.programs[: None if full else PROGRAMS]
    ]


def _consensus(folder: Path, *, full: bool, broken: bool) -> dict[str, Any]:
    """How often the pick of each problem passes the tests of those who asked.

    Broken: the tests that the model wrote are not run, so that all programs are of one opinion.
    """
    picked, at_random, tests = [], [], []
    with CodeVerifier(LIMITS) as verifier:
        for problem in problems():
            right = [one.finding == "passed" for one in _found(verifier, problem, full)]
            written = [] if broken else problem.assertions(len(problem.blocks) if full else BLOCKS)
            tests.append(len(written))
            passed = [
                [
                    at
                    for at, one in enumerate(verifier.attempt_each(program, written))
                    if one.finding == "passed"
                ]
                for program in problem.programs[: len(right)]
            ]
            picked.append(float(right[by_consensus(passed)[0]]))
            at_random.append(fmean(right))
    return {
        "problems": len(picked),
        "tests_a_problem": round(fmean(tests), 1),
        "right": {"picked": round(fmean(picked), 4), "at_random": round(fmean(at_random), 4)},
        **_gain(picked, at_random),
    }


def _gain(picked: Sequence[float], at_random: Sequence[float]) -> dict[str, float]:
    """By how much the pick is the better one, with a 95 % interval over problems."""
    gains = [one - other for one, other in zip(picked, at_random, strict=True)]
    halves = [fmean(gains[at] for at in half) for half in half_samples(len(gains))]
    interval = half_sample_interval(fmean(gains), halves)
    return {"gain": round(interval.value, 4), "gain_at_least": round(interval.low, 4)}


def _cheats(folder: Path, *, full: bool, broken: bool) -> dict[str, Any]:
    """Programs that are wrong and mean to pass, and programs that mean to get out.

    Broken: a program stands in the process of its tests, as it does for graders that just append them.
    """
    secret = folder / "secret.txt"
    secret.write_text("nobody's business")
    accepted, escaped = [], []
    with CodeVerifier(CHEATS_LIMITS) as verifier:
        for name, program in CHEATS.items():
            found = (
                verifier.attempt("", f"{program}\n{TESTS.replace('from solution import total', '')}")
                if broken
                else verifier.check(program, TESTS)
            )
            accepted += [name] if found.finding == "passed" else []
        for name, way in ESCAPES.items():
            attempt = way.format(secret=str(secret), parent=1, port=9)
            found = verifier.attempt(ESCAPING.format(attempt=attempt), "assert total([]) != 'out'")
            escaped += [name] if found.finding != "passed" and found.reason != "program_ended" else []
        honest = verifier.check(HONEST, TESTS).finding
    return {
        "cheats": len(CHEATS),
        "accepted": accepted,
        "ways_out": len(ESCAPES),
        "escaped": escaped,
        "honest_program_afterwards": honest,
    }


DEMONSTRATION = Demonstration(
    id="D6",
    title="programs that are run",
    shows=(
        "HumanEval's problems with the programs that a model of 16B parameters wrote for them: the first "
        f"{PROGRAMS} of each are run against the tests of those who asked, twice, in sandboxes. Then the "
        f"pick by consensus with the tests that the model wrote itself (the first {BLOCKS} blocks of each "
        "problem) is compared with a random one. Last, wrong programs that mean to pass, and programs that "
        "mean to get out of the sandbox."
    ),
    broken=(
        "programs stand in the process of their tests, the model's own tests are not run, and the second "
        "verdict looks at nothing"
    ),
    sets=(SET,),
    measure=measure,
    parts=("verdicts", "consensus", "cheats"),
)
