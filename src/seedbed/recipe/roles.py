"""Section `roles`: which model answers. A role is bound to a wire, to a recording or to the rehearsal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, PlainSerializer, ValidationInfo, field_validator, model_validator

from seedbed.core.registry import nearest
from seedbed.recipe.document import KeyPath
from seedbed.recipe.licence import Licence, LicenceTerms
from seedbed.recipe.price import InputPrice, PriceEntry
from seedbed.recipe.secret import Secret, look_up, reference
from seedbed.recipe.section import Float, Int, Options, Reading, Section, Text
from seedbed.recipe.units import SecondsBefore
from seedbed.recipe.words import slug

ENDPOINT_VARIABLE = "OPENAI_BASE_URL"
KEY_VARIABLE = "OPENAI_API_KEY"

_MATCH_GROUPS = ("prompt", "label", "draw")

_FIXED = ("teacher", "judge", "embedder")

# What a rehearsal is in each role, and in any other that of the teacher: a plug-in of the table of models.
REHEARSALS = {"teacher": "rehearsal", "judge": "rehearsal_judge"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to ask. `declared` is what the recipe says, a URL or env:NAME.

    `weight`, `api_key` and `model` are its own where it is one of several; `others` are the rest.
    """

    declared: str
    url: str
    weight: float = 1.0
    api_key: Secret | None = None
    model: str | None = None
    others: tuple[Endpoint, ...] = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string"}

    def __str__(self) -> str:
        return self.declared


class EndpointEntry(Section):
    """One of several endpoints of a role."""

    url: Endpoint = Field(description="base URL with its `/v1`, or `env:NAME`")
    weight: Float = Field(1.0, gt=0, description="how much it is preferred where several are free")
    api_key: Annotated[Secret, PlainSerializer(str)] | None = Field(
        None, description="`env:NAME` of its own key (default: that of the role)"
    )
    model: Text | None = Field(None, description="its own name for the model (default: that of the role)")

    @field_validator("url", mode="before")
    @classmethod
    def _reachable(cls, value: Any, info: ValidationInfo) -> Endpoint:
        return _address(value, _env(info))

    @field_validator("api_key", mode="before")
    @classmethod
    def _named(cls, value: Any, info: ValidationInfo) -> Secret:
        return _key(value, _env(info))

    @property
    def endpoint(self) -> Endpoint:
        return replace(self.url, weight=self.weight, api_key=self.api_key, model=self.model)


class Wire(Section):
    """What every role behind an OpenAI-compatible address says."""

    model: Text = Field(description="the model's name, as the endpoint knows it")
    endpoint: Endpoint = Field(
        f"env:{ENDPOINT_VARIABLE}",
        validate_default=True,
        description="base URL with its `/v1`, or `env:NAME` of a variable that holds it; or a list of these",
    )
    api_key: Annotated[Secret, PlainSerializer(str)] | None = Field(
        None,
        validate_default=True,
        description=f"`env:NAME`, never the key itself (default: `env:{KEY_VARIABLE}` if that is set)",
    )
    revision: Text | None = Field(None, description="revision of the weights; kept in every record")
    concurrency: Literal["auto"] | Annotated[Int, Field(ge=1)] = Field(
        "auto", description="most requests in flight at an endpoint; `auto` finds the level that it can carry"
    )
    timeout: Annotated[Float, SecondsBefore] = Field(
        120.0, gt=0, description="time to wait for one answer: seconds, or with a unit, such as `2m`"
    )
    retries: Int = Field(5, ge=0, description="further attempts after one that may heal")

    @field_validator("endpoint", mode="before")
    @classmethod
    def _reachable(cls, value: Any, info: ValidationInfo) -> Endpoint:
        return value if isinstance(value, Endpoint) else _address(value, _env(info))

    @field_validator("api_key", mode="before")
    @classmethod
    def _named(cls, value: Any, info: ValidationInfo) -> Secret | None:
        if value is None:
            default = _env(info).get(KEY_VARIABLE, "").strip()
            return Secret(KEY_VARIABLE, _header_safe(KEY_VARIABLE, default)) if default else None
        return _key(value, _env(info))

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return (self.endpoint, *self.endpoint.others)


class WireRole(Wire):
    """A model behind an OpenAI-compatible address."""

    max_tokens: Int = Field(1024, ge=1, description="longest answer, in tokens; it bounds the cost")
    price: PriceEntry | None = Field(
        None, description="US dollars per million tokens: `{input, output}` (default: the price list's)"
    )
    licence: Licence | None = Field(
        None, description="the model's licence, such as `apache-2.0`, or `{terms, allows_training}`"
    )


class EmbedderRole(Wire):
    """A model of embeddings behind an OpenAI-compatible address."""

    batch: Int = Field(64, ge=1, le=2048, description="most texts in one request")
    price: InputPrice | None = Field(
        None, description="US dollars per million tokens: `{input}` (default: the price list's)"
    )


class RecordedRole(Section):
    """Replies that were recorded before, from a JSONL file."""

    recorded: Text = Field(description="JSONL of replies, relative to the recipe's folder")
    by: Literal["prompt", "label", "order"] = Field(description="what a reply is found by")
    match: Text | None = Field(
        None, description="regular expression over the prompt, with groups `prompt`, `label` or `draw`"
    )
    concurrency: Int = Field(32, ge=1, description="most questions in flight")
    licence: Licence | None = Field(
        None, description="licence of the model that gave the replies, where one did"
    )

    @field_validator("match")
    @classmethod
    def _has_groups(cls, value: str) -> str:
        try:
            groups = re.compile(value).groupindex
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if not groups or not set(groups) <= set(_MATCH_GROUPS):
            raise ValueError("must have named groups among (?P<prompt>…), (?P<label>…) and (?P<draw>…)")
        return value

    @model_validator(mode="after")
    def _finds_the_prompt(self) -> Self:
        if self.match is not None and self.by == "prompt" and "(?P<prompt>" not in self.match:
            raise ValueError("by: prompt needs the group (?P<prompt>…) in match, or no match at all")
        return self


class RehearsalRole(Section):
    """A rehearsal: replies built from the recipe itself, with planted faults."""

    rehearsal: Options = Field(description="rates of the planted faults; `{}` for the defaults")


W = TypeVar("W", bound=Wire)
Role: TypeAlias = WireRole | RecordedRole | RehearsalRole


class Roles(Section):
    """Who answers in which role."""

    teacher: Role = Field(description="writes the drafts (default: the rehearsal teacher)")
    judge: Role | None = Field(None, description="scores what other filters keep; the filter `judge` asks it")
    embedder: EmbedderRole | None = Field(
        None,
        description="gives vectors of texts, which measures, and `semantic_duplicates` if it says so, "
        "compare by meaning",
    )
    others: dict[str, Role] = Field(
        default_factory=dict,
        description="further roles, each under a name of its own beside these: what a method or filter asks",
    )

    @property
    def bound(self) -> Mapping[str, Role]:
        """The roles of chat that the recipe fills, by name."""
        return {
            "teacher": self.teacher,
            **({"judge": self.judge} if self.judge is not None else {}),
            **self.others,
        }

    @property
    def priced(self) -> Mapping[str, Role | EmbedderRole]:
        """Every role that the recipe fills and that may cost something, by name."""
        return {**self.bound, **({"embedder": self.embedder} if self.embedder is not None else {})}


def read_roles(raw: Any, reading: Reading) -> Roles | None:
    """The section; without it the teacher rehearses. None where a role cannot be bound (reported)."""
    findings = reading.findings
    values = findings.mapping(raw, ("roles",))
    further: dict[str, Role | None] = {}
    for name in values:
        if name in _FIXED:
            continue
        if nearest(name, list(_FIXED)) is not None:
            findings.unknown_key(("roles", name), _FIXED)
        elif problem := slug(name):
            findings.add(("roles", name), problem)
        else:  # whether anybody asks it is seen once methods and filters are known
            further[name] = _read_role(values[name], ("roles", name), reading)
    teacher = values.get("teacher")
    role = _read_role({"rehearsal": {}} if teacher is None else teacher, ("roles", "teacher"), reading)
    judge = values.get("judge")
    second = _read_role(judge, ("roles", "judge"), reading) if judge is not None else None
    if role is None or (judge is not None and second is None) or None in further.values():
        return None
    embedder = _read_wire(EmbedderRole, values.get("embedder"), ("roles", "embedder"), reading)
    others = {name: each for name, each in further.items() if each is not None}
    return Roles(teacher=role, judge=second, embedder=embedder, others=others)


def _read_role(raw: Any, path: KeyPath, reading: Reading) -> Role | None:
    findings = reading.findings
    values = findings.mapping(raw, path)
    if not values:
        if not findings.touch(path):
            findings.add(path, "says nothing; write {model: …}, {recorded: …} or {rehearsal: {}}")
        return None
    if isinstance(stated := values.get("licence"), dict):
        values = {**values, "licence": findings.model(LicenceTerms, stated, (*path, "licence"))}
    if "rehearsal" in values:
        return _read_rehearsal(values, path, reading)
    if "recorded" in values:
        return _read_recorded(values, path, reading)
    return _read_wire(WireRole, values, path, reading)


def _read_wire(kind: type[W], raw: Any, path: KeyPath, reading: Reading) -> W | None:
    """A role behind an address, or several; None where it is not declared, or cannot be read (reported)."""
    findings = reading.findings
    values = findings.mapping(raw, path)
    if not values:
        return None
    context = {"env": reading.env}
    several = values.get("endpoint")
    if isinstance(several, list | dict):
        endpoints = _read_endpoints(several, (*path, "endpoint"), reading)
        values = {**values, "endpoint": endpoints}
    return findings.model(kind, values, path, context=context)


def _read_endpoints(raw: list[Any] | dict[str, Any], path: KeyPath, reading: Reading) -> Endpoint:
    """The first endpoint with the others; one without an address where any cannot be read (reported)."""
    findings, context = reading.findings, {"env": reading.env}
    items = [(path, raw)] if isinstance(raw, dict) else [((*path, at), item) for at, item in enumerate(raw)]
    read = [
        findings.model(EndpointEntry, item if isinstance(item, dict) else {"url": item}, where, context)
        for where, item in items
    ]
    if not read:
        findings.add(path, "is an empty list; give at least one URL, such as http://localhost:8000/v1")
    entries = [entry.endpoint for entry in read if entry is not None]
    known = [_server_of(entry.url) for entry in entries]
    twice = [entry.declared for at, entry in enumerate(entries) if known[at] in known[:at]]
    if twice:
        findings.add(path, f"{twice[0]} stands there twice; give it a weight instead")
    if not entries or len(entries) < len(read):
        return Endpoint("", "")
    first, *others = entries
    return replace(first, others=tuple(others))


def wire_role(values: Mapping[str, Any], env: Mapping[str, str]) -> WireRole:
    """A role behind an address from the plain values of a lock. Raises ValueError where `env` lacks some."""
    context = {"env": env}
    several = values["endpoint"]
    if isinstance(several, list):
        first, *others = (EndpointEntry.model_validate(each, context=context).endpoint for each in several)
        values = {**values, "endpoint": replace(first, others=tuple(others))}
    return WireRole.model_validate(values, context=context)


def _server_of(url: str) -> tuple[str, str | None, int | None, str]:
    """What an address leads to, however it is spelt: prices and licences of its replies are kept by that."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port, parts.path.rstrip("/")


def _read_recorded(values: dict[str, Any], path: KeyPath, reading: Reading) -> RecordedRole | None:
    findings, written = reading.findings, values["recorded"]
    if isinstance(written, str) and not (file := reading.folder / written).is_file():
        findings.add((*path, "recorded"), f"no such file: {file}; paths are relative to the recipe's folder")
    return findings.model(RecordedRole, values, path)


def _read_rehearsal(values: dict[str, Any], path: KeyPath, reading: Reading) -> RehearsalRole | None:
    findings = reading.findings
    where = (*path, "rehearsal")
    kind = REHEARSALS.get(str(path[-1]), REHEARSALS["teacher"])
    plugin = findings.plugin(reading.registry.models, kind, where)
    options = findings.model(plugin.Options, values["rehearsal"], where) if plugin is not None else None
    if options is None:
        return None
    return findings.model(RehearsalRole, {**values, "rehearsal": options}, path)


def _address(value: Any, env: Mapping[str, str]) -> Endpoint:
    if not isinstance(value, str):
        raise ValueError("must be a URL such as http://localhost:8000/v1, or env:NAME")
    name = reference(value)
    url = look_up(name, env) if name is not None else value.strip()
    source = f"the value of {name}" if name is not None else "the endpoint"
    # The value is not repeated: people paste keys into the wrong line.
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise ValueError(f"{source} must be a URL such as http://localhost:8000/v1, or env:NAME")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{source} must not hold a user name or key; write api_key: env:NAME")
    if parts.query or parts.fragment:
        raise ValueError(f"{source} must end with its path, without ? or #")
    return Endpoint(f"env:{name}" if name is not None else url, url)


def _key(value: Any, env: Mapping[str, str]) -> Secret:
    name = reference(value) if isinstance(value, str) else None
    if name is None:
        raise ValueError("a key is never written into a recipe; write env:NAME and export NAME")
    return Secret(name, _header_safe(name, look_up(name, env)))


def _env(info: ValidationInfo) -> Mapping[str, str]:
    assert info.context is not None, "a wire role is validated with the environment as its context"
    env: Mapping[str, str] = info.context["env"]
    return env


def _header_safe(name: str, value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"the value of {name} holds characters that no key has; copy the key again")
    return value
