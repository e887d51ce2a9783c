"""The eval lock: answers without text, serves many, and goes when its parent goes."""

from __future__ import annotations

import csv
import hashlib
import multiprocessing
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import orjson
import pytest

from seedbed.core.errors import EvalLockError, SeedbedError, SourceError
from seedbed.sources import wire
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.marks import text_hash
from seedbed.sources.spec import SourceSpec
from seedbed.sources.split import split_source

QUESTIONS = [f"How do I return the {noun} that I bought on a {day}?" for noun in
             ("kettle", "mirror", "tent", "violin") for day in ("Monday", "Friday", "Sunday")]  # fmt: skip


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary directory of the test's own, with a name short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.fixture
def eval_file(tmp_path: Path) -> Path:
    path = tmp_path / "eval.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["text", "label"], *([question, "return"] for question in QUESTIONS)])
    return path


@pytest.fixture
def lock(eval_file: Path) -> Iterator[EvalLockServer]:
    with EvalLockServer.start(SourceSpec("test", eval_file, compare=("text",)), needs=("label",)) as server:
        yield server


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children() -> set[int]:
    """This process's children, zombies too."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended while we looked
            if int(entry.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(entry.parent.name))
    return found


class TestAnswers:
    def test_info(self, lock: EvalLockServer, eval_file: Path) -> None:
        info = lock.info
        assert info.sha256 == hashlib.sha256(eval_file.read_bytes()).hexdigest()
        assert (info.path, info.rows, info.compare, info.ignore_after, info.canary, info.draft_rows) == (
            str(eval_file), len(QUESTIONS), ("text",), None, None, 0,
        )  # fmt: skip

    def test_hits_name_rows_in_the_order_of_the_texts(self, lock: EvalLockServer) -> None:
        found = lock.client.check(["Nothing of the kind", QUESTIONS[7].upper() + "!!", "", QUESTIONS[0]])
        assert [[(hit.rule, hit.row) for hit in hits if hit.is_leak] for hits in found] == [
            [],
            [("equal", 7)],
            [],
            [("equal", 0)],
        ]

    def test_near_is_apart(self, lock: EvalLockServer) -> None:
        (hits,) = lock.client.check([f"Good morning. {QUESTIONS[2]} Thank you."])
        assert hits[0].row == 2
        assert not any(hit.is_leak for hit in hits)

    def test_many_texts_keep_their_order(self, lock: EvalLockServer) -> None:
        texts = [f"{QUESTIONS[at % len(QUESTIONS)]}{'?' * (at % 3)}" for at in range(3_500)]
        found = lock.client.check(texts)
        assert [hits[0].row for hits in found] == [at % len(QUESTIONS) for at in range(3_500)]
        assert lock.client.check([]) == []

    @pytest.mark.parametrize(
        "text", ["", "\0", "\ud800 alone", "x" * 1_000_000, "מה שלום הכרטיס שלי", "\u202e reversed", "\n\n"]
    )
    def test_any_text_gets_an_answer(self, lock: EvalLockServer, text: str) -> None:
        assert lock.client.check([text]) == [[]]

    def test_a_lone_surrogate_hides_no_leak(self, lock: EvalLockServer) -> None:
        (hits,) = lock.client.check([QUESTIONS[3].replace(" ", " \ud800 ", 1)])
        assert (hits[0].rule, hits[0].row) == ("equal", 3)

    def test_ignore_after_cuts_both_sides(self, tmp_path: Path) -> None:
        path = tmp_path / "eval.jsonl"
        path.write_text('{"q": "Which is it?\\nOptions: red or blue"}\n{"q": "Another one\\nOptions: x"}\n')
        text = "which is it\nOptions: green or white"
        with EvalLockServer.start(SourceSpec("test", path, compare=("q",))) as whole:
            assert not any(hit.is_leak for hit in whole.client.check([text])[0])
        spec = SourceSpec("test", path, compare=("q",), ignore_after="Options:")
        with EvalLockServer.start(spec) as cut:
            assert cut.info.ignore_after == "Options:"
            assert cut.client.check([text])[0][0].rule == "equal"

    def test_several_columns_are_compared_as_one_text(self, tmp_path: Path) -> None:
        path = tmp_path / "eval.jsonl"
        path.write_text('{"instruction": "Add these", "context": "2 and 2"}\n')
        spec = SourceSpec("test", path, columns={"prompt": "instruction"}, compare=("prompt", "context"))
        with EvalLockServer.start(spec) as server:
            assert server.info.compare == ("instruction", "context")
            found = server.client.check(["Add these", "Add these\n2 and 2"])
        assert [any(hit.is_leak for hit in hits) for hits in found] == [False, True]

    def test_without_compare_the_longest_text_is_compared(self, eval_file: Path) -> None:
        with EvalLockServer.start(SourceSpec("test", eval_file)) as server:
            assert server.info.compare == ("text",)

    def test_common_phrases_do_not_count_as_near(self, tmp_path: Path) -> None:
        opening = "I am writing to you today because I would very much like to know whether"
        path = tmp_path / "eval.jsonl"
        path.write_text(f'{{"text": "{opening} it rains"}}\n')
        text = f"{opening} my parcel was sent, and by whom, and where it might be at this hour"
        spec = SourceSpec("test", path, compare=("text",))
        with EvalLockServer.start(spec) as strict:
            assert strict.client.check([text])[0]
        with EvalLockServer.start(spec, common=[f"{opening} number {n} came" for n in range(50)]) as tolerant:
            assert tolerant.client.check([text]) == [[]]

    def test_a_marker_is_suggested(self, tmp_path: Path) -> None:
        path = tmp_path / "eval.jsonl"
        lines = [{"q": f"Is {n} prime?\nAnswers:\nyes {n}\nno"} for n in range(12)]
        path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        with EvalLockServer.start(SourceSpec("test", path, compare=("q",))) as server:
            found = server.client.suggest_ignore_after([f"Is {n} prime?\nAnswers:\nmaybe" for n in range(5)])
            assert found is not None
            assert (found.marker, found.leaks, found.leaks_now) == ("Answers:", 5, 0)
            assert server.client.suggest_ignore_after(["What is it?"]) is None

    def test_the_canary_of_a_split_is_known_and_found(self, eval_file: Path, tmp_path: Path) -> None:
        spec = SourceSpec("all", eval_file, compare=("text",))
        files = split_source(spec, {"eval": 0.5}, 1, tmp_path / "split")
        with EvalLockServer.start(files.source(spec, "eval")) as server:
            canary = server.info.canary
            assert canary is not None
            (hits,) = server.client.check([f"some text with {canary}-2 in it"])
            assert [(hit.rule, hit.row) for hit in hits] == [("canary", 2)]
            assert all(hit.is_leak for hit in hits)

    def test_decoys_are_found_like_rows_and_are_none(self, eval_file: Path, lock: EvalLockServer) -> None:
        invented = ["The larger half turned out well beside the main hall, says Osmer 4711.23."]
        spec = SourceSpec("test", eval_file, compare=("text",))
        with EvalLockServer.start(spec, needs=("label",), decoys=invented) as server:
            assert server.info == lock.info
            decoy, row = (hits[0] for hits in server.client.check([invented[0], QUESTIONS[0]]))
            assert (decoy.rule, decoy.row) == ("equal", len(QUESTIONS))
            assert (row.rule, row.row) == ("equal", 0)
        assert lock.client.check(invented) == [[]]


class TestRefusals:
    def refusal(self, path: Path, content: bytes, **options: object) -> EvalLockError:
        path.write_bytes(content)
        spec = SourceSpec("test", path, compare=("text",), **options)  # type: ignore[arg-type]
        with pytest.raises(EvalLockError) as caught:
            EvalLockServer.start(spec)
        assert str(caught.value).startswith(str(path))
        return caught.value

    def test_marks_of_our_own_output(self, tmp_path: Path) -> None:
        path = tmp_path / "eval.jsonl"
        found = self.refusal(path, b'{"text": "a"}\n{"text": "b", "seedbed_id": "sbd-1"}\n')
        assert found.problems[0].line == 2
        assert "program's own output" in str(found)
        self.refusal(path, b'{"text": "a", "ref": "sbd-0123456789abcdef01234567"}\n')
        self.refusal(path, b'{"text": "a seedbed-canary-0123456789abcdef01234567 b"}\n')

    def test_a_file_of_drafts(self, eval_file: Path) -> None:
        spec = SourceSpec("test", eval_file, compare=("text",))
        drafts = [text_hash(f"a draft about {n}") for n in range(1_000)]
        with EvalLockServer.start(spec, own_hashes=[*drafts, *map(text_hash, QUESTIONS[:2])]) as server:
            assert server.info.draft_rows == 2
        with pytest.raises(EvalLockError, match="3 of its 12 rows equal a draft of this workspace"):
            EvalLockServer.start(spec, own_hashes=[*drafts, *map(text_hash, QUESTIONS[:3])])

    def test_five_percent_of_a_larger_file(self, tmp_path: Path) -> None:
        path = tmp_path / "eval.csv"
        path.write_text("text\n" + "".join(f"question {n}\n" for n in range(200)))
        spec = SourceSpec("test", path, compare=("text",))
        with EvalLockServer.start(spec, own_hashes=[text_hash(f"Question {n}") for n in range(9)]) as server:
            assert server.info.draft_rows == 9
        with pytest.raises(EvalLockError, match="10 of its 200 rows"):
            EvalLockServer.start(spec, own_hashes=[text_hash(f"Question {n}") for n in range(10)])

    def test_a_marker_that_stands_nowhere(self, tmp_path: Path) -> None:
        found = self.refusal(tmp_path / "eval.jsonl", b'{"text": "a"}\n', ignore_after="Options:")
        assert "`ignore_after` names a marker that stands in none of the rows" in str(found)

    def test_no_text_to_compare(self, tmp_path: Path) -> None:
        path = tmp_path / "eval.jsonl"
        path.write_text('{"n": 1}\n')
        with pytest.raises(EvalLockError, match="name the text to compare with `compare`"):
            EvalLockServer.start(SourceSpec("test", path))

    def test_an_unreadable_file_gives_lines_and_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "eval.csv"
        path.write_bytes(
            b'text,label\nunmistakable walrus,x\nunmistakable \xff,x\n"unmistakable" walrus,x\nwalrus\n'
        )
        with pytest.raises(SourceError) as caught:
            EvalLockServer.start(SourceSpec("test", path, compare=("text",)))
        assert [(problem.file, problem.line) for problem in caught.value.problems] == [
            (str(path), line) for line in (3, 4, 5)
        ]
        assert "walrus" not in str(caught.value)
        assert "unmistakable" not in str(caught.value)

    def test_a_needed_column_that_is_missing(self, eval_file: Path) -> None:
        with pytest.raises(SourceError, match=r"no column 'lable'; there are: .*; did you mean 'label'\?"):
            EvalLockServer.start(SourceSpec("test", eval_file, compare=("text",)), needs=("lable",))

    def test_a_failure_inside_is_told_by_kind_and_place(self, lock: EvalLockServer) -> None:
        _, (address, token) = lock.client.__reduce__()
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(address)
            wire.send(raw, token)
            wire.send(raw, {"do": "check", "with": [["not a text"]]})
            failed = wire.receive(raw)["failed"]
        assert "not a text" not in failed
        assert ".py:" in failed

    def test_a_wrong_token_gets_no_answer(self, lock: EvalLockServer) -> None:
        _, (address, _token) = lock.client.__reduce__()
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(address)
            wire.send(raw, "0" * 32)
            with suppress(ConnectionError):  # who has closed already does not even take the question
                wire.send(raw, {"do": "check", "with": [QUESTIONS[0]]})
                assert wire.receive(raw) is None


class TestClients:
    @pytest.mark.parametrize("method", ["spawn", "fork"])
    def test_one_client_serves_other_processes(self, lock: EvalLockServer, method: str) -> None:
        here = lock.client.check(QUESTIONS)
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
            there = [pool.submit(lock.client.check, QUESTIONS) for _ in range(4)]
            assert [future.result() for future in there] == [here] * 4
        assert lock.client.check(QUESTIONS) == here

    def test_forks_leave_the_parents_connection_alone(self, lock: EvalLockServer) -> None:
        def ask() -> bool:
            return all(lock.client.check([QUESTIONS[at % 12]])[0][0].row == at % 12 for at in range(300))

        def answer(sender: Connection) -> None:
            sender.send(ask())

        assert ask(), "from here on there is a connection to inherit"
        context = multiprocessing.get_context("fork")
        receiver, sender = context.Pipe(duplex=False)
        forks = [context.Process(target=answer, args=(sender,)) for _ in range(2)]
        for fork in forks:
            fork.start()
        assert ask()
        for fork in forks:
            fork.join()
        with receiver, sender:
            assert [receiver.recv() for _ in forks if receiver.poll()] == [True, True]

    def test_threads_do_not_mix_answers(self, lock: EvalLockServer) -> None:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda at: lock.client.check([QUESTIONS[at % 12]])[0][0].row, range(200)))
        assert found == [at % 12 for at in range(200)]

    def test_a_client_is_pickled_without_its_connection(self, lock: EvalLockServer) -> None:
        lock.client.check(["x"])
        copy = pickle.loads(pickle.dumps(lock.client))
        assert copy.check([QUESTIONS[5]])[0][0].row == 5
        copy.close()
        assert copy.check([QUESTIONS[5]])[0][0].row == 5
        copy.close()

    def test_an_ended_lock_is_named(self, lock: EvalLockServer) -> None:
        lock.client.check(["x"])
        os.kill(lock.pid, signal.SIGKILL)
        with pytest.raises(SeedbedError, match="no longer answers"):
            lock.client.check(["x"])
        with pytest.raises(SeedbedError, match="no longer answers"):
            lock.client.check(["x"])


PARENT = """
import os, sys, time
from pathlib import Path
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.spec import SourceSpec
lock = EvalLockServer.start(SourceSpec("test", Path(sys.argv[1]), compare=("text",)))
print(lock.pid, flush=True)
if sys.argv[2] == "fork" and (fork := os.fork()):
    print(fork, flush=True)
time.sleep(60)
"""


class TestItsEnd:
    def parent(self, eval_file: Path, how: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", PARENT, str(eval_file), how], stdout=subprocess.PIPE, text=True
        )

    def test_close_ends_the_process_and_removes_its_folder(self, eval_file: Path, temporary: Path) -> None:
        with EvalLockServer.start(SourceSpec("test", eval_file, compare=("text",))) as server:
            (folder,) = temporary.iterdir()
            assert folder.stat().st_mode & 0o777 == 0o700
            assert runs(server.pid)
        assert not runs(server.pid)
        assert list(temporary.iterdir()) == []
        server.close()

    def test_it_goes_when_its_parent_is_killed(self, eval_file: Path, temporary: Path) -> None:
        with self.parent(eval_file, "alone") as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            assert len(list(temporary.iterdir())) == 1
            parent.kill()
        assert eventually(lambda: not runs(pid))
        assert list(temporary.iterdir()) == []

    def test_it_cleans_up_when_it_is_terminated(self, eval_file: Path, temporary: Path) -> None:
        with EvalLockServer.start(SourceSpec("test", eval_file, compare=("text",))) as server:
            os.kill(server.pid, signal.SIGTERM)
            assert eventually(lambda: list(temporary.iterdir()) == [])
        assert not runs(server.pid)

    def test_it_goes_even_if_a_fork_of_the_parent_lives_on(self, eval_file: Path, temporary: Path) -> None:
        with self.parent(eval_file, "fork") as parent:
            assert parent.stdout is not None
            pid, fork = int(parent.stdout.readline()), int(parent.stdout.readline())
            parent.kill()
            try:
                assert eventually(lambda: not runs(pid))
                assert runs(fork)
                assert list(temporary.iterdir()) == []
            finally:
                os.kill(fork, signal.SIGKILL)

    def test_a_folder_left_behind_goes_at_the_next_start(self, eval_file: Path, temporary: Path) -> None:
        spec = SourceSpec("test", eval_file, compare=("text",))
        with self.parent(eval_file, "alone") as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            os.kill(pid, signal.SIGKILL)
            assert eventually(lambda: not runs(pid))
            parent.kill()
        (left,) = temporary.iterdir()
        with EvalLockServer.start(spec) as first, EvalLockServer.start(spec) as second:
            assert not left.exists()
            assert first.client.check([QUESTIONS[1]]) == second.client.check([QUESTIONS[1]])
            assert len(list(temporary.iterdir())) == 2
        assert list(temporary.iterdir()) == []

    def test_a_long_temporary_path_is_no_obstacle(
        self, eval_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        long = tmp_path / ("long" * 25)
        long.mkdir()
        monkeypatch.setenv("TMPDIR", str(long))
        with EvalLockServer.start(SourceSpec("test", eval_file, compare=("text",))) as server:
            assert server.client.check([QUESTIONS[1]])[0][0].row == 1

    def test_ctrl_c_in_the_terminal_leaves_it_alone(self, lock: EvalLockServer) -> None:
        assert os.getpgid(lock.pid) != os.getpgid(0)

    def test_start_that_fails_leaves_no_process_and_no_folder(self, tmp_path: Path, temporary: Path) -> None:
        before = children()
        with pytest.raises(SourceError, match="no such file"):
            EvalLockServer.start(SourceSpec("test", tmp_path / "none.csv", compare=("text",)))
        assert list(temporary.iterdir()) == []
        assert children() == before


AUDITED = """
import json, os, sys
from dataclasses import replace
from pathlib import Path
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.eval_lock_file import EvalLockFile
from seedbed.sources.leaks import check_before_run
from seedbed.sources.spec import SourceSpec
from seedbed.sources.split import split_source
folder = Path(sys.argv[1])
spec = SourceSpec("all", folder / "all.csv", compare=("text",))
files = split_source(spec, {"dev": 0.2, "eval": 0.4}, 1, folder / "split")
with EvalLockServer.start(files.source(spec, "eval"), needs=("label",)) as lock:
    EvalLockFile.create_or_verify(folder / "eval.lock.json", lock.info).record_opening("check", "test")
    lock.client.ignore_common(["a", "b"])
    lock.client.suggest_ignore_after(["a"])
    check_before_run(lock.client, [("seed", "s", "a text")])
files.train.read_bytes()
print(json.dumps(opened))
"""


def test_no_other_process_opens_a_file_with_eval_rows(eval_file: Path, tmp_path: Path) -> None:
    eval_file.rename(tmp_path / "all.csv")
    done = subprocess.run(
        [sys.executable, "-c", AUDITED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    opened = orjson.loads(done.stdout)
    assert str(tmp_path / "split" / "train.jsonl") in opened, "the hook sees what is opened"
    assert not [path for path in opened if path.endswith(("all.csv", "eval.jsonl"))]


def test_the_process_stays_small() -> None:
    heavy = ["pyarrow", "pydantic", "aiohttp", "pycurl", "jinja2", "sklearn", "duckdb"]
    code = f"import sys, seedbed.sources.eval_lock_process; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
