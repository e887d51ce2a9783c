"""The classifier student: learns, is deterministic, and says why where it cannot learn."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from seedbed.student import STUDENTS
from seedbed.student.classifier import Classifier, ClassifierOptions, FittedClassifier
from seedbed.student.protocol import Lesson, StudentError
from seedbed.student.rows import Row
from seedbed.tasks.classification import Classification

TEXTS = [
    "the parcel never arrived",
    "my parcel is late again",
    "where is the parcel",
    "the refund is missing",
    "please refund the money",
    "my refund was too small",
]
LABELS = ["delivery"] * 3 + ["refund"] * 3


def test_the_table_offers_it_without_importing_sklearn() -> None:
    code = (
        "import sys; from seedbed.student import STUDENTS; import seedbed.student.evaluate; "
        "assert STUDENTS.names()[0] == 'classifier'; STUDENTS.get('classifier'); "
        "assert not any(name.startswith('sklearn') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_scikit_learn_the_error_has_the_line_to_type() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from seedbed.core.errors import SeedbedError\n"
        "from seedbed.student.classifier import Classifier, ClassifierOptions\n"
        "from seedbed.student.protocol import Lesson\nfrom seedbed.student.rows import Row\n"
        "try:\n    learnt_from = [Row('1', 'a b', 'x'), Row('2', 'c d', 'y')]\n"
        "    Classifier(ClassifierOptions()).fit(Lesson(None, learnt_from, (), 0, None, None))\n"
        "except SeedbedError as error:\n    print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("SeedbedError ")
    assert "pip install 'seedbed[classifier]'" in done.stdout


TASK = Classification.bind(Classification.Options(input="text", label="label"), None)


def learnt(texts: Sequence[str], labels: Sequence[str], **options: Any) -> FittedClassifier:
    rows = [Row(str(at), text, label) for at, (text, label) in enumerate(zip(texts, labels, strict=True))]
    return Classifier(ClassifierOptions(**options)).fit(Lesson(TASK, rows, (), 0, Path("unused"), Path()))


def said(student: FittedClassifier, texts: Sequence[str]) -> list[str]:
    return student.answer([Row(str(at), text, "") for at, text in enumerate(texts)])


@pytest.mark.parametrize("features", ["word", "single-word", "word+char", "embedding"])
def test_it_learns(features: str) -> None:
    fitted = learnt(TEXTS, LABELS, features=features)
    assert said(fitted, ["the late parcel", "refund me"]) == ["delivery", "refund"]
    assert said(fitted, []) == []
    assert fitted.notes == ()


def test_single_words_do_not_see_their_order() -> None:
    texts, labels = ["dog bites man", "man bites dog"] * 5, ["dog", "man"] * 5
    told = {
        features: said(learnt(texts, labels, features=features), texts) == labels
        for features in ("word", "single-word")
    }
    assert told == {"word": True, "single-word": False}


def test_characters_see_through_a_typo() -> None:
    texts, labels = ["cancellation", "delivery"] * 5, ["cancel", "deliver"] * 5
    fitted = learnt(texts, labels, features="word+char")
    assert said(fitted, ["cancelation", "delivry"]) == ["cancel", "deliver"]


def test_a_model_in_a_folder_embeds(tmp_path: Path) -> None:
    """It knows that two words are alike which no training row has together."""
    model2vec, tokenizers = pytest.importorskip("model2vec"), pytest.importorskip("tokenizers")
    words = {"[UNK]": 0, "parcel": 1, "package": 2, "refund": 3, "money": 4}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    vectors = np.array([[0, 0], [1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]], dtype=np.float32)
    model2vec.StaticModel(vectors, tokenizer).save_pretrained(tmp_path / "words")
    rows = [
        Row(str(at), text, label) for at, (text, label) in enumerate([("parcel", "x"), ("refund", "y")] * 3)
    ]
    options = ClassifierOptions(features="embedding", model="words")
    fitted = Classifier(options).fit(Lesson(TASK, rows, (), 0, tmp_path, tmp_path))
    assert said(fitted, ["package", "money"]) == ["x", "y"]


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    options = ClassifierOptions(features="embedding", model="nowhere")
    rows = [Row(str(at), text, label) for at, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True))]
    with pytest.raises(StudentError, match=r"student.classifier.model: there is no folder .*nowhere"):
        Classifier(options).fit(Lesson(TASK, rows, (), 0, tmp_path, tmp_path))
    unused = Classifier(ClassifierOptions(model="nowhere"))
    assert unused.problems(TASK)[0][0] == ("model",)


def test_labels_come_back_as_they_were() -> None:
    """Also those that a fixed-width array of text would cut: numpy drops trailing NULs."""
    labels = ["refund\0", "refund"] * 3
    fitted = learnt(TEXTS, labels)
    assert said(fitted, TEXTS) == labels


def test_odd_texts_are_only_texts() -> None:
    odd = ["", "\0", "\ud800 lone", "مرحبا بالعالم", "word " * 50_000, "…"]
    fitted = learnt([*TEXTS, *odd], [*LABELS, *["odd"] * 6], features="word+char")
    assert len(said(fitted, odd)) == 6


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ([], [], "no training rows"),
        (["a b", "c d"], ["x", "x"], "all 2 training rows are labelled 'x'"),
        (["…", "!"], ["x", "y"], "none of the 2 training texts has a word"),
    ],
)
def test_what_cannot_be_learnt_is_named(texts: list[str], labels: list[str], message: str) -> None:
    with pytest.raises(StudentError, match=message):
        learnt(texts, labels)


def test_a_machine_that_does_not_settle_says_so() -> None:
    """Labels by chance and next to no regularisation: there is nothing to settle on."""
    rng = random.Random(0)
    texts = [f"same word{index % 40}" + f" rare{index}" * (index % 2) for index in range(400)]
    labels = [rng.choice("xy") for _ in texts]
    fitted = learnt(texts, labels, c=1e6)
    assert "stopped after 5,000 iterations" in fitted.notes[0]


@pytest.mark.parametrize("options", [{"c": 0}, {"c": float("inf")}, {"features": "bytes"}, {"C": 1}])
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        STUDENTS.get("classifier").Options.model_validate(options)


def test_every_option_is_described_and_has_a_default_or_is_asked_for_by_name() -> None:
    required = {"command": {"command"}, "trl": {"model"}}
    for name in STUDENTS:
        student = STUDENTS.get(name)
        assert student.name == name
        assert student.version >= 1
        fields = student.Options.model_fields
        assert all(field.description for field in fields.values())
        lacking = {key for key, field in fields.items() if field.is_required()}
        assert lacking == required.get(name, set())
        if lacking:
            with pytest.raises(ValidationError) as caught:
                student.Options()
            assert {error["loc"][0] for error in caught.value.errors()} == lacking
