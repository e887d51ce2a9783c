"""The command student: what it hands to a trainer, what it believes of it, what it says where it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from seedbed.student.attempt import FittedProgram
from seedbed.student.command import CommandOptions
from seedbed.student.protocol import Lesson, StudentError
from tests.student.programs import (
    PREDICTS,
    PYTHON,
    TRAINS,
    command,
    lesson_in,
    rows_of,
    write_trainer,
)


@pytest.fixture
def recipe_folder(tmp_path: Path) -> Path:
    """Its name has what a shell would trip over."""
    folder = tmp_path / "my recipe's folder"
    folder.mkdir()
    write_trainer(folder)
    return folder


@pytest.fixture
def lesson(recipe_folder: Path) -> Lesson:
    return lesson_in(recipe_folder)


def fit(words: str, lesson: Lesson, **options: Any) -> FittedProgram:
    return command(words, **{"score": "scores.json", **options}).fit(lesson)


def problem(words: str, lesson: Lesson, **options: Any) -> str:
    """What is said of a trainer that fails; it names its log, and nothing of it counts as done."""
    with pytest.raises(StudentError) as caught:
        fit(words, lesson, **options)
    assert str(lesson.folder / "train.log") in str(caught.value)
    assert not (lesson.folder / "done.json").exists()
    return str(caught.value)


def test_it_learns_reports_and_answers(lesson: Lesson) -> None:
    fitted = fit(TRAINS, lesson, predict=PREDICTS)
    assert fitted.reported == {"rows": 4, "accuracy": 1.0}
    asked = rows_of("asked", ["refund me now", "the parcel"])
    assert fitted.answer(asked) == ["refund", "delivery"]
    assert fitted.answer([]) == []
    assert fitted.notes == ()
    log = (lesson.folder / "train.log").read_text()
    assert log.startswith("learnt ")
    assert log.endswith("with seed 7\n")


def test_the_deciding_figure_is_the_first(lesson: Lesson) -> None:
    assert next(iter(fit(TRAINS, lesson, metric="accuracy").reported)) == "accuracy"


def test_what_was_learnt_is_not_learnt_again(lesson: Lesson) -> None:
    counts = f"echo once >> {{out}}/../../count; {TRAINS}"
    first = fit(counts, lesson, metric="accuracy", predict=PREDICTS)
    again = fit(counts, lesson, metric="accuracy", predict=PREDICTS)
    assert list(again.reported.items()) == list(first.reported.items())
    assert again.answer(rows_of("a")) == first.answer(rows_of("a"))
    assert (lesson.folder.parent / "count").read_text() == "once\n"


def test_a_failed_attempt_is_made_again_from_an_empty_folder(lesson: Lesson) -> None:
    leaves_half = f"{TRAINS}; touch {{out}}/half; exit 3"
    assert "ended with exit code 3" in problem(leaves_half, lesson)
    assert (lesson.folder / "out" / "scores.json").exists()
    fitted = fit(f'test -z "$(ls {{out}})" && {TRAINS}', lesson)
    assert fitted.reported["accuracy"] == 1.0
    assert sorted(path.name for path in (lesson.folder / "out").iterdir()) == ["learnt.json", "scores.json"]


def test_without_dev_rows_there_is_an_empty_file(recipe_folder: Path) -> None:
    lesson = lesson_in(recipe_folder, dev=())
    assert fit(TRAINS, lesson).reported == {"rows": 0, "accuracy": 0.0}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("echo no memory; exit 3", "ended with exit code 3; its log is"),
        ("no-such-trainer {train}", "cannot start (exit code 127): a command in it is not found"),
        ("./predict.py", "cannot start (exit code 126)"),
        ("kill -9 $$", "was killed by the system (signal 9): is there memory enough?"),
        ("sh -c 'kill -9 $$'; exit $?", "was killed by the system (signal 9)"),
        ("kill -SEGV $$", "was ended by signal 11 (SIGSEGV)"),
        ("kill -INT $$; exit 0", "was ended by signal 2 (SIGINT)"),
        ("true", "wrote no scores.json in {out}"),
        ("ln -s /etc/hostname {out}/scores.json", "wrote scores.json as a link out of {out}"),
        ("mkdir {out}/scores.json", "wrote scores.json, which cannot be read: Is a directory"),
    ],
)
def test_a_trainer_that_fails_is_named_with_its_log(words: str, said: str, lesson: Lesson) -> None:
    assert said in problem(words, lesson)


def test_the_last_lines_of_the_log_are_shown(lesson: Lesson) -> None:
    said = problem(r"seq 1 40; printf '10%%\r99%%\n\033[31mred\n'; echo on stderr >&2; exit 1", lesson)
    shown = said.split("\n")[1:]
    assert shown[-4:] == ["  40", "  99%", "   [31mred", "  on stderr"]
    assert "  30" not in shown


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ("", "which is no JSON"),
        ("{", "which is no JSON"),
        ("accuracy: 0.9", "which is no JSON"),
        ("[0.9]", "which is no JSON object of numbers"),
        ("0.9", "which is no JSON object of numbers"),
        ("{}", "which is no JSON object of numbers"),
        ('{"accuracy": NaN}', "in which 'accuracy' is nan; scores are finite numbers"),
        ('{"accuracy": -Infinity}', "in which 'accuracy' is -inf"),
        ('{"accuracy": 1e999}', "in which 'accuracy' is inf"),
        ('{"accuracy": "0.9"}', "in which 'accuracy' is no number"),
        ('{"accuracy": true}', "in which 'accuracy' is no number"),
        ('{"accuracy": {"mean": 1}}', "in which 'accuracy' is no number"),
        ('{"accuracy": null, "loss": 1}', "in which 'accuracy' is no number"),
        ('{"loss": 1}', "without 'accuracy', which decides; it has: loss"),
        ("[" * 200_000, "which is no JSON"),
        ('{"accuracy": 1' + "0" * 5_000 + "}", "scores.json"),
        ('{"accuracy": 1, "loss": ' + " " * 2_000_000 + "1}", "wrote more than 1MiB into scores.json"),
        ("\udcff", "which is no JSON"),
    ],
)
def test_a_nonsense_score_is_refused(scores: str, said: str, lesson: Lesson) -> None:
    (lesson.home / "given.json").write_bytes(scores.encode("utf-8", "surrogateescape"))
    message = problem("cp given.json {out}/scores.json; echo done", lesson, metric="accuracy")
    assert said in message
    assert message.endswith("\n  done")


@pytest.mark.parametrize("name", ["../scores.json", "/etc/passwd", "a/../../b", ".", "", "..", "a\0b"])
def test_a_score_file_outside_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        CommandOptions(command="true", score=name)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"score": "s"}, "Field required"),
        ({"command": "t {trian}", "score": "s"}, "nothing stands for {trian}; did you mean {train}?"),
        ({"command": "t {what}", "score": "s"}, "there are: {train}, {dev}, {out}, {seed}"),
        ({"command": "t", "predict": "p {train}"}, "nothing stands for {train}; there are: {out}, {seed}"),
        ({"command": "t", "score": "s", "time": "2"}, "must be a duration"),
        ({"command": "t", "score": "s", "gpu": 1}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CommandOptions.model_validate(options)
    assert said in str(caught.value)


def test_braces_of_the_shell_are_the_shells(lesson: Lesson) -> None:
    words = 'x=1; echo $x {{out}}; echo "{\\"accuracy\\": $x}" > {out}/scores.json; awk \'END{ print 2 }\''
    assert fit(words, lesson).reported == {"accuracy": 1.0}
    assert (lesson.folder / "train.log").read_text() == "1 {out}\n2\n"


def test_options_survive_the_way_to_the_process() -> None:
    options = CommandOptions(command=TRAINS, score="s.json", predict=PREDICTS, time="90m", files="conf.yaml")
    assert options.files == ("conf.yaml",)
    assert CommandOptions.model_validate(options.model_dump(mode="json")) == options


def test_scripts_that_commands_name_are_read() -> None:
    student = command(TRAINS, predict="sh 'ask me.sh' {out} 2>&1 \"", files=["conf.yaml"])
    assert "train.py" in student.reads
    assert list(student.listed) == [(("files",), "conf.yaml")]
    assert list(command("/bin/sh train.sh '' " + "x" * 300, score="s").reads) == ["train.sh"]


class TestAsking:
    def test_it_is_told_what_is_asked_and_never_the_answer(self, lesson: Lesson) -> None:
        keeps = "cat > questions; tee lines < questions > /dev/null; "
        fitted = fit(TRAINS, lesson, predict=keeps + f"{PREDICTS} < questions")
        fitted.answer(lesson.dev)
        asked = [json.loads(line) for line in (lesson.home / "questions").read_text().splitlines()]
        text = lesson.dev[0].text
        assert asked[0] == {"text": text, "id": "dev-0", "messages": [{"role": "user", "content": text}]}
        assert [question["id"] for question in asked] == [row.id for row in lesson.dev]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ("exit 4", "predict ended with exit code 4"),
            ("cat", "gave in line 1 no text as `answer`"),
            ("echo hello", "wrote in line 1 of standard output no JSON"),
            ("echo 3", "wrote in line 1 of standard output no JSON object with id and answer"),
            (f"{PREDICTS} | sed '$d'", "left 1 of the 4 ids that it was asked without an answer"),
            (f"{PREDICTS} | sed s/-0/-x/", "gave in line 1 an id that it was not asked"),
            (f"{PREDICTS} | sed s/-1/-0/", "gave in line 2 an id that it had answered before"),
            ('echo \'{"id": 1, "answer": "a"}\'', "gave in line 1 no text as `id`"),
            ("yes | head -c 300000000", "wrote more than 256MiB to standard output, and was ended"),
            ("kill -9 $$", "predict was killed by the system (signal 9)"),
        ],
    )
    def test_of_dev_rows_what_fails_is_told_with_its_log(self, words: str, said: str, lesson: Lesson) -> None:
        fitted = fit(TRAINS, lesson, predict=f"echo to the log >&2; {words}")
        with pytest.raises(StudentError) as caught:
            fitted.answer(lesson.dev)
        assert said in str(caught.value)
        assert str(caught.value).endswith(f"{lesson.folder / 'predict.log'}\n  to the log")

    @pytest.mark.parametrize(
        "words",
        [
            "tee /dev/stderr; exit 1",
            "tee /dev/stderr",
            "tr a-z A-Z | tee /dev/stderr",
            'sed \'s/.*"id": "\\([^"]*\\)".*"content": "\\([^"]*\\)".*/{"id": "\\2", "answer": ""}/\'',
            'sed \'s/.*"content": "\\([^"]*\\)".*/{"id": "x", "answer": ["\\1"]}/\'',
        ],
    )
    def test_of_the_eval_nothing_is_kept_or_told(self, words: str, lesson: Lesson) -> None:
        """Whatever the command does with what it is asked: only what it writes itself can keep it."""
        secret = "xyzzyplugh"
        fitted = fit(TRAINS, lesson, predict=words)
        with pytest.raises(StudentError) as caught:
            fitted.answer(rows_of("eval", [f"a {secret} refund"]))
        assert secret not in str(caught.value).casefold()
        assert "it has no log, for what it says may hold text of the eval" in str(caught.value)
        files = (path for path in lesson.home.rglob("*") if path.is_file())
        assert [path for path in files if secret.encode() in path.read_bytes().lower()] == []

    def test_a_row_of_the_eval_with_the_id_of_a_dev_row_is_none(self, lesson: Lesson) -> None:
        fitted = fit(TRAINS, lesson, predict="cat >&2; exit 1")
        with pytest.raises(StudentError, match="it has no log"):
            fitted.answer(rows_of("dev", ["a xyzzyplugh refund"]))
        assert not (lesson.folder / "predict.log").exists()

    def test_one_that_does_not_read_answers_all_the_same(self, recipe_folder: Path) -> None:
        rows = rows_of("many", ["word " * 20_000] * 20)
        said = "".join(json.dumps({"answer": "refund", "id": row.id}) + "\n\n" for row in rows)
        (recipe_folder / "answers.jsonl").write_text(said)
        fitted = fit(TRAINS, lesson_in(recipe_folder), predict="cat answers.jsonl; exec 0<&-; sleep 0.2")
        assert fitted.answer(rows) == ["refund"] * 20

    def test_odd_texts_come_back_as_they_were(self, lesson: Lesson) -> None:
        odd = ["", "\0", "\ud800 lone", "مرحبا", "word " * 50_000, '{"id": 1}\n']
        echo = f"""{PYTHON} -c '
import json, sys
for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(dict(id=question["id"], answer=question["text"])))'"""
        fitted = fit(TRAINS, lesson, predict=echo)
        assert fitted.answer(rows_of("odd", odd)) == odd

    def test_one_without_predict_cannot_be_asked(self, lesson: Lesson) -> None:
        assert not command(TRAINS, score="s").answers
        assert command(TRAINS, predict=PREDICTS).answers
        with pytest.raises(StudentError, match="cannot be asked"):
            fit(TRAINS, lesson).answer(rows_of("a"))
