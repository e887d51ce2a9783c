"""`semantic_duplicates`: kin whatever the order of their words, by embedders of this machine."""

from __future__ import annotations

import json
import pickle
import random
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from benchmarks.filters import semantic_duplicates as benchmark
from benchmarks.filters import toolformer
from benchmarks.filters.figure import Figure, table
from benchmarks.filters.human_items import false_drop
from seedbed.core.protocols import FilterContext
from seedbed.filters.semantic_duplicates import HIGHEST, LOWEST, STEP, SemanticDuplicates
from seedbed.stats.intervals import wilson
from seedbed.text.local_models import LocalModel
from tests.cli.workspace import Workspace
from tests.filters.tickets import QUESTIONS, TICKETS, build, falls, record, ticket

RealData = Callable[[str], Path]

THINGS = ("lamp", "chair", "oven", "bed", "kettle", "carpet", "mirror", "shelf")
WHERE = ("in the kitchen", "at my office", "next to the stairs", "under our roof", "behind the garage")
WHAT = ("arrived with a crack", "makes a strange noise", "has the wrong colour", "never arrived")
REAL = [f"the {thing} that I put {where} {what}" for thing in THINGS for where in WHERE for what in WHAT]
CONTEXT = FilterContext(TICKETS, REAL, real=[ticket(text, f"real-{at}") for at, text in enumerate(REAL)])
NAME = "semantic_duplicates"


def options(folder: Path, **values: Any) -> Any:
    return SemanticDuplicates.Options.model_validate(values, context={"folder": folder})


def test_what_is_said_in_another_order_falls_and_something_else_does_not() -> None:
    each, minhash = build(NAME, CONTEXT, threshold=0.95), build("near_duplicates", CONTEXT)
    rng, found, missed = random.Random(5), 0, 0
    for text in REAL:
        shuffled = " ".join(rng.sample(text.split(), len(text.split())))
        found += falls(each, [text, shuffled]).keys() == {"1"}
        missed += not falls(minhash, [text, shuffled])
    print(f"of {len(REAL)} shuffled texts {found} are found, near_duplicates misses {missed}")
    assert found > 0.8 * len(REAL)
    assert missed > 0.9 * len(REAL)
    assert falls(each, [REAL[0], "the mirror that I put behind the garage never arrived"]) == {}


def test_the_threshold_is_the_lowest_at_which_one_real_row_in_a_hundred_falls() -> None:
    words = [f"{a}{b}nter" for a in "bdfgk" for b in "aeiou"]
    rng = random.Random(3)
    texts = [" ".join(rng.sample(words, 4)) for _ in range(400)]
    each = build(NAME, FilterContext(TICKETS, texts))
    assert LOWEST < each.threshold < HIGHEST
    assert len(falls(each, texts)) <= 4
    lower = build(NAME, FilterContext(TICKETS, texts), threshold=each.threshold - STEP)
    assert len(falls(lower, texts)) > 4
    twice = [f"{text} {text}" for text in texts]
    assert build(NAME, FilterContext(TICKETS, [*texts, *twice])).threshold == HIGHEST


def test_few_real_rows_calibrate_nothing() -> None:
    assert build(NAME, FilterContext(TICKETS, REAL[:49])).threshold == LOWEST
    assert build(NAME, FilterContext(TICKETS, [*REAL[:49]] * 3)).threshold == LOWEST
    unknowing = build(NAME, FilterContext(TICKETS))
    assert unknowing.keys(REAL[:2]) == [[], []]
    assert unknowing.edge(REAL[0], REAL[0]) is None
    rows = [ticket(text) for text in REAL[:49]]
    (message,) = SemanticDuplicates.problems_with_rows(options(Path()), TICKETS, rows)
    assert "wants 50 of them, there are 49" in message
    assert SemanticDuplicates.problems_with_rows(options(Path()), TICKETS, CONTEXT.real) == []


@pytest.mark.parametrize("name", [NAME, "near_duplicates"])
def test_on_compares_chosen_fields_alone(name: str) -> None:
    rows = [record(f"r{at}", question=text, answer=REAL[-at]) for at, text in enumerate(REAL)]
    context = FilterContext(QUESTIONS, [QUESTIONS.as_text(row.fields) for row in rows], real=rows)
    one = record("a", question=REAL[0] + "!", answer="never put our mirror next to a noise")
    other = record("b", question=REAL[0], answer="under the wrong shelf, behind that crack, at the office")
    whole, asked = build(name, context, threshold=0.9), build(name, context, threshold=0.9, on=["question"])
    assert falls(whole, [whole.text(one), whole.text(other)]) == {}
    assert falls(asked, [asked.text(one), asked.text(other)]).keys() == {"1"}
    assert build(name, context, on=["question"])  # calibrated on the questions of the real rows
    plugin = type(asked)
    ((path, message),) = plugin.problems(plugin.Options(on=["qestion"]), QUESTIONS)
    assert (path, "'qestion' is no text field" in message) == (("on",), True)


# Models that are made here: nothing is downloaded, and the tests' socket guard would not let it.


def static_model(folder: Path, words: Sequence[str], *, config: dict[str, Any] | None = None) -> Path:
    """A model2vec model with a vector for each word."""
    model2vec, tokenizers = pytest.importorskip("model2vec"), pytest.importorskip("tokenizers")
    known = {"[UNK]": 0, **{word: at for at, word in enumerate(sorted(set(words)), start=1)}}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    vectors = np.random.default_rng(0).standard_normal((len(known), 24)).astype(np.float32)
    model2vec.StaticModel(vectors, tokenizer, config=config).save_pretrained(folder)
    return folder


def transformer(folder: Path, words: Sequence[str]) -> Path:
    """A sentence-transformers model of one small layer, as its library saves it."""
    library = pytest.importorskip("sentence_transformers")
    transformers = pytest.importorskip("transformers")
    raw = folder.with_name(folder.name + "-raw")
    raw.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(words))]
    numbered = {word: at for at, word in enumerate(vocabulary)}
    transformers.BertTokenizerFast(vocab=numbered).save_pretrained(raw)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    transformers.BertModel(config).save_pretrained(raw)
    # It is given the pooling that it lacks: the mean.
    library.SentenceTransformer(str(raw), device="cpu").save(str(folder))
    return folder


@pytest.mark.parametrize("make", [static_model, transformer])
def test_a_model_in_a_folder_gives_the_vectors(make: Callable[..., Path], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that are none of ours
        make(tmp_path / "model", " ".join(REAL).split())
        chosen = options(tmp_path, embedder="model", threshold=0.97)
        each: Any = SemanticDuplicates.build(chosen, CONTEXT)
        keys = each.keys(REAL[:70])
        assert keys == [each.keys([text])[0] for text in REAL[:70]]
        assert pickle.loads(pickle.dumps(each)).keys(REAL[:3]) == keys[:3]
        assert len(pickle.dumps(each)) < 4096  # the model is read where it is wanted
        same = "that I put the lamp arrived in the kitchen with a crack"
        if make is static_model:
            assert falls(each, [REAL[0], same, REAL[70]]).keys() == {"1"}
        assert each.edge(REAL[0], REAL[0]) == 1.0
        assert SemanticDuplicates.problems(chosen, TICKETS) == []


def test_a_model_that_is_not_there_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="and Seedbed downloads no model; save one there"):
        options(tmp_path, embedder="missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValidationError, match="holds no model of sentence-transformers or model2vec"):
        options(tmp_path, embedder="empty")


def test_another_model_in_the_folder_is_a_change_of_the_options(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec"}))
    before = options(tmp_path, embedder="model").model_dump()
    assert str(tmp_path) not in json.dumps(before)
    assert options(tmp_path, **before) == options(tmp_path, embedder="model")  # a lock loads again
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert options(tmp_path, embedder="model").model_dump() != before
    lacking = LocalModel.at("model", tmp_path).model_copy(update={"library": "no_such_library"})
    assert "needs no_such_library: pip install" in lacking.lacks


def test_a_run_compares_by_a_model_in_the_recipe_s_folder(tmp_path: Path) -> None:
    filters = ["default", {NAME: {"embedder": "static", "threshold": 0.9}}]
    here = Workspace.make(tmp_path, roles={"teacher": {"rehearsal": {"copy": 0.5}}}, filters=filters)
    here.fresh = True
    rows = (tmp_path / "data" / "train.csv").read_text("utf-8").split()
    static_model(tmp_path / "static", rows)
    summary = here.run("run", ".", "--json").json
    (entry,) = [one for one in summary["selftest"]["filters"] if one["filter"] == NAME]
    assert entry["caught"] > 0


@pytest.mark.real_data
def test_it_finds_copies_of_real_messages_that_minhash_misses(real_data: RealData) -> None:
    for name in ("banking77", "anthropic_evals"):
        real_data(name)
    dropped = false_drop(NAME)
    figures = benchmark.of_copies(dropped)
    print(table(figures))
    assert dropped.value <= 0.02
    words, pieces, inflected = figures
    assert words.recall
    assert words.recall.value > 0.9
    assert pieces.recall
    assert pieces.recall.value > 0.9
    assert inflected.recall
    assert inflected.recall.value > 0.05
    assert all(figure.precision and figure.precision.value > 0.97 for figure in figures)


@pytest.mark.real_data
def test_down_the_ladder_fewer_are_kept_and_the_author_agrees_better_than_chance(
    real_data: RealData,
) -> None:
    for name in ("gpteacher", "anthropic_evals", "banking77"):
        real_data(name)
    rungs: list[Figure] = benchmark.ladder(false_drop(NAME))
    print(table(rungs))
    found = [rung.precision.of for rung in rungs if rung.precision]
    assert found == sorted(found)
    for rung, similarity in zip(rungs, toolformer.SIMILARITIES, strict=True):
        truth = toolformer.dropped_by_its_author(similarity)
        assert rung.precision
        assert wilson(rung.precision.hits, rung.precision.of).low > sum(truth) / len(truth)
