"""Programs checked by running them against tests, in sandboxes that neither can leave.

A program passes where its tests pass on it twice, under two seeds of Python's hashes, and fail on its stub
and on some of its mutants: tests that hold for anything say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from seedbed.verify.mutants import mutants, stub
from seedbed.verify.outcome import Outcome, failed, undecided
from seedbed.verify.programs import parsed
from seedbed.verify.sandbox.backends import Backend
from seedbed.verify.sandbox.broker import Limits, Sandbox
from seedbed.verify.sandbox.probes import best_backend
from seedbed.verify.sandbox.trials import attempt

HASH_SEEDS = (1, 2)
MOST_MUTANTS = 6


@dataclass(frozen=True, slots=True)
class Demands:
    """What tests must do beyond passing: fail on the stub, and on so many of up to six mutants."""

    fails_on_stub: bool = True
    kills_mutants: int = 1


class CodeVerifier:
    """Holds warm sandboxes; use from one thread, and close. Pickles without them."""

    def __init__(
        self,
        limits: Limits | None = None,
        demands: Demands | None = None,
        backend: Backend | None = None,
        packages: tuple[str, ...] = (),
    ) -> None:
        self.limits = limits or Limits()
        self.demands = demands or Demands()
        self._backend = backend
        self._packages = packages

    def __reduce__(self) -> tuple[Callable[..., CodeVerifier], tuple[Any, ...]]:
        return CodeVerifier, (self.limits, self.demands, self._backend, self._packages)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    def check(self, program: Any, tests: Any, entry: str | None = None) -> Outcome:
        """Whether the program passes tests that are worth passing. `entry`: see `attempt`.

        Raises SandboxError where no sandbox can be made here.
        """
        for name, text in (("program", program), ("tests", tests)):
            if isinstance(problem := parsed(text), str):
                return failed("no_python", of=name, message=problem)
        outcome = self.attempt(program, tests, entry)
        if outcome.finding != "passed":
            return outcome
        again = self.attempt(program, tests, entry, HASH_SEEDS[1])
        if again.finding != "passed":
            return failed("flaky", second_run=again.reason, **again.evidence)
        return self._vacuous(program, tests, entry) or outcome

    def attempt(
        self, program: str, tests: str, entry: str | None = None, seed: int = HASH_SEEDS[0]
    ) -> Outcome:
        """One run of the tests on the program, whatever they are worth."""
        return self.attempt_each(program, [tests], entry, seed)[0]

    def attempt_each(
        self, program: str, suites: Sequence[str], entry: str | None = None, seed: int = HASH_SEEDS[0]
    ) -> list[Outcome]:
        """One run of each suite, in a process of its own; the limit of seconds is for all together."""
        solution, seconds = self._solutions[seed], self.limits.seconds
        return attempt(solution, self._trial, program, suites, entry=entry, seconds=seconds)

    def _vacuous(self, program: str, tests: str, entry: str | None) -> Outcome | None:
        """That the tests let anything pass, where they do, or that nobody can tell."""
        if self.demands.fails_on_stub:
            empty = stub(program)
            if empty is None:
                return undecided("no_mutants", lacks="stub")
            if self.attempt(empty, tests, entry).finding == "passed":
                return failed("vacuous_tests", passed="stub")
        if wanted := self.demands.kills_mutants:
            made = mutants(program, MOST_MUTANTS)
            if made is None:
                return undecided("no_mutants", lacks="mutants")
            wanted = min(wanted, len(made))
            killed = 0
            for mutant in made:
                if killed >= wanted:
                    break
                killed += self.attempt(mutant, tests, entry).finding == "failed"
            if killed < wanted:
                return failed("vacuous_tests", passed="mutants", killed=killed, of=len(made))
        return None

    @cached_property
    def _open(self) -> ExitStack:
        return ExitStack()

    @cached_property
    def _chosen(self) -> Backend:
        return self._backend or best_backend()

    @cached_property
    def _solutions(self) -> dict[int, Sandbox]:
        made = {seed: Sandbox(self._chosen, self.limits, seed, self._packages) for seed in HASH_SEEDS}
        return {seed: self._open.enter_context(sandbox) for seed, sandbox in made.items()}

    @cached_property
    def _trial(self) -> Sandbox:
        return self._open.enter_context(Sandbox(self._chosen, self.limits, packages=self._packages))
