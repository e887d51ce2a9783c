"""How a filter asks a model about a record: once more with what was wrong, and never with a guess."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from seedbed.core.chat import Choice, LoggedReply
from seedbed.core.errors import NoAnswer, Problem
from seedbed.core.field_text import as_json
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict, unjudged
from seedbed.filters.subject import excerpt, filter_id
from seedbed.prompts.templates import PromptTemplate

Read = TypeVar("Read")


async def ask_twice(
    plugin: type,
    record: Record,
    ask: Callable[[str], Awaitable[Sequence[LoggedReply]]],
    read: Callable[[Choice], Read | str],
) -> tuple[Read, dict[str, Any]] | Verdict:
    """What `read` finds in a reply, and the replies as evidence; or the verdict `unjudged` of the filter.

    `read` gives a text where a reply cannot be used, which says what is wrong with it; `ask` gets that text
    as the problem to name, "" at first. Where no answer comes, or no second one that can be used, the record
    is unjudged: kept, and without a score.
    """
    replies: list[LoggedReply] = []
    problem, cause, refused = "", "unreadable", {}
    try:
        for _ in range(2):
            (reply,) = await ask(problem)
            replies.append(reply)
            found = read(reply.choice)
            if not isinstance(found, str):
                return found, _by(replies)
            problem = found
    except NoAnswer as error:
        problem, cause = str(error), error.cause
        refused = {"refused": error.key} if error.key else {}
    evidence = {"says": excerpt(problem), **_by(replies), **refused}
    return unjudged(record.id, filter_id(plugin), cause, evidence)


def unknown_names(prompt: PromptTemplate, known: Sequence[str], what: str) -> list[Problem]:
    """Each name that a prompt of the recipe's own uses and a filter does not give it."""
    return [
        Problem(f"{what} cannot use '{name}'; it has: {', '.join(known)}", prompt.path, line)
        for name, line in prompt.names().items()
        if name not in known
    ]


def shown(content: Mapping[str, Any]) -> str:
    """JSON of the fields on one line: a text in it can neither end its string nor begin a line."""
    return printable(as_json(content))


def printable(text: str) -> str:
    """A lone surrogate has no UTF-8 form and stands as its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _by(replies: Sequence[LoggedReply]) -> dict[str, Any]:
    keys = {"replies": [str(reply.key) for reply in replies]}
    return {**keys, "model": replies[-1].model} if replies else keys
