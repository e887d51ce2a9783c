"""Errors, each named for the boundary it crosses and each with the way out.

`exit_code` is what the command line ends with: 1 error, 2 usage or recipe, 3 gate or
contamination, 4 budget, 5 endpoint or credentials, 6 failed cells, 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from seedbed.core.money import NO_CHARGE, Charge


class SeedbedError(Exception):
    """Base of all errors that a user can cause or cure. The message says what, where and what to do."""

    exit_code = 1


class Interrupted(SeedbedError):
    """Somebody stopped it; the message says what is kept."""

    exit_code = 130


class AccountsError(SeedbedError):
    """The accounts of a run do not add up: a defect of Seedbed, never of the data."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what the user declared. `line` is 1-based."""

    message: str
    file: str = ""
    line: int | None = None
    key: str = ""

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line is not None else "")
        parts = [part for part in (place, self.key) if part]
        return ": ".join([*parts, self.message])


class InputError(SeedbedError):
    """A recipe, data file or option cannot be used. Carries every problem found, not the first."""

    exit_code = 2
    nothing_sent: ClassVar[bool] = True
    """Whether it is found before anything is asked or begun."""

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        if isinstance(problems, str):
            problems = [Problem(problems)]
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class RecipeError(InputError):
    """The recipe as written cannot be run."""


class SourceError(InputError):
    """A data file cannot be read as the recipe says."""


class TemplateError(InputError):
    """A prompt template does not render with the slots there are."""


class ContaminationError(SeedbedError):
    """Text of the locked eval stands where the pipeline would use it."""

    exit_code = 3


class EvalLockError(InputError):
    """The locked eval set changed, or is made of the program's own output."""


class RunLockedError(InputError):
    """Another process works on this run."""


class StoreError(SeedbedError):
    """The run folder or the reply log cannot be written or is damaged."""


class EndpointError(SeedbedError):
    """An endpoint cannot be used at all: unreachable, wrong key, unknown model.

    `status` is that of the HTTP answer that says so, where there was one.
    """

    exit_code = 5

    def __init__(self, detail: str, *, status: int | None = None) -> None:
        super().__init__(detail)
        self.status = status


class BudgetReached(SeedbedError):
    """The next request would pass the budget; what was answered stays, and the run resumes."""

    exit_code = 4


class AttemptFailed(SeedbedError):
    """One try failed in a way that may heal. `cause` is a slug: timeout, http_503, not_json, ...

    `charge` is what it counts for in the budget, once that has settled it.
    """

    def __init__(
        self, cause: str, detail: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail)
        self.cause = cause
        self.status = status
        self.retry_after = retry_after
        self.charge: Charge = NO_CHARGE


class ParameterRefused(AttemptFailed):
    """The endpoint rejects a parameter, which the model has now given up: the next try is another request."""

    def __init__(self, detail: str, *, status: int) -> None:
        super().__init__("parameter_refused", detail, status=status)


class RequestRefused(SeedbedError):
    """The endpoint will never answer this request (too long, policy, malformed); `cause` is a slug."""

    def __init__(self, cause: str, detail: str, *, status: int | None = None) -> None:
        super().__init__(detail)
        self.cause = cause
        self.status = status
        self.charge: Charge = NO_CHARGE


class NoAnswer(SeedbedError):
    """A question stayed without an answer after its retries; the cell that asked has failed.

    `key` names the refusal in the reply log, where there is one.
    """

    def __init__(self, cause: str, detail: str, key: str = "") -> None:
        super().__init__(detail)
        self.cause = cause
        self.key = key
