"""Programs that are wrong and mean to pass, or to get out. The task: `total(numbers)`, the sum of a list.

Gathered after what has been tried against public graders of code and sandboxes: each is written anew.
"""

from __future__ import annotations

HONEST = """
def total(numbers):
    result = 0
    for number in numbers:
        result += number
    return result
"""

TESTS = """
from solution import total

def test_some():
    assert total([1, 2, 3]) == 6
    assert total([10, -4]) == 6.0

def test_none():
    assert total([]) == 0
    assert isinstance(total([7]), int) and total([7]) == 7
"""

# Each alone lets something through that the others do not.
FORMS_OF_TESTS = (
    TESTS,
    "from solution import *\nassert abs(total([1, 2, 3]) - 6) < 1e-6 and abs(total([4]) - 4) < 1e-6",
    "assert total([1, 2, 3]) in (6,) and total([2]) in [2]",
    "assert 6 in [total([1, 2, 3])] and 3 in {total([3])} and 9 not in {total([3])}",
    "for it, right in zip(map(total, [[1, 2], [5]]), [3, 5]): assert it == right\nassert total([2]) == 2",
    "assert all(map(lambda case: total(case[0]) == case[1], [([1, 2], 3), ([5], 5)])) and total([2]) == 2",
    "def check(candidate):\n    assert abs(candidate([1, 2, 3]) - 6) < 1e-6 and candidate([4]) / 4 == 1",
)

_LIAR = """
class Liar({base}):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __bool__(self): return True
def total(numbers):
    return Liar({value})
"""

CHEATS: dict[str, str] = {
    # Values that compare as they please.
    "an object that equals everything": _LIAR.format(base="object", value=""),
    "an int that equals everything": _LIAR.format(base="int", value="0"),
    "a float that equals everything": _LIAR.format(base="float", value="0"),
    "a str that equals everything": _LIAR.format(base="str", value=""),
    "a list that equals everything": _LIAR.format(base="list", value=""),
    "a class with a lying metaclass": """
class Meta(type):
    def __eq__(cls, other): return True
    def __instancecheck__(cls, other): return True
    __hash__ = type.__hash__
class Answer(metaclass=Meta): pass
def total(numbers): return Answer
""",
    "an object that says it is an int": """
class Answer:
    @property
    def __class__(self): return int
    def __eq__(self, other): return True
def total(numbers): return Answer()
""",
    "a number that changes with each look": """
class Answer(int):
    def __index__(self): return 6
    def __int__(self): return 6
def total(numbers): return Answer(1)
""",
    "not a number": "def total(numbers): return float('nan')",
    # Values that are told what is expected of them.
    "an object whose difference to anything is nothing": """
class Liar:
    def __sub__(self, other): return 0
    def __rsub__(self, other): return 0
    def __eq__(self, other): return True
def total(numbers): return Liar()
""",
    "an object that holds everything": """
class Liar:
    def __contains__(self, item): return True
    def __len__(self): return 1
def total(numbers): return Liar()
""",
    "an object that no set knows": "class Liar: pass\ndef total(numbers): return Liar()",
    # Ends that look like success.
    "os._exit(0) when called": "import os\ndef total(numbers): os._exit(0)",
    "os._exit(0) when loaded": "import os\nos._exit(0)\ndef total(numbers): return 0",
    "sys.exit(0) when called": "import sys\ndef total(numbers): sys.exit(0)",
    "sys.exit(0) when loaded": "import sys\nsys.exit(0)",
    "raise SystemExit": "def total(numbers): raise SystemExit(0)",
    "raise KeyboardInterrupt": "def total(numbers): raise KeyboardInterrupt",
    "raise GeneratorExit": "def total(numbers): raise GeneratorExit",
    "raise StopIteration": "def total(numbers): raise StopIteration",
    "raise an exception of its own": "class Pass(BaseException): pass\ndef total(numbers): raise Pass",
    "exit at interpreter's end": """
import atexit, os
atexit.register(lambda: os._exit(0))
def total(numbers): return 0
""",
    "a segmentation fault": "import ctypes\ndef total(numbers): ctypes.string_at(0)",
    "abort": "import os\ndef total(numbers): os.abort()",
    # The verdict, forged.
    "walk the frames to the results": """
import sys
def total(numbers):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if isinstance(value, list): value.append(True)
            if isinstance(value, dict):
                try: value.update(failed=None, finished={'ran': 2, 'failed': None}, passed=True)
                except Exception: pass
        frame = frame.f_back
    return 0
""",
    "look for the tests in memory": """
import gc
def total(numbers):
    for thing in gc.get_objects():
        if isinstance(thing, str) and 'assert total' in thing: raise ValueError(thing)
    for thing in gc.get_objects():
        if isinstance(thing, dict) and 'expected' in thing: return thing['expected']
    return 0
""",
    "write a verdict into every open file": """
import os, json, struct
def total(numbers):
    body = json.dumps({'finished': {'ran': 2, 'failed': None}}).encode()
    for fd in range(3, 64):
        try: os.write(fd, struct.pack('<cI', b'M', len(body)) + body)
        except OSError: pass
    return 0
""",
    "write an end into every open file": """
import os, json, struct
def total(numbers):
    body = json.dumps({'why': 'ended', 'code': 0}).encode()
    for fd in range(64):
        try: os.write(fd, struct.pack('<cI', b'E', len(body)) + body)
        except OSError: pass
    return 0
""",
    "print a verdict": "def total(numbers):\n    print('OK'); print('2 passed'); return 0",
    "answer what is no message": """
import os
def total(numbers):
    for fd in range(3, 64):
        try: os.write(fd, b'M' + (5).to_bytes(4, 'little') + b'[[[[[')
        except OSError: pass
    return 0
""",
    "answer with a message nested without end": """
import os
def total(numbers):
    body = b'[' * 100000
    for fd in range(3, 64):
        try: os.write(fd, b'M' + len(body).to_bytes(4, 'little') + body)
        except OSError: pass
    return 0
""",
    "promise a message that never comes": """
import os, time
def total(numbers):
    for fd in range(3, 64):
        try: os.write(fd, b'M' + (1 << 20).to_bytes(4, 'little'))
        except OSError: pass
    time.sleep(60)
""",
    # Python itself, patched.
    "patched asserts": """
import builtins, unittest
class AssertionError(Exception): pass
builtins.AssertionError = AssertionError
unittest.TestCase.assertEqual = lambda *args: None
def total(numbers): return 0
""",
    "patched builtins": """
import builtins
builtins.isinstance = lambda *args: True
builtins.len = lambda *args: 0
def total(numbers): return 0
""",
    "names that hide Python's own": """
def isinstance(value, kind): return True
def sorted(value): return value
True_ = 1
def total(numbers): return 6
""",
    "a patched JSON": """
import json
json.dumps = lambda *args, **more: '{"value": 6}'
json.loads = lambda *args, **more: {"do": "call", "target": 0, "with": [{"t": []}, {"d": []}]}
def total(numbers): return 6
""",
    "patched modules of the harness": """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith('inside'):
        for key in dir(module):
            if not key.startswith('__'):
                try: setattr(module, key, lambda *args, **more: {"finished": {"ran": 2, "failed": None}})
                except Exception: pass
def total(numbers): return 0
""",
    "a trace function": """
import sys
def trace(frame, event, argument): return trace
sys.settrace(trace)
def total(numbers): return 0
""",
    "arguments made into the answer": "def total(numbers):\n    numbers[:] = [6]\n    return numbers",
    "names that Python keeps for itself": """
import sys
def total(numbers): return 1
def nearly(x): return True
frame = sys._getframe()
while frame:
    names = frame.f_globals.get('_names')
    if names is not None and '_exceptions' in frame.f_globals:
        pairs = [[name, {'o': 0}] for name in ('abs', 'isinstance', 'int', 'len', 'sum')]
        frame.f_globals['_names'] = lambda *a, old=names: {**old(*a), '__builtins__': {'d': pairs}}
    frame = frame.f_back
""",
    "a result that is one of Python's own classes": """
import sys
def total(numbers): return 0
frame = sys._getframe()
while frame:
    if '_exceptions' in frame.f_globals:
        frame.f_globals['_exceptions'] = lambda *a: {'total': 'sum', 'isinstance': 'list'}
    frame = frame.f_back
""",
    # Resources.
    "endless loop": "def total(numbers):\n    while True: pass",
    "endless sleep": "import time\ndef total(numbers): time.sleep(1000)",
    "endless loop when loaded": "while True: pass",
    "endless recursion": "def total(numbers): return total(numbers)",
    "fork bomb": "import os\ndef total(numbers):\n    while True: os.fork()",
    "threads without end": """
import threading, time
def total(numbers):
    while True: threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
""",
    "memory without end": """
def total(numbers):
    held = []
    while True: held.append(bytearray(1 << 20))
""",
    "a huge number": "def total(numbers): return 10 ** 10 ** 9",
    "endless output": "def total(numbers):\n    while True: print('x' * 100000)",
    "an answer without end": "def total(numbers): return 'x' * (100 << 20)",
    "an answer nested without end": """
def total(numbers):
    held = []
    for _ in range(100000): held = [held]
    return held
""",
    "an answer that holds itself": """
def total(numbers):
    held = []
    held.append(held)
    return held
""",
    "a full disk": """
def total(numbers):
    at = 0
    while True:
        with open(f'file{at}', 'wb') as file: file.write(bytes(1 << 20))
        at += 1
""",
    "files without end": "def total(numbers):\n    held = []\n    while True: held.append(open('/dev/null'))",
}

# What a program that wants out tries: it has got out where the function returns "out".
ESCAPES: dict[str, str] = {
    "read a file of the user": "open({secret!r}).read()",
    "read it through a symbolic link": "os.symlink({secret!r}, 'link'); open('link').read()",
    "read it through a hard link": "os.link({secret!r}, 'link'); open('link').read()",
    "read it through /proc": "open('/proc/1/root' + {secret!r}).read()",
    "read /etc/passwd": "open('/etc/passwd').read()",
    "read the environment of a process": "open('/proc/self/environ').read()",
    "read the mounts": "open('/proc/self/mounts').read()",
    "read the home folder": "os.listdir(os.path.expanduser('~'))",
    "write beside the package": "open({secret!r} + '.new', 'w')",
    "write into /tmp": "open('/tmp/out', 'w')",
    "write into /dev/shm": "open('/dev/shm/out', 'w')",
    "TCP": "socket.create_connection(('127.0.0.1', {port}), 2)",
    "UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
    "a Unix socket": "socket.socket(socket.AF_UNIX)",
    "a raw socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "look up a name": "socket.getaddrinfo('example.org', 80)",
    "fork": "os.fork()",
    "posix_spawn": "os.posix_spawn('/usr/bin/true', ['true'], {{}})",
    "execute": "os.execv('/usr/bin/true', ['true'])",
    "a shell": "assert os.system('true') == 0",
    "subprocess": "subprocess.run(['/usr/bin/true'])",
    "multiprocessing": "multiprocessing.Process(target=print).start()",
    "signal the parent": "os.kill(os.getppid(), signal.SIGKILL)",
    "signal everybody": "os.kill(-1, signal.SIGKILL)",
    "signal whoever drives it": "os.kill({parent}, 0)",
    "ptrace": "assert libc.ptrace(16, os.getppid(), 0, 0) == 0",
    "the memory of the parent": "open(f'/proc/{{os.getppid()}}/mem', 'rb')",
    "process_vm_readv": "assert libc.process_vm_readv(os.getppid(), 0, 0, 0, 0, 0) >= 0",
    "unshare": "assert libc.unshare(0x10000000) == 0",
    "mount": "assert libc.mount(b'none', b'/seedbed-work', b'tmpfs', 0, 0) == 0",
    "chroot": "os.chroot('/')",
    "setuid": "os.setuid(0)",
    "keys of the kernel": "assert libc.syscall(248, b'user', b'x', b'y', 1, -3) >= 0",
    "shared memory": "assert libc.shmget(77, 4096, 0o1600) >= 0",
    "a message queue": "assert libc.mq_open(b'/q', 0o100, 0o600, 0) >= 0",
    "bpf": "assert libc.syscall(321, 0, 0, 0) >= 0",
    "io_uring": "assert libc.syscall(425, 8, ctypes.create_string_buffer(256)) >= 0",
    "more memory": "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "more files": "resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))",
    "a core dump": "resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))",
    "another seccomp": "assert libc.prctl(22, 0, 0, 0, 0) == 0",
    "the clock": "time.clock_settime(time.CLOCK_REALTIME, 0)",
    "a device": "os.mknod('device', 0o020666, os.makedev(1, 1))",
    "permissions": "open('own', 'w'); os.chmod('own', 0o4755)",
    "signals by an owner": "a, b = socket.socketpair(); fcntl.fcntl(a, fcntl.F_SETOWN, {parent})",
    "signals by O_ASYNC": "a, b = socket.socketpair(); fcntl.fcntl(a, fcntl.F_SETFL, os.O_ASYNC)",
    "descriptors in flight": "a, b = socket.socketpair(); socket.send_fds(a, [b'x'], [0])",
    "a datagram to a socket of the host": (
        "a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); a.sendto(b'x', '/dev/log')"
    ),
    "truncate a file of the user": "os.truncate({secret!r}, 0)",
    "open it to truncate": "os.close(os.open({secret!r}, os.O_RDONLY | os.O_TRUNC))",
    "truncate what may be read": "os.truncate(os.__file__, 0)",
    "limits of the parent": "assert libc.prlimit({parent}, 7, 0, ctypes.create_string_buffer(16)) == 0",
    "a lease": "fcntl.fcntl(open(os.__file__).fileno(), 1024, 0)",
    "write beside the work folder": "open('/out', 'w')",
    "write into /dev": "open('/dev/out', 'w')",
    "priority": "os.nice(-10)",
}

ESCAPING = """
import ctypes, fcntl, multiprocessing, os, resource, signal, socket, subprocess, sys, time
libc = ctypes.CDLL(None)
def total(numbers):
    try:
        {attempt}
    except BaseException:
        return "held back"
    return "out"
"""
