"""A recipe whose student is a command: mended, resumed, killed with its run, blind to the eval."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import uuid
from pathlib import Path

import pytest

from seedbed.run.mixing import opened_run
from seedbed.run.training import Trainer, arms_of, material_of
from tests.cli.workspace import Workspace
from tests.student.programs import PREDICT, PREDICTS, TRAIN, TRAINS, becomes, running

SOURCES = {
    "real": {"path": "data/train.csv", "split": {"dev": 0.3}},
    "eval": {"path": "data/test.csv", "lock": True},
}
GENERATE = {"target": 60, "axes": {"tone": ["calm", "cross"]}}
STOPPED = "seedbed: stopped; what was finished is kept, and the same command goes on"
COUNTED = f"echo trained >> count; {TRAINS}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished rehearsal, without a student yet."""
    workspace = Workspace.make(tmp_path_factory.mktemp("trainer"), sources=SOURCES, generate=GENERATE)
    workspace.run("run", ".")
    return workspace


@pytest.fixture
def workspace(made: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(made.folder, tmp_path, dirs_exist_ok=True)
    for name, text in (("train.py", TRAIN), ("predict.py", PREDICT)):
        (tmp_path / name).write_text(text.replace('"kind"', '"category"'), "utf-8")
    return Workspace(tmp_path)


def with_student(workspace: Workspace, command: str = COUNTED, **options: object) -> None:
    student = {"command": command, "predict": PREDICTS, **options}
    given = {key: value for key, value in student.items() if value is not None}
    workspace.write(sources=SOURCES, generate=GENERATE, student=given)


def trainings(workspace: Workspace) -> int:
    count = workspace.folder / "count"
    return len(count.read_text().splitlines()) if count.exists() else 0


def purposes(workspace: Workspace) -> list[str]:
    lock = json.loads((workspace.run_folder / "eval.lock.json").read_text("utf-8"))
    return [opening["purpose"] for opening in lock["openings"]]


def test_a_trainer_that_fails_is_told_with_its_log_mended_and_not_run_for_nothing(
    workspace: Workspace,
) -> None:
    with_student(workspace)
    trainer = workspace.folder / "train.py"
    sound = trainer.read_text("utf-8")
    trainer.write_text("raise SystemExit('the GPU is on fire')\n", "utf-8")
    done = workspace.run("train", ".", expect=2)
    (told,) = (line for line in done.err.splitlines() if "its log is" in line)
    assert ": arms real_only, synthetic_only and mix: the trainer ended with" in told
    assert Path(told.rpartition("its log is ")[2]).is_file()
    assert done.err.count("the GPU is on fire") == 1
    assert "nothing was sent" not in done.err
    trainer.write_text(sound, "utf-8")
    result = workspace.run("train", ".", "--json").json
    assert [arm["problem"] for arm in result["arms"]] == ["", "", ""]
    assert trainings(workspace) == 6
    assert workspace.run("train", ".", "--json").json == result
    assert trainings(workspace) == 6
    trainer.write_text(sound + "print('changed')\n", "utf-8")
    workspace.run("train", ".")
    assert trainings(workspace) == 9


def test_one_that_learns_and_cannot_answer_is_a_problem_of_each_arm(workspace: Workspace) -> None:
    with_student(workspace)
    sound = (workspace.folder / "predict.py").read_text("utf-8")
    ask = sound.index("# ask")
    (workspace.folder / "predict.py").write_text(sound[:ask] + "# ask\nraise SystemExit('no such model')\n")
    done = workspace.run("train", ".", expect=2)
    (told,) = (line for line in done.err.splitlines() if "predict ended with exit code 1; its log" in line)
    assert "arms real_only, synthetic_only and mix: " in told
    assert done.err.count("no such model") == 1


def test_arms_that_fail_each_in_its_own_way_are_told_one_by_one(workspace: Workspace) -> None:
    with_student(workspace, "echo x >> tried; wc -l < tried; : {train} {out}; exit 3")
    done = workspace.run("train", ".", expect=2)
    told = [done.err.count(f"arm {arm}: the trainer") for arm in ("real_only", "synthetic_only", "mix")]
    assert told == [1, 1, 1]
    assert "nothing was sent" not in done.err


def test_no_figure_of_a_trainer_breaks_the_table(workspace: Workspace) -> None:
    scores = '{"loss": 5e300, "words": 123456.789, "accuracy": 0.5}'
    with_student(workspace, f"echo '{scores}' > {{out}}/s.json; : {{train}}", predict=None, score="s.json")
    for arguments in (("train", "."), ("mix", ".", "--search")):
        text = workspace.run(*arguments).out
        assert "5.000e+300" in text
        assert max(map(len, text.splitlines())) <= 100
    rows = [line.split()[-3:] for line in workspace.run("train", ".").out.splitlines() if "e+300" in line]
    assert rows == [["5.000e+300", "123457", "0.500"]] * 3


def test_the_eval_goes_through_a_pipe_and_into_no_file(workspace: Workspace) -> None:
    with_student(workspace, predict=f"tee /dev/stderr | {PREDICTS}")
    workspace.run("train", ".")
    assert purposes(workspace) == ["check"]
    logs = list((workspace.run_folder / "student").rglob("predict.log"))
    assert len(logs) == 3
    assert all(log.read_text() for log in logs)  # what dev rows are asked is kept
    done = workspace.run("evaluate", ".", "--json")
    assert purposes(workspace) == ["check", "evaluate"]
    assert done.json["eval"]["rows"] == 120
    assert trainings(workspace) == 3
    with (workspace.folder / "data" / "test.csv").open(encoding="utf-8") as file:
        texts = [row["text"].encode() for row in csv.DictReader(file)]
    held = {
        path
        for path in workspace.run_folder.rglob("*")
        if path.is_file() and any(text in path.read_bytes() for text in texts)
    }
    assert held == set()
    assert not any(text.decode() in done.out + done.err for text in texts)


def test_one_that_fails_on_the_eval_says_nothing_of_it(workspace: Workspace) -> None:
    """A predict that knows the dev rows alone, and quotes what it does not know."""
    (workspace.folder / "picky.py").write_text(
        "import sys\nfrom pathlib import Path\n"
        "dev = (Path(sys.argv[1]).parent / 'dev.jsonl').read_text()\n"
        "asked = sys.stdin.read()\n"
        "import json\n"
        "for line in asked.splitlines():\n"
        "    question = json.loads(line)\n"
        "    if question['id'] not in dev:\n"
        "        raise SystemExit(question['text'])\n"
        "    print(json.dumps({'id': question['id'], 'answer': 'billing'}))\n"
    )
    workspace.write(
        sources=SOURCES,
        generate=GENERATE,
        student={"command": TRAINS, "predict": PREDICTS.replace("predict.py", "picky.py")},
        mix={"hold_out": 0.0},
    )
    workspace.run("train", ".")
    done = workspace.run("evaluate", ".", expect=2)
    assert "predict ended with exit code 1; it has no log" in done.err
    with (workspace.folder / "data" / "test.csv").open(encoding="utf-8") as file:
        assert not any(row["text"][:40] in done.out + done.err for row in csv.DictReader(file))
    assert purposes(workspace) == ["check", "evaluate"]


def test_a_trainer_that_fails_opens_no_eval_and_one_that_is_mended_opens_it_once(
    workspace: Workspace,
) -> None:
    """The lock as the trainer finds it goes into its log: no opening is on record while it runs."""
    with_student(workspace, f"cat runs/tickets/eval.lock.json; {COUNTED}")
    trainer = workspace.folder / "train.py"
    sound = trainer.read_text("utf-8")
    trainer.write_text("raise SystemExit('the GPU is on fire')\n", "utf-8")
    for _ in range(2):
        assert "the eval stays closed" in workspace.run("evaluate", ".", expect=2).err
    assert purposes(workspace) == ["check"]
    trainer.write_text(sound, "utf-8")
    workspace.run("evaluate", ".")
    assert purposes(workspace) == ["check", "evaluate"]
    logs = [path for path in (workspace.run_folder / "student").rglob("*.log") if path.name != "predict.log"]
    seen = [log.read_text("utf-8") for log in logs if "the GPU" not in log.read_text("utf-8")]
    assert len(seen) == 3
    assert all('"check"' in text and '"evaluate"' not in text for text in seen)


def test_an_opening_is_on_record_before_any_of_the_eval_is_read(workspace: Workspace) -> None:
    """Of an eval that is found to be another one nothing is scored, and it was open all the same."""
    with_student(workspace)
    workspace.run("train", ".")
    with (workspace.folder / "data" / "test.csv").open("a", encoding="utf-8") as file:
        file.write("one more,billing\n")
    assert "the eval file changed" in workspace.run("evaluate", ".", expect=2).err
    assert purposes(workspace) == ["check", "evaluate"]


def test_run_shows_the_proof_of_its_slow_student_and_says_where_there_is_none(workspace: Workspace) -> None:
    with_student(workspace)
    done = workspace.run("run", ".")
    assert "no proof yet: `seedbed evaluate .` trains the student command" in done.err
    assert "What the data is worth" not in done.out
    workspace.run("evaluate", ".")
    done = workspace.run("run", ".")
    assert "no proof yet" not in done.err
    assert "Student command, scored on 120 locked eval rows" in done.out
    # It is no proof of other records, nor of another trainer.
    done = workspace.run("run", ".", "--target", "64")
    assert "no proof yet" in done.err
    assert "What the data is worth" not in done.out
    assert "What the data is worth" not in workspace.run("report", ".").out
    workspace.run("evaluate", ".", "--set", "generate.target=64")
    with (workspace.folder / "train.py").open("a", encoding="utf-8") as file:
        file.write("print('changed')\n")
    done = workspace.run("run", ".", "--target", "64")
    assert "no proof yet" in done.err
    assert "What the data is worth" not in done.out
    assert trainings(workspace) == 6


def test_its_own_figures_are_shown_and_the_eval_stays_closed(workspace: Workspace) -> None:
    with_student(workspace, predict=None, score="scores.json", metric="accuracy")
    text = workspace.run("train", ".").out
    assert "by what its trainer reports" in text
    assert "accuracy" in text
    result = workspace.run("train", ".", "--json").json
    assert (result["metric"], set(result["reported"])) == ("accuracy", {"real_only", "synthetic_only", "mix"})
    assert "give it predict" in workspace.run("evaluate", ".", expect=2).err
    assert purposes(workspace) == ["check"]


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_leaves_no_trainer_and_goes_on(workspace: Workspace, sent: signal.Signals) -> None:
    mark = f"mark{uuid.uuid4().hex}"
    waits = f"test -e go || exec bash -c 'exec -a {mark} sleep 300'; "
    with_student(workspace, waits + COUNTED)
    process = workspace.start("train", ".")
    assert becomes(lambda: running(f"{mark}\0") != [])
    os.killpg(process.pid, sent)
    _, err = process.communicate(timeout=60)
    if sent == signal.SIGINT:
        assert process.wait() == 130
        assert err.splitlines()[-1] == STOPPED
    assert becomes(lambda: running(mark) == [])
    (workspace.folder / "go").touch()
    result = workspace.run("train", ".", "--json").json
    assert [arm["problem"] for arm in result["arms"]] == ["", "", ""]
    assert trainings(workspace) == 3
    assert not list((workspace.run_folder / "student").glob("job-*")), "rows of the stopped one are left"


@pytest.mark.parametrize(
    "arguments",
    [("evaluate", "."), ("mix", ".", "--search"), ("mix", ".", "--ablate", "filters")],
    ids=lambda arguments: " ".join(arguments),
)
def test_whoever_has_it_trained_says_that_it_was_stopped(
    workspace: Workspace, arguments: tuple[str, ...]
) -> None:
    mark = f"mark{uuid.uuid4().hex}"
    with_student(workspace, f"bash -c 'exec -a {mark} sleep 300'; : {{train}} {{out}}")
    process = workspace.start(*arguments)
    assert becomes(lambda: running(f"{mark}\0") != [])
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.wait() == 130
    assert err.splitlines()[-1] == STOPPED
    assert becomes(lambda: running(mark) == [])


@pytest.mark.parametrize("predict", [PREDICTS, None])
def test_what_a_search_learnt_and_threw_away_is_learnt_once_more_by_train_and_not_by_evaluate(
    workspace: Workspace, predict: str | None
) -> None:
    """What cannot be asked is of no use to an evaluation: its figures are all there is, and are kept."""
    with_student(workspace, predict=predict, score="scores.json")
    with opened_run(workspace.folder, ()) as bound:
        assert bound.recipe.student is not None
        material = material_of(bound)
        trainer = Trainer(bound, bound.recipe.student, material.dev, lambda line: None)
        arms = arms_of(bound, material)
        searched = [trainer.answers(arms) for _ in range(2)]
        assert trainings(workspace) == 3
        assert not list(bound.folder.trained.glob("*/done.json"))
        kept = [trainer.answers(arms, keep=True) for _ in range(2)]
        assert kept == searched
        assert trainings(workspace) == (6 if predict else 3)
    if predict:
        workspace.run("evaluate", ".")
        assert trainings(workspace) == 6
