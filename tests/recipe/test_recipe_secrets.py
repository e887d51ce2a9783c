"""Endpoints and keys come from the environment, and a key is seen nowhere."""

from __future__ import annotations

import pickle

import pytest

from seedbed.recipe import Secret, WireRole, to_lock_yaml
from tests.recipe.fake_registry import Fail, Load

KEY = "sk-live-0123456789"
RECIPE = "name: a\ntask: {kind: instruction}\nroles:\n  teacher: {model: m%s}\n"
URL = {"OPENAI_BASE_URL": "http://localhost:8000/v1"}


def wire(load: Load, extra: str, env: dict[str, str]) -> WireRole:
    role = load(RECIPE % extra, env=env).recipe.teacher
    assert isinstance(role, WireRole)
    return role


def test_the_usual_variables_are_the_defaults(load: Load) -> None:
    role = wire(load, "", URL)
    assert (role.endpoint.url, role.endpoint.declared) == (URL["OPENAI_BASE_URL"], "env:OPENAI_BASE_URL")
    assert role.api_key is None
    role = wire(load, "", URL | {"OPENAI_API_KEY": f" {KEY}\n"})
    assert role.api_key is not None
    assert (role.api_key.name, role.api_key.reveal()) == ("OPENAI_API_KEY", KEY)


def test_variables_can_be_named(load: Load) -> None:
    env = {"MY_URL": "https://models.example:8443/v1", "MY_KEY": KEY}
    role = wire(load, ", endpoint: env:MY_URL, api_key: env:MY_KEY", env)
    assert role.endpoint.url == env["MY_URL"]
    assert role.api_key == Secret("MY_KEY", KEY)


def test_a_key_is_seen_nowhere(load: Load) -> None:
    loaded = load(RECIPE % ", api_key: env:MY_KEY", env=URL | {"MY_KEY": KEY})
    recipe = loaded.recipe
    assert isinstance(recipe.teacher, WireRole)
    seen = [
        repr(loaded),
        repr(recipe),
        str(recipe.teacher),
        repr(recipe.model_dump()),
        recipe.model_dump_json(),
        to_lock_yaml(loaded),
        f"{recipe.teacher.api_key}",
    ]
    assert not [text for text in seen if KEY in text]
    assert pickle.loads(pickle.dumps(recipe.teacher.api_key)) == recipe.teacher.api_key


@pytest.mark.parametrize(
    ("extra", "env", "key", "message"),
    [
        ("", {}, "endpoint", "the environment variable OPENAI_BASE_URL is not set"),
        ("", {"OPENAI_BASE_URL": " "}, "endpoint", "the environment variable OPENAI_BASE_URL is not set"),
        (
            ", endpoint: env:MY_URL",
            URL,
            "endpoint",
            "the environment variable MY_URL is not set; export MY_URL",
        ),
        (", endpoint: localhost", {}, "endpoint", "must be a URL such as"),
        (", endpoint: 'ftp://x/v1'", {}, "endpoint", "must be a URL such as"),
        (", endpoint: 'http:///v1'", {}, "endpoint", "must be a URL such as"),
        (", endpoint: 'http://x:99999/v1'", {}, "endpoint", "must be a URL such as"),
        (", endpoint: 'http://x y/v1'", {}, "endpoint", "must be a URL such as"),
        (", endpoint: 8000", {}, "endpoint", "must be a URL such as"),
        (f", endpoint: {KEY}", {}, "endpoint", "must be a URL such as"),
        (f", endpoint: 'http://user:{KEY}@x/v1'", {}, "endpoint", "must not hold a user name or key"),
        (f", endpoint: 'http://x/v1?key={KEY}'", {}, "endpoint", "must end with its path"),
        (f", api_key: {KEY}", URL, "api_key", "never written into a recipe; write env:NAME"),
        (", api_key: 1234567890", URL, "api_key", "never written into a recipe; write env:NAME"),
        (", api_key: env:MY_KEY", URL, "api_key", "the environment variable MY_KEY is not set"),
        (", api_key: env:MY_KEY", URL | {"MY_KEY": f"{KEY}\nx"}, "api_key", "characters that no key has"),
        (", timeout: 0", URL, "timeout", "must be more than 0, not 0"),
        (", concurrency: 0", URL, "concurrency", "must be at least 1, not 0"),
    ],
)
def test_what_a_wire_refuses(fail: Fail, extra: str, env: dict[str, str], key: str, message: str) -> None:
    (problem,) = fail(RECIPE % extra, env=env)
    assert (problem.line, problem.key) == (4, f"roles.teacher.{key}")
    assert message in problem.message
    assert KEY not in str(problem)
    assert "1234567890" not in str(problem)


@pytest.mark.parametrize(
    "override",
    [
        f"roles.teacher.api_key={KEY}",
        f"roles={{teacher: {{model: m, api_key: {KEY}}}}}",
        f"role.teacher.api_kye={KEY}",
        f"roles.teacher={{api_key: [{KEY}",
        f"roles.teacher={KEY}",
        f"roles.teacher.endpoint={KEY}",
        f"roles.teacher.endpoit={KEY}",
        f"roles.teacher.token={KEY}",
    ],
)
def test_a_key_on_the_command_line_is_not_repeated(fail: Fail, override: str) -> None:
    problems = fail(RECIPE % "", [override], URL)
    assert problems
    assert all(problem.file == f"--set {override.partition('=')[0]}=***" for problem in problems)
    assert not [problem for problem in problems if KEY in str(problem)]


def test_what_is_no_secret_is_shown_with_its_typo(fail: Fail) -> None:
    role = "name: a\ntask: {kind: instruction}\nroles:\n  teacher: {recorded: replies.jsonl, by: label}\n"
    (problem,) = fail(role, ["roles.teacher.by=lable"])
    assert problem.file == "--set roles.teacher.by=lable"
    assert "did you mean 'label'?" in problem.message
