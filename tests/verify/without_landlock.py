"""Becomes the program that its arguments name, on what looks like a kernel without Landlock.

A seccomp filter answers Landlock's three system calls as such a kernel does: they do not exist.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

from seedbed.verify.sandbox.inside.seccomp import install

_LOAD_NUMBER, _AT_LEAST, _MORE_THAN, _RETURN = 0x20, 0x35, 0x25, 0x06
_ALLOW, _MISSING = 0x7FFF0000, 0x00050000 | errno.ENOSYS
_FIRST, _LAST = 444, 446
_PR_SET_NO_NEW_PRIVS = 38

# (code, steps where it is so, steps where it is not, operand): `struct sock_filter`.
PROGRAM = (
    (_LOAD_NUMBER, 0, 0, 0),
    (_AT_LEAST, 0, 2, _FIRST),
    (_MORE_THAN, 1, 0, _LAST),
    (_RETURN, 0, 0, _MISSING),
    (_RETURN, 0, 0, _ALLOW),
)

if __name__ == "__main__":
    if os.geteuid():  # which keeps podman's helpers from their rights, and root needs not
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    install(b"".join(struct.pack("<HBBI", *instruction) for instruction in PROGRAM))
    os.execvp(sys.argv[1], sys.argv[1:])
