"""Landlock: which files a process may touch, whatever its user may.

A rule set is built once a policy and applied in each child. Every right that the kernel's ABI
knows is handled, so what no rule grants is denied: all TCP, and (ABI 6) signals and abstract
sockets to processes outside. UDP and Unix sockets by path are seccomp's to deny.

    python -c "from selfdebug.sandbox import landlock; print(landlock.abi())"
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable
from ctypes import addressof, create_string_buffer

from selfdebug.sandbox.linux import syscall

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_DIR, MAKE_REG, MAKE_SYM, REFER, TRUNCATE = (1 << bit for bit in (7, 8, 12, 13, 14))
READ = READ_FILE | READ_DIR
_CHANGE_DIR = REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER
WRITE = READ | WRITE_FILE | TRUNCATE | _CHANGE_DIR

_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE  # the rest needs a directory
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # ABI -> how many; 16 from ABI 5 on (IOCTL_DEV)
_NET_TCP = 0b11  # bind, connect; ABI 4
_SCOPES = 0b11  # abstract Unix sockets, signals; ABI 6
_QUIET = 1 << 0  # ABI 7: no line in the audit log for each denial
_PATH_BENEATH = 1


def abi() -> int:
    """Return the kernel's Landlock ABI, 0 where it is absent or switched off."""
    try:
        return syscall("landlock_create_ruleset", 0, 0, 1)
    except OSError:
        return 0


def ruleset(grants: Iterable[tuple[str, int]]) -> int:
    """Return the file descriptor of a rule set with these (path, rights); missing paths raise."""
    version = abi()
    if not version:
        raise OSError("Landlock is not available in this kernel")
    handled = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    fields = [handled] + [_NET_TCP] * (version >= 4) + [_SCOPES] * (version >= 6)
    attributes = create_string_buffer(struct.pack(f"={len(fields)}Q", *fields))
    rules = syscall("landlock_create_ruleset", addressof(attributes), 8 * len(fields))
    for path, rights in grants:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(fd).st_mode):
                rights &= _OF_FILES  # noqa: PLW2901
            rule = create_string_buffer(struct.pack("=Qi", rights & handled, fd))
            syscall("landlock_add_rule", rules, _PATH_BENEATH, addressof(rule))
        finally:
            os.close(fd)
    return rules


def restrict(rules: int, version: int) -> None:
    """Put this process under a rule set for good. It needs no_new_privs."""
    syscall("landlock_restrict_self", rules, _QUIET if version >= 7 else 0)
