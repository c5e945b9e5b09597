"""What of the file system Python itself needs: its standard library, and libraries that it loads.

Never the whole of site-packages, where data sets with their answers lie, nor a home directory.

    python -c "from selfdebug.sandbox.paths import python_paths; print(*python_paths(), sep='\\n')"
"""

from __future__ import annotations

import os
import sys
from functools import cache

LIBRARY_DIRECTORIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")

# Shared libraries that extension modules of the standard library load on first import.
_NAMES = """
c m dl rt util pthread gcc_s stdc++ z bz2 lzma zstd ffi expat mpdec uuid crypt crypto ssl sqlite3
readline tinfo tinfow ncurses ncursesw panel panelw gdbm gdbm_compat db nsl tirpc resolv
gssapi_krb5 krb5 k5crypto krb5support com_err keyutils
"""
_LIBRARIES = (
    *(f"lib{name}." for name in _NAMES.split()),
    "libdb-",
    f"libpython{sys.version_info.major}",
    "ld-linux",
    "ld-musl",
)

_FILES = (
    "/dev/null",
    "/dev/urandom",
    "/dev/zero",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/ssl/openssl.cnf",
    "/usr/lib/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/usr/share/zoneinfo",
    "/usr/lib/locale",
    "/usr/lib/python3/lib2to3",
)


@cache
def python_paths() -> tuple[str, ...]:
    """Return the existing files and directories that running Python programs read."""
    return (*standard_library(), *_libraries(), *(path for path in _FILES if os.path.exists(path)))


@cache
def standard_library() -> tuple[str, ...]:
    """Return the standard library: its directory, or its entries when packages lie among them."""
    directory = os.path.dirname(os.__file__)
    names = os.listdir(directory)
    if not any(name.endswith("-packages") for name in names):
        return (directory,)
    return tuple(
        os.path.join(directory, name) for name in sorted(names) if not name.endswith("-packages")
    )


def _libraries() -> list[str]:
    found: list[str] = []
    seen: set[str] = set()
    for directory in (*LIBRARY_DIRECTORIES, os.path.join(sys.base_prefix, "lib")):
        multiarch = os.path.join(directory, f"{os.uname().machine}-linux-gnu")
        if os.path.isdir(multiarch):
            found.append(multiarch)  # Debian's: libraries only, and Python's packages never
        real = os.path.realpath(directory)
        if real in seen or not os.path.isdir(real):
            continue
        seen.add(real)
        names = sorted(os.listdir(real))
        found += [
            os.path.join(directory, name)
            for name in names
            if name.startswith(_LIBRARIES) and ".so" in name
        ]
    return found
