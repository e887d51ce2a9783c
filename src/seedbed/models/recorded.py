"""The recorded teacher: answers with replies that somebody saved before, from a JSONL file.

A line is `{"reply": text or object, "prompt"?: text, "label"?: text, "finish_reason"?: text}`;
other keys are left alone. Which reply answers a request depends on what the request says and on
its seed, never on the order of arrival, so that a killed run resumes to the same data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import orjson

from seedbed.core.chat import (
    ChatReply,
    ChatRequest,
    Choice,
    FinishReason,
    Usage,
    about_tokens,
    prompt_characters,
)
from seedbed.core.errors import InputError, Problem, RequestRefused, SourceError
from seedbed.core.hashing import seed_from

By = Literal["prompt", "label", "order"]
NO_REPLY = "no_recorded_reply"

_USEFUL_GROUPS: Mapping[By, frozenset[str]] = {
    "prompt": frozenset({"prompt"}),
    "label": frozenset({"label", "draw"}),
    "order": frozenset({"draw"}),
}
_MOST_PROBLEMS = 20
_EXCERPT = 80


@dataclass(frozen=True)
class RecordedReplies:
    """Replies in groups: by their prompt, by their label, or all in one group in file order."""

    by: By
    groups: Mapping[str, Sequence[Choice]]

    @classmethod
    def load(cls, path: Path, by: By) -> RecordedReplies:
        """Read a whole file. Raises SourceError with the first 20 problems, each with its line."""
        try:
            lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
        except OSError as error:
            message = f"cannot read the recorded replies: {error.strerror}"
            raise SourceError([Problem(message, str(path))]) from error
        groups: dict[str, list[Choice]] = {}
        problems: list[Problem] = []
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                group, choice = _entry(line, by)
            except ValueError as error:
                problems.append(Problem(str(error), str(path), number))
                if len(problems) == _MOST_PROBLEMS:
                    break
            else:
                groups.setdefault(group, []).append(choice)
        if not problems and not groups:
            problems = [Problem('holds no reply; write one {"reply": ...} a line', str(path))]
        if problems:
            raise SourceError(problems)
        return cls(by, groups)


def _entry(line: bytes, by: By) -> tuple[str, Choice]:
    """Group and reply of one line; ValueError says what is wrong with it."""
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not a line of JSON in UTF-8: {error}") from error
    if not isinstance(entry, dict):
        raise ValueError(f"expected an object with a reply, not {_kind(entry)}")
    reply = entry.get("reply")
    if isinstance(reply, dict):
        reply = orjson.dumps(reply).decode()
    if not isinstance(reply, str):
        found = _kind(reply) if "reply" in entry else "missing"
        raise ValueError(f'"reply" must be text or an object; it is {found}')
    finish = entry.get("finish_reason", "stop")
    if finish not in get_args(FinishReason):
        known = ", ".join(get_args(FinishReason))
        raise ValueError(f'"finish_reason" is {finish!r}; write one of {known}, or leave it out')
    choice = Choice(reply, finish)
    if by == "order":
        return "", choice
    group = entry.get(by)
    if not isinstance(group, str) or not group.strip():
        found = _kind(group) if by in entry else "missing"
        raise ValueError(f'"{by}" must be text, because replies are chosen by {by}; it is {found}')
    return _group_name(group), choice


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return "text" if value.strip() else "empty"
    names: dict[type, str] = {dict: "an object", list: "a list", bool: "a truth value"}
    return names.get(type(value), "a number")


def _group_name(text: str) -> str:
    return text.strip()


class RecordedTeacher:
    """A ChatModel over recorded replies.

    `match` is a regular expression that is searched in the last user message; its named groups
    say what was asked: `prompt`, `label`, `draw`. Without it the whole message is the prompt, and
    label and draw come from the request's hints, which only a teacher in the same process sees.

    - by prompt: among the replies of that prompt, the one at `seed` modulo their count.
    - by label: number `draw` (from 0) of the replies of that label.
    - by order: number `draw` of all replies.

    A request for which there is no reply is refused for good, and never answered by another's.
    """

    name: ClassVar[str] = "recorded"
    version: ClassVar[int] = 1

    def __init__(self, replies: RecordedReplies, match: str | None = None, model: str = "recorded") -> None:
        self.replies = replies
        self.model = model
        self._match = _compiled(match, replies.by) if match is not None else None

    @property
    def endpoint(self) -> str:
        return "recorded"

    @property
    def needs_hints_for(self) -> list[str]:
        """What only the hints can say, because the prompt is not searched for it; sorted."""
        found = set(self._match.groupindex) if self._match else set()
        return sorted(_USEFUL_GROUPS[self.replies.by] - found - {"prompt"})

    async def complete(self, request: ChatRequest) -> ChatReply:
        """By prompt `request.n` choices; else the one there is. Raises RequestRefused."""
        asked = _last_user_message(request)
        if request.hints and request.hints.several and self.replies.by != "prompt":
            raise _refused(
                f"replies recorded by {self.replies.by} are drafts, and a list of values is asked for"
            )
        found = self._search(asked)
        if self.replies.by == "prompt":
            choices = self._of_prompt(found.get("prompt", asked), request)
        elif self.replies.by == "label":
            choices = self._number(self._label(found, request), self._draw(found, request))
        else:
            choices = self._number("", self._draw(found, request))
        prompt = prompt_characters(request.messages)
        answer = sum(len(choice.text) for choice in choices)
        usage = Usage(about_tokens(prompt), about_tokens(answer))
        return ChatReply(choices, self.model, usage)

    async def close(self) -> None:
        """Nothing is open."""

    def _search(self, message: str) -> Mapping[str, str]:
        """The named groups that took part in the match."""
        if self._match is None:
            return {}
        match = self._match.search(message)
        if match is None:
            raise _refused(f"match {self._match.pattern!r} is not found in the prompt {_excerpt(message)}")
        return {name: text for name, text in match.groupdict().items() if text is not None}

    def _of_prompt(self, prompt: str, request: ChatRequest) -> tuple[Choice, ...]:
        group = self.replies.groups.get(_group_name(prompt))
        if group is None:
            raise _refused(f"no recorded reply has the prompt {_excerpt(prompt)}")
        seed = request.seed if request.seed is not None else seed_from(request.hash)
        return tuple(group[(seed + index) % len(group)] for index in range(request.n))

    def _number(self, label: str, draw: int) -> tuple[Choice, ...]:
        group = self.replies.groups.get(label)
        of_label = f" of the label {label!r}" if label else ""
        if group is None:
            known = ", ".join(sorted(self.replies.groups)[:10])
            raise _refused(f"no recorded reply{of_label}; there are replies of: {known}")
        if draw >= len(group):
            raise _refused(f"draw {draw} asks for more than the {len(group)} recorded replies{of_label}")
        return (group[draw],)

    def _label(self, found: Mapping[str, str], request: ChatRequest) -> str:
        if "label" in found:
            return _group_name(found["label"])
        fixed = request.hints.fixed.values() if request.hints else ()
        for value in fixed:
            if _group_name(value) in self.replies.groups:
                return _group_name(value)
        raise _refused(
            "the request names no label of the recorded replies; "
            "give `match` a group (?P<label>...) that finds it in the prompt"
        )

    def _draw(self, found: Mapping[str, str], request: ChatRequest) -> int:
        if "draw" in found:
            if not re.fullmatch(r"[0-9]+", found["draw"]):
                raise _refused(f"the group `draw` of match found {found['draw']!r}, which is no whole number")
            return int(found["draw"])
        if request.hints is None:
            raise _refused(
                "the request names no draw number; give `match` a group (?P<draw>[0-9]+), "
                "and write {{ draw }} into the prompt template"
            )
        return request.hints.draw


def _compiled(match: str, by: By) -> re.Pattern[str]:
    """The expression, checked. Raises InputError where it could never say what is needed."""
    try:
        pattern = re.compile(match)
    except re.error as error:
        message = f"not a regular expression: {error}"
        raise InputError([Problem(message, key=f"match {match!r}")]) from error
    if not _USEFUL_GROUPS[by] & set(pattern.groupindex):
        groups = " or ".join(f"(?P<{name}>...)" for name in sorted(_USEFUL_GROUPS[by]))
        message = f"replies are chosen by {by}, so the expression needs the named group {groups}"
        raise InputError([Problem(message, key=f"match {match!r}")])
    return pattern


def _last_user_message(request: ChatRequest) -> str:
    for message in reversed(request.messages):
        if message.role == "user":
            return message.content
    raise _refused("the request has no user message")


def _refused(detail: str) -> RequestRefused:
    return RequestRefused(NO_REPLY, detail, status=400)


def _excerpt(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= _EXCERPT else flat[:_EXCERPT] + "…")
