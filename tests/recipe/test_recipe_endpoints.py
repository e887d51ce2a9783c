"""Several endpoints behind one role, and the embedder: how they are written, refused and locked."""

from __future__ import annotations

import pytest

from seedbed.recipe import EmbedderRole, Secret, WireRole, load_recipe, to_lock_yaml
from tests.recipe.fake_registry import DEFAULT_FILTERS, Fail, Load, fake_registry

HEAD = "name: n\ntask: {kind: classification, input: text, label: label, labels: [a, b]}\n"
ENV = {"GPU2_URL": "http://gpu2:8000/v1", "GPU2_KEY": "sk-of-gpu2-123456"}
SEVERAL = (
    HEAD
    + """roles:
  teacher:
    model: m
    endpoint:
      - http://gpu1:8000/v1
      - {url: env:GPU2_URL, weight: 2, api_key: env:GPU2_KEY, model: other-name}
"""
)


def teacher(load: Load, text: str) -> WireRole:
    role = load(text, env=ENV).recipe.teacher
    assert isinstance(role, WireRole)
    return role


def test_urls_and_maps_stand_side_by_side(load: Load) -> None:
    first, second = teacher(load, SEVERAL).endpoints
    assert (first.url, first.weight, first.api_key, first.model) == ("http://gpu1:8000/v1", 1.0, None, None)
    assert (second.declared, second.url, second.weight) == ("env:GPU2_URL", ENV["GPU2_URL"], 2.0)
    assert (second.api_key, second.model) == (Secret("GPU2_KEY", ENV["GPU2_KEY"]), "other-name")


def test_one_is_one_however_it_is_written(load: Load) -> None:
    for written in ("http://x/v1", "[http://x/v1]", "{url: http://x/v1}"):
        (one,) = teacher(load, HEAD + f"roles: {{teacher: {{model: m, endpoint: {written}}}}}").endpoints
        assert (one.url, one.weight) == ("http://x/v1", 1.0)


def test_the_lock_loads_again_and_holds_no_key(load: Load) -> None:
    text = SEVERAL + "  embedder: {model: e, endpoint: [env:GPU2_URL, {url: http://e/v1, weight: 3}]}\n"
    loaded = load(text, env=ENV)
    locked = to_lock_yaml(loaded)
    assert ENV["GPU2_KEY"] not in locked
    assert ENV["GPU2_URL"] not in locked
    (loaded.folder / "recipe.yaml").write_text(locked)
    again = load_recipe(loaded.folder, fake_registry(), (), ENV, default_filters=DEFAULT_FILTERS)
    assert again.recipe == loaded.recipe


@pytest.mark.parametrize(
    ("endpoint", "key", "said"),
    [
        ("[]", "endpoint", "is an empty list"),
        ("[http://x/v1, localhost]", "endpoint[1].url", "must be a URL such as"),
        ("[http://x/v1, {weight: 2}]", "endpoint[1].url", "this key is missing"),
        ("[http://x/v1, {url: http://y/v1, weigth: 2}]", "endpoint[1].weigth", "did you mean 'weight'?"),
        ("[{url: http://x/v1, weight: 0}]", "endpoint[0].weight", "must be more than 0"),
        ("[{url: http://x/v1, api_key: sk-123456}]", "endpoint[0].api_key", "never written into a recipe"),
        ("[http://x/v1, env:NO_SUCH]", "endpoint[1].url", "variable NO_SUCH is not set"),
        ("[http://x/v1, http://x/v1]", "endpoint", "stands there twice"),
        (
            "[{url: http://x/v1, model: a}, {url: http://X:80/v1/, model: b}]",
            "endpoint",
            "stands there twice",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_key(fail: Fail, endpoint: str, key: str, said: str) -> None:
    problems = fail(HEAD + f"roles: {{teacher: {{model: m, endpoint: {endpoint}, retries: -1}}}}", env=ENV)
    found = {problem.key: problem.message for problem in problems}
    assert said in found[f"roles.teacher.{key}"]
    assert "roles.teacher.retries" in found  # everything at once
    assert len(problems) == 2
    assert "sk-123456" not in str(problems)


@pytest.mark.parametrize("concurrency", ["auto", 7])
def test_concurrency_is_a_number_or_auto(load: Load, concurrency: str | int) -> None:
    text = HEAD + f"roles: {{teacher: {{model: m, endpoint: http://x/v1, concurrency: {concurrency}}}}}"
    assert teacher(load, text).concurrency == concurrency


@pytest.mark.parametrize("written", ["0", "most", "1.5"])
def test_concurrency_that_is_neither(fail: Fail, written: str) -> None:
    text = HEAD + f"roles: {{teacher: {{model: m, endpoint: http://x/v1, concurrency: {written}}}}}"
    (problem,) = fail(text)
    assert problem.key == "roles.teacher.concurrency"
    assert "auto" in problem.message


def test_an_embedder_is_read(load: Load) -> None:
    text = HEAD + "roles: {embedder: {model: e, endpoint: http://x/v1, revision: r, batch: 8}}"
    role = load(text).recipe.roles.embedder
    assert isinstance(role, EmbedderRole)
    assert (role.model, role.revision, role.batch, role.endpoint.url) == ("e", "r", 8, "http://x/v1")


def test_an_embedder_takes_no_keys_of_a_teacher(fail: Fail) -> None:
    (problem,) = fail(HEAD + "roles: {embedder: {model: e, endpoint: http://x/v1, max_tokens: 5}}")
    assert (problem.key, "unknown key" in problem.message) == ("roles.embedder.max_tokens", True)
