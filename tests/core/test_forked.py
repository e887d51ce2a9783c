"""Children forked before they are wanted, by programs that have no other thread yet."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked where it is no Linux")

# What a child may become: it tells of itself, echoes a line, and ends as the line says.
BECOMES = """
import os, sys
def main():
    line = sys.stdin.readline()
    tasks = len(os.listdir("/proc/self/task"))
    print(os.getpid(), os.getsid(0), "heavy" in sys.modules, " ".join(sys.orig_argv[1:]), tasks, flush=True)
    print(os.environ["OPENBLAS_NUM_THREADS"], line, end="", flush=True)
    if line == "raise\\n":
        raise ValueError("of the child")
    if line.startswith("exit"):
        sys.exit(int(line[5:]))
    sys.stdin.read()
if __name__ == "__main__":
    main()
"""
BEGINNING = """
import json, os, signal, sys, time
from pathlib import Path
from seedbed.core.child_process import end_child, spare_children, start_child
def told(child, line):
    child.stdin.write(line.encode())
    child.stdin.flush()
    return [child.stdout.readline().decode().split(), child.stdout.readline().decode().split()]
def state(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"
def below():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
def line_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\\0")
def say(**found):
    print(json.dumps(found), flush=True)
"""


def program(folder: Path, code: str) -> list[str]:
    (folder / "becomes.py").write_text(BECOMES)
    (folder / "heavy.py").write_text("")
    (folder / "program.py").write_text(BEGINNING + code)
    return [sys.executable, str(folder / "program.py")]


def ran(folder: Path, code: str, **variables: str) -> tuple[dict[str, Any], str]:
    """What the program says in its last line, and what it wrote to stderr."""
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    # The program's own folder stands on no child's path.
    environment = {**kept, "PYTHONPATH": str(folder), **variables}
    done = subprocess.run(
        program(folder, code), capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found, done.stderr


def test_a_spare_becomes_what_is_wanted_and_those_that_nobody_wanted_end(tmp_path: Path) -> None:
    code = """
with spare_children(3, ["heavy"]):
    spares = below()
    child = start_child("becomes", numpy_alone=True)
    answer = told(child, "hello\\n")
    shown = [Path(f"/proc/{child.pid}/comm").read_text().strip(), *map(line_of, sorted(map(int, below())))]
    running = child.poll()
    end_child(child)
codes = [running, child.poll()]
say(spares=spares, answer=answer, pid=child.pid, shown=shown, codes=codes, left=below())
"""
    found, _ = ran(tmp_path, code)
    pid = str(found["pid"])
    assert len(found["spares"]) == 3
    assert pid in found["spares"]
    # The leader of a session of its own, with what its parent had imported, and one thread.
    assert found["answer"] == [[pid, pid, "True", "-m", "becomes", "1"], ["1", "hello"]]
    # By its own name: who ends the program by its command line ends no child of it.
    spare = "seedbed: a spare process"
    assert sorted(found["shown"]) == sorted(["becomes", f"{sys.executable} -m becomes", spare, spare])
    assert (found["codes"], found["left"]) == ([None, 0], [])


def test_others_are_started_anew_and_so_are_all_once_the_spares_are_used_up(tmp_path: Path) -> None:
    code = """
with spare_children(1, ["heavy"]):
    (spare,) = below()
    # Of numpy's threads nothing was said: a spare has one.
    children = [start_child("json.tool"), *(start_child("json.tool", numpy_alone=True) for _ in range(2))]
    say(kinds=[type(child).__name__ for child in children], ours=children[1].pid == int(spare))
    for child in children:
        end_child(child)
"""
    found, _ = ran(tmp_path, code)
    assert found == {"kinds": ["Popen", "Forked", "Popen"], "ours": True}


def test_codes_and_errors_of_a_child_are_those_of_a_program(tmp_path: Path) -> None:
    code = """
with spare_children(4, []):
    children = [start_child("becomes", numpy_alone=True) for _ in range(4)]
    for child, line in zip(children, ["raise\\n", "exit 7\\n", "wait\\n", "wait\\n"]):
        told(child, line)
    children[2].kill()
    os.kill(children[3].pid, signal.SIGINT)  # Ctrl-C is its parent's affair
    codes = [child.wait(20) for child in children[:3]]
    children[2].kill()  # of one that has gone nothing comes
    try:
        children[3].wait(0.1)
    except Exception as error:
        late = type(error).__name__
    end_child(children[3])
    say(codes=[*codes, children[3].poll()], late=late)
print("once")
say(codes=[*codes, children[3].poll()], late=late)
"""
    found, errors = ran(tmp_path, code)
    assert found == {"codes": [1, 7, -signal.SIGKILL, 0], "late": "TimeoutExpired"}
    assert errors.count("ValueError: of the child") == 1


def test_one_ends_with_its_input_whoever_was_forked_after_it(tmp_path: Path) -> None:
    code = """
with spare_children(3, []):
    first, second = (start_child("becomes", numpy_alone=True) for _ in range(2))
    told(first, "hello\\n"), told(second, "hello\\n")
    first.stdin.close()
    say(code=first.wait(20), second=state(second.pid) in "SR")
    end_child(second)
"""
    assert ran(tmp_path, code)[0] == {"code": 0, "second": True}


def test_a_child_has_what_a_program_would_have_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "tells.py").write_text("""
import json, os, sys
def main():
    sys.stdin.readline()
    known = [sys.stdin.encoding, sys.stdin.errors, sys.stdout.encoding, sys.stdout.errors]
    print(json.dumps([known, sys.path, sorted(map(int, os.listdir("/proc/self/fd")))[:3]]), flush=True)
    print(len(os.listdir("/proc/self/fd")), flush=True)
    sys.exit("said at the end")
if __name__ == "__main__":
    main()
""")
    code = """
kept = open("/dev/null")  # and one that whoever started us had left open
os.set_inheritable(kept.fileno(), True)
with spare_children(1, []):
    children = [start_child("tells", numpy_alone=True) for _ in range(2)]
    told_by = []
    for child in children:
        child.stdin.write(b"go\\n")
        child.stdin.flush()
        told_by.append([json.loads(child.stdout.readline()), json.loads(child.stdout.readline())])
    codes = [child.wait(20) for child in children]
    say(told=told_by, kinds=[type(child).__name__ for child in children], codes=codes)
"""
    found, errors = ran(tmp_path, code, PYTHONIOENCODING="ascii:replace")
    assert found["kinds"] == ["Forked", "Popen"]
    assert found["told"][0] == found["told"][1]
    assert found["codes"] == [1, 1]
    assert errors.splitlines() == ["said at the end"] * 2


def test_where_no_more_can_be_forked_the_others_are_started(tmp_path: Path) -> None:
    code = """
import resource
many = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3 + 2 + 3, many[1]))  # to one child two ends; a second lacks one
with spare_children(3, []):
    resource.setrlimit(resource.RLIMIT_NOFILE, many)
    forked = len(below())
    children = [start_child("becomes", numpy_alone=True) for _ in range(2)]
    answers = [told(child, "hello\\n")[1][1] for child in children]
    for child in children:
        end_child(child)
left = [*below(), *os.listdir("/proc/self/fd")[4:]]  # three streams, and the listing's own
say(forked=forked, kinds=[type(child).__name__ for child in children], answers=answers, left=left)
"""
    found, _ = ran(tmp_path, code)
    assert found == {"forked": 1, "kinds": ["Forked", "Popen"], "answers": ["hello", "hello"], "left": []}


def test_a_spare_that_does_not_end_is_ended(tmp_path: Path) -> None:
    code = """
with spare_children(1, []):
    os.kill(int(below()[0]), signal.SIGSTOP)
say(left=below())
"""
    assert ran(tmp_path, code)[0] == {"left": []}


def test_spares_that_somebody_ended_are_passed_over(tmp_path: Path) -> None:
    code = """
with spare_children(2, []):
    spares = [int(pid) for pid in below()]
    os.kill(spares[0], signal.SIGKILL)
    while state(spares[0]) != "Z":
        time.sleep(0.01)
    child = start_child("becomes", numpy_alone=True)
    answer = told(child, "hello\\n")
    end_child(child)
    say(second=child.pid == spares[1], answer=answer[1][1])
"""
    assert ran(tmp_path, code)[0] == {"second": True, "answer": "hello"}


def test_where_no_child_is_reported_they_end_all_the_same(tmp_path: Path) -> None:
    code = """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
with spare_children(2, []):
    child = start_child("becomes", numpy_alone=True)
    told(child, "exit 7\\n")
    code = child.wait(20)
    child.kill()
    say(code=code)
"""
    assert ran(tmp_path, code)[0] == {"code": 0}


@pytest.mark.parametrize(
    "before",
    [
        "import threading; threading.Thread(target=time.sleep, args=(5,), daemon=True).start()",
        "os.close(0); sys.stdin = None",
    ],
)
def test_nothing_is_forked_where_that_is_not_safe(tmp_path: Path, before: str) -> None:
    code = f"""
{before}
with spare_children(2, []):
    spares = below()
    child = start_child("json.tool", numpy_alone=True)
    end_child(child)
say(spares=spares, kind=type(child).__name__)
"""
    assert ran(tmp_path, code)[0] == {"spares": [], "kind": "Popen"}


def test_spares_and_children_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = """
with spare_children(3, []):
    child = start_child("becomes", numpy_alone=True)
    told(child, "hello\\n")
    say(pids=below())
    time.sleep(60)
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    parent = subprocess.Popen(program(tmp_path, code), stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    left = set(json.loads(parent.stdout.readline())["pids"])
    assert len(left) == 3
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 20
    while left := {pid for pid in left if Path(f"/proc/{pid}").exists()}:
        assert time.monotonic() < deadline, "they outlived their parent by 20 s"
        time.sleep(0.05)
