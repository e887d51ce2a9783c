"""What is known of one endpoint: whether it lives, and whether it wants a pause."""

from __future__ import annotations

import time
from collections.abc import Callable

from seedbed.core.errors import AttemptFailed, EndpointError

NEVER_ANSWERED_SECONDS = 3.0
SILENT_SECONDS = 30.0
SILENT_FAILURES = 10

USELESS_SECONDS = 20.0
USELESS_FAILURES = 50

_SILENCE = frozenset({"unreachable", "timeout"})


class Health:
    """A breaker that all calls to one endpoint share, and until when it is not to be asked.

    The breaker opens for good on an EndpointError, and on silence: an endpoint that never answered
    cannot be reached for 3 s, or any gives nothing but `unreachable` and `timeout`, 10 times or
    more, for 30 s. An HTTP answer of any status breaks the silence. It opens too where 50 tries or
    more over 20 s brought errors and pages and not one reply: such a server is none, whatever it
    says (429 is no error here: it says to wait). `clock` counts seconds; `role` is whom errors name.
    """

    def __init__(
        self, endpoint: str, clock: Callable[[], float] = time.monotonic, role: str = "teacher"
    ) -> None:
        self.reason = ""  # why the breaker is open; empty as long as it is not
        self.paused_until = 0.0
        self._endpoint = endpoint
        self._role = role
        self._clock = clock
        self._heard_at = float("-inf")
        self._silent_since: float | None = None
        self._silent_failures = 0
        self._useless_since: float | None = None
        self._useless_failures = 0

    @property
    def answered(self) -> bool:
        return self._heard_at > float("-inf")

    def check(self) -> None:
        """Raise EndpointError where the breaker is open; a new one each time, for its own traceback."""
        if self.reason:
            raise EndpointError(self.reason)

    def open(self, reason: str) -> None:
        """Nothing more is sent there; the first reason stays."""
        self.reason = self.reason or reason

    def replied(self) -> None:
        """The endpoint did what it is for: a reply, or a reasoned refusal of the request."""
        self._useless_since = None
        self._useless_failures = 0
        self.heard()

    def heard(self) -> None:
        """The endpoint gave an HTTP answer, good or bad."""
        self._heard_at = self._clock()
        self._silent_since = None
        self._silent_failures = 0

    def failed(self, failure: AttemptFailed, began: float) -> None:
        """Note a try that began then and failed now; it may be the one that opens the breaker."""
        self._note_useless(failure)
        if failure.status is not None:
            self.heard()
            return
        if failure.cause not in _SILENCE:
            return
        if self._silent_since is None:
            self._silent_since = max(began, self._heard_at)
        self._silent_failures += 1
        silent = self._clock() - self._silent_since
        if not self.answered and failure.cause == "unreachable" and silent >= NEVER_ANSWERED_SECONDS:
            self.open(
                f"cannot reach {self._endpoint} ({failure}): start the server or correct "
                f"roles.{self._role}.endpoint"
            )
        elif silent >= SILENT_SECONDS and self._silent_failures >= SILENT_FAILURES:
            self.open(
                f"{self._endpoint} has given no answer for {silent:.0f} s ({self._silent_failures} tries, "
                f"the last: {failure}): see to the server and run the same command again, which goes on"
            )

    def _note_useless(self, failure: AttemptFailed) -> None:
        if failure.status == 429 or failure.cause in (*_SILENCE, "parameter_refused"):
            return
        now = self._clock()
        if self._useless_since is None:
            self._useless_since = now
        self._useless_failures += 1
        seconds = now - self._useless_since
        if self._useless_failures >= USELESS_FAILURES and seconds >= USELESS_SECONDS:
            self.open(
                f"{self._endpoint} gave no reply in {self._useless_failures} tries over {seconds:.0f} s, "
                f"the last: {failure}: is it an OpenAI-compatible address (…/v1)? See to the server and run "
                "the same command again, which goes on"
            )

    def pause(self, seconds: float) -> None:
        """Hold every call back for so long. A pause can be extended, not cut short."""
        self.paused_until = max(self.paused_until, self._clock() + seconds)
