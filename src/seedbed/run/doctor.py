"""Whether this machine, and the endpoints of a recipe, are fit for a run: facts with their remedies."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Literal

from seedbed import __version__
from seedbed.core.errors import StoreError
from seedbed.models.probe import Found, ask_all, list_models
from seedbed.recipe import Endpoint, WireRole
from seedbed.run.loading import load_bound
from seedbed.store.reply_file import connect, store_error

State = Literal["ok", "warning", "problem"]

# Where local servers listen if nobody says otherwise.
LOCAL = {
    "Ollama": 11434,
    "vLLM": 8000,
    "llama.cpp": 8080,
    "LM Studio": 1234,
}
EXTRAS = {
    "classifier": ("sklearn", "trains the student that proves the data, and label_agreement"),
    "report": ("altair", "draws interactive charts into report.html"),
    "prices": ("genai_prices", "knows what hosted models cost"),
}
LEAST_FREE = 1 << 30
PROBE_COMMITS = 20
SLOW_COMMIT_MS = 50.0


@dataclass(frozen=True, slots=True)
class Check:
    """One line. `remedy` says what to do about a warning or a problem; a problem would stop a run."""

    name: str
    state: State
    detail: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


async def examine(
    recipe: Path | None, *, ask: bool = False, env: Mapping[str, str] = os.environ
) -> list[Check]:
    """Look at the machine and, given a recipe, at its endpoints; with `ask` by a few chat requests each.

    Raises RecipeError where the recipe is not valid.
    """
    loaded = load_bound(recipe, ()).loaded if recipe is not None else None
    folder = loaded.folder if loaded is not None else Path.cwd()
    checks = [_python(), _disk(folder), _write_probe(folder), *_extras(), *_environment(env)]
    if loaded is None:
        return [*checks, *await _local_servers()]
    for name, role in loaded.recipe.roles.bound.items():
        if isinstance(role, WireRole):
            for endpoint in role.endpoints:
                checks += await _endpoint(name, role, endpoint, ask)
        else:
            checks.append(Check(f"role {name}", "ok", "answers in process: no endpoint is asked"))
    return checks


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", "ok", f"{version} at {sys.executable}; Seedbed {__version__}")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:,.1f} GB free in {folder.absolute()}"
    if free < LEAST_FREE:
        return Check("disk", "warning", detail, "free some space: a full disk stops a run (nothing is lost)")
    return Check("disk", "ok", detail)


def _write_probe(folder: Path) -> Check:
    """Make a reply log like a run's, commit to it, read it by another connection, and take it away."""
    where = folder / ".seedbed"
    made, path = not where.exists(), where / f"probe-{os.getpid()}.sqlite"
    try:
        times = _commit(path)
    except StoreError as error:
        return Check("reply log", "problem", str(error), "use a local disk that you may write")
    except sqlite3.Error as error:
        return Check("reply log", "problem", str(store_error(path, error)), "check the disk")
    finally:
        for file in where.glob(path.name + "*"):
            file.unlink()
        if made and where.is_dir():
            where.rmdir()
    each = 1000 * median(times)
    detail = f"{PROBE_COMMITS} commits to a write-ahead log in {where}: {each:.1f} ms each, fsync included"
    if each > SLOW_COMMIT_MS:
        return Check("reply log", "warning", detail, "a run works but waits for this disk; use a local one")
    return Check("reply log", "ok", detail)


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
                f"extra {name}",
                "ok",
                f"{'installed' if there else 'not installed'}: {use}",
                "" if there else f"pip install 'seedbed[{name}]', if you want it",
            )
        )
    return checks


def _environment(env: Mapping[str, str]) -> list[Check]:
    """Which variables are set; what they hold is never shown."""
    names = [name for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY") if env.get(name, "").strip()]
    said = f"{' and '.join(names)} set" if names else "neither OPENAI_BASE_URL nor OPENAI_API_KEY is set"
    return [Check("environment", "ok", said)]


async def _local_servers() -> list[Check]:
    urls = {name: f"http://127.0.0.1:{port}/v1" for name, port in LOCAL.items()}
    answers = await asyncio.gather(*(list_models(url) for url in urls.values()))
    found = [
        Check("local server", "ok", f"{url} (the port of {name}) offers {_listed(models)}")
        for (name, url), (models, _) in zip(urls.items(), answers, strict=True)
        if models is not None
    ]
    ports = ", ".join(map(str, LOCAL.values()))
    return found or [
        Check(
            "local server",
            "ok",
            f"none answers on ports {ports} of this machine",
            "start one, or name a hosted endpoint; without either the rehearsal teacher answers",
        )
    ]


async def _endpoint(name: str, role: WireRole, endpoint: Endpoint, ask: bool) -> list[Check]:
    secret, model = endpoint.api_key or role.api_key, endpoint.model or role.model
    key = secret.reveal() if secret is not None else None
    models, why = await list_models(endpoint.url, key, seconds=min(10.0, role.timeout))
    place = f"{name} at {endpoint.declared}"
    checks = [_offer(place, model, models, why, secret.name if secret is not None else None)]
    if checks[0].state == "problem":
        return checks
    if not ask:
        return [
            *checks,
            Check(place, "ok", "not asked anything", "add --ask: nine requests, one of 6,000 words"),
        ]
    found = await ask_all(
        endpoint.url, model, key, secret.name if secret else None, role=name, seconds=role.timeout
    )
    return [*checks, *(_told(place, one) for one in found)]


def _offer(place: str, model: str, models: list[str] | None, why: str, key_name: str | None) -> Check:
    if models is None:
        if "HTTP 401" in why or "HTTP 403" in why:
            remedy = f"set {key_name} to a key that it accepts" if key_name else "it wants a key: set api_key"
            return Check(place, "problem", f"key refused: {why}", remedy)
        if "HTTP" in why or "no list of models" in why:
            return Check(
                place, "warning", f"does not list its models: {why}", "--ask finds out if it answers"
            )
        return Check(place, "problem", f"cannot be reached: {why}", "start it, or correct the endpoint")
    if model not in models:
        return Check(place, "problem", f"offers no {model!r}, but {_listed(models)}", "correct the model")
    return Check(place, "ok", f"reachable, offers {model!r}" + (f", takes {key_name}" if key_name else ""))


def _told(place: str, found: Found) -> Check:
    if found.ok:
        return Check(f"{place}: {found.what}", "ok", found.detail)
    state: State = "problem" if found.what == "answers" else "warning"
    return Check(f"{place}: {found.what}", state, found.detail, found.means)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:8]) or "no model"
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
