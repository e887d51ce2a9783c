"""Landlock: files that a process may reach, whatever its user could; no network, no signal to others.

Linux 5.13 and later; what each version of it (ABI) can take away is taken away. The numbers are those of
the kernel's `linux/landlock.h`; its system calls have the same numbers on all architectures.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION = 1
FULL = 3  # before it, files that may be read can be truncated
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_ALL_OF_FIRST_ABI = (1 << 13) - 1
_TCP = 0b11  # bind and connect
_SCOPES = 0b11  # abstract Unix sockets and signals

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_MADE_IN_WORK = (1 << 5) | (1 << 4) | (1 << 7) | (1 << 8)  # remove file and folder, make folder and file


def abi() -> int:
    """The kernel's version of Landlock, 0 where it has none or has it switched off."""
    return max(0, _call(_CREATE, None, 0, _VERSION))


def restrict(readable: Iterable[str], devices: Iterable[str], work: str | None) -> None:
    """From here on: `readable` below these paths, `devices` to read and write, `work` to do anything in.

    Paths that are not there are passed over. `no_new_privs` must be set. Raises OSError.
    """
    version = abi()
    handled = _ALL_OF_FIRST_ABI
    handled |= _REFER if version >= 2 else 0
    handled |= _TRUNCATE if version >= 3 else 0
    handled |= _IOCTL_DEVICE if version >= 5 else 0
    attributes = struct.pack("<Q", handled)
    if version >= 4:
        attributes += struct.pack("<Q", _TCP)
    if version >= 6:
        attributes += struct.pack("<Q", _SCOPES)
    rules = _checked(_call(_CREATE, attributes, len(attributes), 0), "no Landlock rules")
    try:
        for path in readable:
            _allow(rules, path, _READ & handled)
        for path in devices:
            _allow(rules, path, _READ_FILE | _WRITE_FILE)
        if work is not None:
            _allow(rules, work, (_READ | _WRITE_FILE | _TRUNCATE | _MADE_IN_WORK) & handled & ~_EXECUTE)
        _checked(_call(_RESTRICT, rules, 0), "Landlock restricts nothing")
    finally:
        os.close(rules)


def _allow(rules: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not Path(path).is_dir():
            access &= ~_READ_DIR
        rule = struct.pack("<Qi", access, place)
        _checked(_call(_ADD_RULE, rules, _PATH_BENEATH, rule, 0), f"no Landlock rule for {path}")
    finally:
        os.close(place)


def _call(number: int, *arguments: int | bytes | None) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    as_long = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return int(libc.syscall(ctypes.c_long(number), *as_long))


def _checked(result: int, what: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return result
