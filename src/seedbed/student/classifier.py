"""The plain student: TF-IDF and a linear support vector machine (Joachims 1998).

Plain on purpose. It trains in seconds without a GPU, has nothing that wants tuning, and what it
says about two training sets (which one teaches more) holds up in stronger models far more often
than its score does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.errors import SeedbedError
from seedbed.core.protocols import Task
from seedbed.student.protocol import Lesson, Student, StudentError
from seedbed.student.rows import Row
from seedbed.text.lexical import Lexical
from seedbed.text.local_models import LocalModel

MAX_ITERATIONS = 5_000


class ClassifierOptions(BaseModel):
    """Settings of the classifier student."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: Literal["word", "single-word", "word+char", "embedding"] = Field(
        default="word",
        description=(
            "`word`: single words and pairs of neighbours. `single-word`: without pairs, of which many are "
            "the manner of one writer. `word+char` adds runs of 2 to 5 characters within words: better "
            "with typos, rich inflection, or scripts written without spaces. "
            "`embedding`: vectors of the `model`, or of the offline embedder."
        ),
    )
    model: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "For `embedding`: a folder with a sentence-transformers or model2vec model, relative to the "
            "recipe's; without it texts are embedded by the offline embedder, which is fitted on the "
            "training rows and sees words and spelling alone."
        ),
    )
    c: float = Field(
        default=1.0,
        gt=0,
        allow_inf_nan=False,
        description="Inverse strength of the regularisation: higher follows the training rows more closely.",
    )


@dataclass(frozen=True, slots=True)
class FittedClassifier:
    """Vectoriser and machine, with the labels that the machine's class numbers stand for."""

    vectoriser: Any
    machine: Any
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()
    reported: Mapping[str, float] = field(default_factory=dict)
    unanswered: int = 0

    def answer(self, rows: Sequence[Row]) -> list[str]:
        if not rows:
            return []
        features = self.vectoriser.transform([row.text for row in rows])
        return [self.labels[number] for number in self.machine.predict(features)]


class _Embedding:
    """Vectors of texts in the form of a vectoriser of scikit-learn."""

    def __init__(self, model: str | None, home: Path, seed: int) -> None:
        self._model, self._home, self._seed = model, home, seed
        self._embed: Callable[[Sequence[str]], Any] | None = None

    def fit_transform(self, texts: Sequence[str]) -> Any:
        if self._model is None:
            self._embed = Lexical.fit(texts, seed=self._seed % 2**32).embed
        else:
            try:
                model = LocalModel.at(self._model, self._home)
            except ValueError as error:
                raise StudentError(f"student.classifier.model: {error}") from None
            if model.lacks:
                raise StudentError(f"student.classifier.model {self._model!r} {model.lacks}")
            self._embed = model.embed
        return self.transform(texts)

    def transform(self, texts: Sequence[str]) -> Any:
        assert self._embed is not None, "fitted before it is used"
        return self._embed(texts)


class Classifier(Student):
    """Sublinear TF-IDF (1 + log tf), L2-normalised, or embeddings, into one-against-rest linear SVMs."""

    name: ClassVar[str] = "classifier"
    version: ClassVar[int] = 1
    Options: ClassVar[type[BaseModel]] = ClassifierOptions
    needs: ClassVar[tuple[str, ...]] = ("sklearn",)
    slow: ClassVar[bool] = False

    def __init__(self, options: ClassifierOptions) -> None:
        self._options = options

    @property
    def answers(self) -> bool:
        return True

    @property
    def listed(self) -> Sequence[tuple[Sequence[str], str]]:
        """The folder of its model, in which another one may be saved."""
        model = self._options.model if self._options.features == "embedding" else None
        return [] if model is None else [(("model",), model)]

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        if self._options.model is not None and self._options.features != "embedding":
            return [
                (("model",), "looks at its model with features: embedding alone; write that, or remove it")
            ]
        if task.label_field is not None:
            return []
        message = (
            "learns labels: it needs a classification task, or a custom one with label, and this one is "
            f"{task.kind}; take a student that writes, or remove student"
        )
        return [((), message)]

    def fit(self, lesson: Lesson) -> FittedClassifier:
        """Learn from the texts and labels of the rows; dev rows and folder are of no use to it.

        Raises StudentError for no rows, a single label, or texts without a single word;
        SeedbedError where scikit-learn is not installed.
        """
        texts, labels = [row.text for row in lesson.rows], [row.answer for row in lesson.rows]
        names = tuple(sorted(set(labels)))
        if not texts:
            raise StudentError("there are no training rows; a classifier needs rows of at least two labels")
        if len(names) == 1:
            raise StudentError(
                f"all {len(texts):,} training rows are labelled {names[0]!r}; "
                "a classifier needs rows of at least two labels"
            )
        svm = _sklearn_svm()
        vectoriser = self._vectoriser(lesson)
        try:
            features = vectoriser.fit_transform(texts)
        except ValueError as error:
            # The one thing that text can lack: anything at all that counts as a word.
            raise StudentError(
                f"none of the {len(texts):,} training texts has a word of two characters or more; "
                "check which field the task reads as its text"
            ) from error
        # Class numbers rather than names: numpy's fixed-width text would cut some names short.
        number = {name: index for index, name in enumerate(names)}
        machine = svm.LinearSVC(C=self._options.c, random_state=lesson.seed % 2**32, max_iter=MAX_ITERATIONS)
        notes = _fit_quietly(machine, features, [number[label] for label in labels])
        return FittedClassifier(vectoriser, machine, names, notes)

    def _vectoriser(self, lesson: Lesson) -> Any:
        if self._options.features == "embedding":
            return _Embedding(self._options.model, lesson.home, lesson.seed)
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import FeatureUnion

        longest = 1 if self._options.features == "single-word" else 2
        words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, longest))
        if self._options.features != "word+char":
            return words
        characters = TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5))
        return FeatureUnion([("words", words), ("characters", characters)])


def _sklearn_svm() -> Any:
    try:
        from sklearn import svm
    except ImportError as error:
        raise SeedbedError(
            "the classifier student needs scikit-learn, which is not installed: "
            "pip install 'seedbed[classifier]'"
        ) from error
    return svm


def _fit_quietly(machine: Any, features: Any, numbers: list[int]) -> tuple[str, ...]:
    """Fit; that it stopped early becomes a note beside the score rather than a warning on stderr."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(features, numbers)
    if machine.n_iter_ < MAX_ITERATIONS:
        return ()
    return (f"the SVM was stopped after {MAX_ITERATIONS:,} iterations; a smaller `c` lets it settle",)
