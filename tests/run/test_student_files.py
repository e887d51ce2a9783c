"""Files that decide what a student learns: a change of one is another arm, and none is passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import InputError
from seedbed.run.loading import load_bound
from seedbed.run.training import Keys
from seedbed.student.arms import Arm
from seedbed.student.protocol import StudentError
from tests.cli.workspace import Workspace


def key(folder: Path) -> str:
    """That of an arm under the recipe's student as its files are now."""
    bound = load_bound(folder, ())
    assert bound.recipe.student is not None
    return Keys(bound, bound.recipe.student, ()).name(Arm("real_only", (), 0, 0)).key


def trainer(files: Any) -> dict[str, Any]:
    return {"command": "python train.py {train} {out}", "score": "scores.json", "files": files}


def own_folder(tmp_path: Path) -> tuple[Path, Path]:
    """The recipe's folder, and a folder beside it with a file two folders down."""
    below = tmp_path / "beside" / "deep" / "deeper"
    below.mkdir(parents=True)
    (below / "module.py").write_text("rate = 1\n", "utf-8")
    return tmp_path / "work", tmp_path / "beside"


@pytest.mark.parametrize("absolute", [True, False])
def test_of_a_listed_folder_every_file_counts(absolute: bool, tmp_path: Path) -> None:
    folder, beside = own_folder(tmp_path)
    Workspace.make(folder, student=trainer(str(beside) if absolute else "../beside"))
    first = key(folder)
    module = beside / "deep" / "deeper" / "module.py"
    module.write_text("rate = 2\n", "utf-8")
    changed = key(folder)
    module.rename(module.with_name("renamed.py"))
    assert len({first, changed, key(folder)}) == 3
    module.with_name("renamed.py").rename(module)
    module.write_text("rate = 1\n", "utf-8")
    assert key(folder) == first


def test_a_folder_that_a_command_names_does_not_count(tmp_path: Path) -> None:
    """Else a command with `.` in it would be another one with every file that a run writes."""
    Workspace.make(tmp_path, student={"command": "python train.py . {train} {out}", "score": "scores.json"})
    first = key(tmp_path)
    (tmp_path / "written by a run").touch()
    assert key(tmp_path) == first


def test_another_embedding_model_in_the_same_folder_is_another_student(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "0_StaticEmbedding").mkdir(parents=True)
    weights = model / "0_StaticEmbedding" / "model.safetensors"
    weights.write_bytes(b"one")
    Workspace.make(tmp_path, student={"classifier": {"features": "embedding", "model": "model"}})
    first = key(tmp_path)
    assert key(tmp_path) == first
    weights.write_bytes(b"two")
    assert key(tmp_path) != first


@pytest.mark.parametrize(
    ("student", "place"),
    [
        (trainer("gone"), "student.files"),
        ({"command": trainer(["train.py", "gone"])}, "student.command.files"),
        ({"classifier": {"features": "embedding", "model": "gone"}}, "student.classifier.model"),
    ],
)
def test_what_is_listed_and_not_there_is_told_at_its_key(student: Any, place: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    Workspace.make(tmp_path, student=student)
    with pytest.raises(InputError) as found:
        load_bound(tmp_path, ())
    (problem,) = found.value.problems
    assert (problem.key, problem.file) == (place, str(tmp_path / "recipe.yaml"))
    assert problem.message.startswith(f"there is no file or folder {tmp_path / 'gone'}; ")


def test_what_went_away_since_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "conf.yaml").touch()
    Workspace.make(tmp_path, student=trainer("conf.yaml"))
    bound = load_bound(tmp_path, ())
    assert bound.recipe.student is not None
    (tmp_path / "conf.yaml").unlink()
    with pytest.raises(StudentError, match=r"student.command.files: there is no file or folder .*conf.yaml"):
        Keys(bound, bound.recipe.student, ())
