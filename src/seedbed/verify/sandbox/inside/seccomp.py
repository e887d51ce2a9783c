"""The system calls that are left to a program: what pure computing takes, and nothing else.

The list is of what is allowed; all else gives EPERM. No process can be started, no signal sent, no socket
opened but a pair of its own, nothing traced, mounted or shared. Threads are possible: `clone` is allowed
with CLONE_THREAD alone, and `clone3`, whose flags no filter can read, says that it does not exist.

libseccomp knows the numbers of the calls on each architecture and compiles the filter, once in the
zygote; a child installs the program with one call.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os

# By what they are for: files, memory, threads, identity and time, signals to oneself, waiting, pipes.
_ALLOWED = """
read write readv writev pread64 pwrite64 lseek open openat close close_range fstat stat lstat newfstatat statx
access faccessat faccessat2 readlink readlinkat getdents64 getcwd chdir fchdir mkdir mkdirat rmdir unlink
unlinkat rename renameat renameat2 ftruncate fsync fdatasync flock umask dup dup2 dup3
mmap munmap mremap mprotect madvise brk
futex set_robust_list get_robust_list rseq set_tid_address sched_yield sched_getaffinity
gettid getpid getppid getuid geteuid getgid getegid
clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getrusage sysinfo uname getrandom
rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall exit exit_group
poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 pipe pipe2
recvfrom shutdown
""".split()  # noqa: SIM905

_FIOCLEX, _FIONBIO, _TCGETS = 0x5451, 0x5421, 0x5401
# Duplicates, flags and locks: an owner (F_SETOWN) would be sent signals.
_FCNTL = (
    *(fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC, fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL),
    *(fcntl.F_GETLK, fcntl.F_SETLK, fcntl.F_SETLKW),
)
_AF_UNIX, _SOCK_STREAM, _TYPE_OF_SOCKET = 1, 1, 0xF
_CLONE_THREAD = 0x00010000

_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_EQUAL, _MASKED_EQUAL = 4, 7

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_BYTES_OF_AN_INSTRUCTION = 8

LIBRARY = "libseccomp.so.2"


class _Argument(ctypes.Structure):
    """`struct scmp_arg_cmp`: argument number, comparison, and one or two operands."""

    _fields_ = (
        ("number", ctypes.c_uint),
        ("comparison", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def compiled() -> bytes:
    """The filter as a program of the kernel's packet filter. Raises OSError without libseccomp."""
    library = ctypes.CDLL(LIBRARY, use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add_array.argtypes = (
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Argument),
    )
    library.seccomp_export_bpf.argtypes = (ctypes.c_void_p, ctypes.c_int)
    library.seccomp_release.argtypes = (ctypes.c_void_p,)
    filter_ = library.seccomp_init(_EPERM)
    if not filter_:
        raise OSError("libseccomp makes no filter")

    def rule(action: int, name: str, *arguments: _Argument) -> None:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # a call that this architecture does not have
            return
        array = (_Argument * len(arguments))(*arguments)
        if failed := library.seccomp_rule_add_array(filter_, action, number, len(arguments), array):
            raise OSError(-failed, f"libseccomp takes no rule for {name}")

    for name in _ALLOWED:
        rule(_ALLOW, name)
    rule(_ALLOW, "clone", _Argument(0, _MASKED_EQUAL, _CLONE_THREAD, _CLONE_THREAD))
    rule(_ENOSYS, "clone3")
    # To look an own limit up, not to set one.
    rule(_ALLOW, "prlimit64", _Argument(0, _EQUAL, 0, 0), _Argument(2, _EQUAL, 0, 0))
    for command in _FCNTL:
        rule(_ALLOW, "fcntl", _Argument(1, _EQUAL, command, 0))
    rule(_ALLOW, "fcntl", _Argument(1, _EQUAL, fcntl.F_SETFL, 0), _Argument(2, _MASKED_EQUAL, os.O_ASYNC, 0))
    # A pair of its own, and what is sent goes to the other end of it.
    pair = (_Argument(0, _EQUAL, _AF_UNIX, 0), _Argument(1, _MASKED_EQUAL, _TYPE_OF_SOCKET, _SOCK_STREAM))
    rule(_ALLOW, "socketpair", *pair)
    rule(_ALLOW, "sendto", _Argument(4, _EQUAL, 0, 0))
    for request in (_FIOCLEX, _FIONBIO, _TCGETS):
        rule(_ALLOW, "ioctl", _Argument(1, _EQUAL, request, 0))
    with os.fdopen(os.memfd_create("filter"), "rb") as file:
        if failed := library.seccomp_export_bpf(filter_, file.fileno()):
            raise OSError(-failed, "libseccomp exports no filter")
        library.seccomp_release(filter_)
        file.seek(0)
        return file.read()


def install(program: bytes) -> None:
    """From here on this process and its threads have those calls alone; there is no way back.

    `no_new_privs` must be set. Raises OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    held = _Program(len(program) // _BYTES_OF_AN_INSTRUCTION, program)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(held), 0, 0):
        raise OSError(ctypes.get_errno(), f"no seccomp filter: {os.strerror(ctypes.get_errno())}")
