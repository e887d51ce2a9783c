"""Whether this machine, and the endpoints of a recipe, are fit for a run: findings with their remedies."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Literal

from seedbed import __version__
from seedbed.core.chat import CHARACTERS_A_TOKEN, Message, prompt_characters
from seedbed.core.errors import InputError, StoreError
from seedbed.models.probe import Found, Offer, ask_all, list_models
from seedbed.recipe import EmbedderRole, Endpoint, WireRole
from seedbed.run.binding import BoundRecipe
from seedbed.run.loading import load_bound
from seedbed.run.planner import plan_from_scratch
from seedbed.run.rendering import longest_prompts
from seedbed.store.folder import workspace_log
from seedbed.store.reply_file import connect, store_error
from seedbed.verify.sandbox.probes import PROBES, NoSandbox, best_backend

State = Literal["ok", "warning", "failure"]
Area = Literal["machine", "recipe", "endpoint"]

# What a failure in each area ends the command with: the exit codes of a run that stops for the same.
EXIT_CODES: Mapping[Area, int] = {"machine": 1, "recipe": 2, "endpoint": 5}

# Where local servers listen if nobody says otherwise.
LOCAL = {
    "Ollama": 11434,
    "vLLM": 8000,
    "llama.cpp": 8080,
    "LM Studio": 1234,
}
EXTRAS = {
    "classifier": ("sklearn", "trains the student that proves the data, and label_agreement"),
    "trl": ("trl", "fine-tunes a small model as the student"),
    "language": ("py3langid", "tells languages, for translate"),
    "math": ("sympy", "compares formulas, for verify"),
    "sql": ("duckdb", "runs queries, for verify"),
    "report": ("altair", "draws interactive charts into report.html"),
    "prices": ("genai_prices", "knows what hosted models cost"),
}
LEAST_FREE = 1 << 30
PROBE_COMMITS = 20
SLOW_COMMIT_MS = 50.0
MOST_CELLS = 2_000
"""Whose prompts are rendered to find the longest."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `remedy` says what to do about a warning or a failure; a failure would stop a run."""

    area: Area
    name: str
    state: State
    detail: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def exit_code(checks: Sequence[Check]) -> int:
    """That of the first failure: machine before recipe before endpoint. 0 where nothing fails."""
    return next((EXIT_CODES[check.area] for check in checks if check.state == "failure"), 0)


async def examine(
    recipe: Path | None, *, ask: bool = False, env: Mapping[str, str] = os.environ
) -> list[Check]:
    """Look at the machine and, given a recipe, at its endpoints; with `ask` by a few chat requests each.

    What is wrong with the recipe is a finding like any other.
    """
    checks = [*_machine(recipe), *_environment(env)]
    bound: BoundRecipe | None = None
    if recipe is not None:
        try:
            bound = load_bound(recipe, (), env=env)
            checks += await _of_recipe(bound, ask)
        except InputError as error:
            checks += [
                Check("recipe", "recipe", "failure", str(problem), "correct it: nothing can be asked before")
                for problem in error.problems
            ]
    return [*checks, *await _local_servers(bound)]


def _machine(recipe: Path | None) -> list[Check]:
    folder = Path.cwd() if recipe is None else recipe if recipe.is_dir() else recipe.parent
    return [_python(), _disk(folder), _write_probe(folder), _sandbox(), *_extras()]


async def _of_recipe(bound: BoundRecipe, ask: bool) -> list[Check]:
    recipe = bound.recipe
    cells = plan_from_scratch(bound.space, bound.quotas, most=MOST_CELLS)
    longest = longest_prompts(bound, cells)
    checks = [Check("recipe", "recipe", "ok", f"{recipe.name}: valid, {len(cells):,} cells looked at")]
    for name, role in recipe.roles.bound.items():
        if isinstance(role, WireRole):
            for endpoint in role.endpoints:
                checks += await _endpoint(name, role, endpoint, ask, longest.get(name, ()))
        else:
            checks.append(Check("endpoint", name, "ok", "answers in this process: no endpoint is asked"))
    if (embedder := recipe.roles.embedder) is not None:
        for endpoint in embedder.endpoints:
            _, check = await _offered("embedder", embedder, endpoint)
            checks.append(check)
    return checks


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("machine", "Python", "ok", f"{version} at {sys.executable}; Seedbed {__version__}")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:,.1f} GB free in {folder.absolute()}"
    if free < LEAST_FREE:
        return Check(
            "machine", "disk", "warning", detail, "free some space: a full disk stops a run (nothing is lost)"
        )
    return Check("machine", "disk", "ok", detail)


def _write_probe(folder: Path) -> Check:
    """Make a reply log like a run's, commit to it, read it by another connection, and take it away."""
    where = workspace_log(folder).parent
    made, path = not where.exists(), where / f"probe-{os.getpid()}.sqlite"
    try:
        times = _commit(path)
    except StoreError as error:
        return Check("machine", "reply log", "failure", str(error), "use a local disk that you may write")
    except sqlite3.Error as error:
        return Check("machine", "reply log", "failure", str(store_error(path, error)), "check the disk")
    finally:
        for file in where.glob(path.name + "*"):
            file.unlink()
        if made:
            with suppress(OSError):  # a run may have made its log there meanwhile
                where.rmdir()
    each = 1000 * median(times)
    detail = f"{PROBE_COMMITS} commits to a write-ahead log in {where}: {each:.1f} ms each, fsync included"
    if each > SLOW_COMMIT_MS:
        return Check(
            "machine", "reply log", "warning", detail, "a run works but waits for this disk; use a local one"
        )
    return Check("machine", "reply log", "ok", detail)


def _commit(path: Path) -> list[float]:
    """Seconds of each commit. Raises StoreError, also where rows that were committed are not there."""
    writer, times = connect(path), []
    try:
        for row in range(PROBE_COMMITS):
            began = time.perf_counter()
            writer.execute(
                "INSERT INTO attempts (request, scope, draw, cause, detail, endpoint)"
                " VALUES (x'00', x'00', ?, 'probe', '', '')",
                (row,),
            )
            times.append(time.perf_counter() - began)
        reader = connect(path)
        try:
            (rows,) = reader.execute("SELECT count(*) FROM attempts").fetchone()
        finally:
            reader.close()
    finally:
        writer.close()
    if rows != PROBE_COMMITS:
        raise StoreError(f"{path}: {PROBE_COMMITS} rows were committed and {rows} are there")
    return times


def _extras() -> list[Check]:
    checks = []
    for name, (module, use) in EXTRAS.items():
        there = find_spec(module) is not None
        checks.append(
            Check(
                "machine",
                f"extra {name}",
                "ok",
                f"{'installed' if there else 'not installed'}: {use}",
                "" if there else f"pip install 'seedbed[{name}]', if you want it",
            )
        )
    return checks


def _sandbox() -> Check:
    """What keeps a model's programs in here, found out by running hostile ones."""
    try:
        backend = best_backend()
    except NoSandbox as error:
        return Check("machine", "sandbox", "warning", error.problem, error.remedy)
    kept = f"{backend.name} keeps in all of {len(PROBES)} hostile programs"
    if backend.work:
        return Check("machine", "sandbox", "ok", kept)
    return Check(
        "machine",
        "sandbox",
        "ok",
        f"{kept}; programs can write no files in it",
        "apt-get install bubblewrap (Debian, Ubuntu), dnf install bubblewrap (Fedora), for programs that do",
    )


def _environment(env: Mapping[str, str]) -> list[Check]:
    """Which variables are set; what they hold is never shown."""
    names = [name for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY") if env.get(name, "").strip()]
    said = f"{' and '.join(names)} set" if names else "neither OPENAI_BASE_URL nor OPENAI_API_KEY is set"
    return [Check("machine", "environment", "ok", said)]


async def _local_servers(bound: BoundRecipe | None) -> list[Check]:
    """Who answers at the usual ports of this machine. With a recipe only those that are there are listed."""
    urls = {name: f"http://127.0.0.1:{port}/v1" for name, port in LOCAL.items()}
    answers = await asyncio.gather(*(list_models(url) for url in urls.values()))
    found = [
        Check("machine", "local server", "ok", f"{url} (the port of {name}) offers {_listed(offer.shown)}")
        for (name, url), (offer, _) in zip(urls.items(), answers, strict=True)
        if offer is not None
    ]
    if found or bound is not None:
        return found
    ports = ", ".join(map(str, LOCAL.values()))
    return [
        Check(
            "machine",
            "local server",
            "ok",
            f"none answers on ports {ports} of this machine",
            "start one, or name a hosted endpoint; without either the rehearsal teacher answers",
        )
    ]


async def _offered(
    name: str, role: WireRole | EmbedderRole, endpoint: Endpoint
) -> tuple[Offer | None, Check]:
    """What the endpoint lists, and whether the role's model is among it."""
    secret, model = endpoint.api_key or role.api_key, endpoint.model or role.model
    key = secret.reveal() if secret is not None else None
    offer, why = await list_models(endpoint.url, key, seconds=min(10.0, role.timeout))
    place, key_name = f"{name} at {endpoint.declared}", secret.name if secret is not None else None
    if offer is None:
        return None, _unlisted(place, why, key_name)
    # Ollama adds a tag to names that have none, and takes them without it.
    if not {model, f"{model}:latest"} & set(offer.names):
        detail = f"offers no {model!r}, but {_listed(offer.shown)}"
        return offer, Check("endpoint", place, "failure", detail, f"correct roles.{name}.model")
    key_said = f", {key_name} is set and sent" if key_name else ", no key is sent"
    return offer, Check("endpoint", place, "ok", f"answers, offers {model!r}{key_said}")


def _unlisted(place: str, why: str, key_name: str | None) -> Check:
    if "HTTP 401" in why or "HTTP 403" in why:
        remedy = f"set {key_name} to a key that it accepts" if key_name else "it wants a key: set api_key"
        return Check("endpoint", place, "failure", f"key refused: {why}", remedy)
    if "HTTP" in why or "no list of models" in why or "no answer within" in why:
        remedy = "--ask finds out whether it answers"
        return Check("endpoint", place, "warning", f"does not list its models: {why}", remedy)
    return Check(
        "endpoint", place, "failure", f"cannot be reached: {why}", "start it, or correct the endpoint"
    )


async def _endpoint(
    name: str, role: WireRole, endpoint: Endpoint, ask: bool, longest: Sequence[Message]
) -> list[Check]:
    offer, first = await _offered(name, role, endpoint)
    if first.state == "failure" and not (ask and offer is not None):
        return [first]
    place, model = f"{name} at {endpoint.declared}", endpoint.model or role.model
    context = offer.context.get(model) if offer is not None else None
    checks = [first, _fits(place, longest, role.max_tokens, context, ask)]
    if ask:
        secret = endpoint.api_key or role.api_key
        found = await ask_all(
            endpoint.url,
            model,
            secret.reveal() if secret is not None else None,
            secret.name if secret is not None else None,
            role=name,
            seconds=role.timeout,
            longest=longest,
            max_tokens=role.max_tokens,
        )
        checks += [_told(place, one) for one in found]
        if first.state == "failure" and found[0].ok:  # some answer to names that they do not list
            checks[0] = replace(first, state="warning", detail=f"{first.detail}; it answers all the same")
    return checks


def _fits(place: str, longest: Sequence[Message], max_tokens: int, context: int | None, ask: bool) -> Check:
    """The longest prompt against the context length that the endpoint states."""
    name, tokens = f"{place}: context length", prompt_characters(longest) // CHARACTERS_A_TOKEN
    told = f"the longest prompt has about {tokens:,} tokens, an answer at most {max_tokens:,}"
    if context is None:
        remedy = "" if ask else "--ask sends the longest prompt and looks whether it is cut (nine requests)"
        return Check("endpoint", name, "ok", f"not stated; {told}", remedy)
    detail = f"{context:,} tokens; {told}"
    remedy = "raise it at the server (vLLM: --max-model-len), shorten the prompts, or lower max_tokens"
    if tokens > context:
        return Check("endpoint", name, "failure", detail, remedy)
    if tokens + max_tokens > context:
        return Check("endpoint", name, "warning", detail, remedy)
    return Check("endpoint", name, "ok", detail)


def _told(place: str, found: Found) -> Check:
    if found.ok:
        return Check("endpoint", f"{place}: {found.what}", "ok", found.detail)
    stops = found.what == "answers" or (found.what == "longest prompt" and found.ok is False)
    state: State = "failure" if stops else "warning"
    return Check("endpoint", f"{place}: {found.what}", state, found.detail, found.means)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:8]) or "no model"
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
