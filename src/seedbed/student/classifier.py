"""The plain student: TF-IDF and a linear support vector machine (Joachims 1998).

Plain on purpose. It trains in seconds without a GPU, has nothing that wants tuning, and what it
says about two training sets (which one teaches more) holds up in stronger models far more often
than its score does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.errors import SeedbedError
from seedbed.core.protocols import Task
from seedbed.student.protocol import Lesson, StudentError
from seedbed.student.rows import Row

MAX_ITERATIONS = 5_000


class ClassifierOptions(BaseModel):
    """Settings of the classifier student."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: Literal["word", "single-word", "word+char"] = Field(
        default="word",
        description=(
            "`word`: single words and pairs of neighbours. `single-word`: without pairs, which are the wording "
            "of whoever wrote the rows. `word+char` adds runs of 2 to 5 characters within words: better "
            "with typos, rich inflection, or scripts written without spaces."
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

    def answer(self, rows: Sequence[Row]) -> list[str]:
        if not rows:
            return []
        features = self.vectoriser.transform([row.text for row in rows])
        return [self.labels[number] for number in self.machine.predict(features)]


class Classifier:
    """Sublinear TF-IDF (1 + log tf), L2-normalised, into one-against-rest linear SVMs."""

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

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
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
        vectoriser = self._vectoriser()
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

    def _vectoriser(self) -> Any:
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
