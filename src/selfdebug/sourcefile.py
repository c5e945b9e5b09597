"""A user's own source file: read exactly, and replaced atomically without losing its habits.

Line endings, byte order mark, final newline and mode stay as they were. It refuses rather than
overwrite what it has not read or what git could not bring back, and it touches no other file.

    selfdebug fix calc.py --tests test_calc.py --apply
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from pathlib import Path

from selfdebug.types import Language, SelfdebugError

LANGUAGES: dict[str, Language] = {
    ".py": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
}
MAX_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it was read. text: without byte order mark, every line ended by \\n alone."""

    path: Path
    data: bytes
    text: str
    language: Language

    def adapted(self, code: str) -> str:
        """Return a program with this file's own final newline, or the lack of one."""
        body = code.replace("\r\n", "\n").rstrip("\n")
        return body + self.text[len(self.text.rstrip("\n")) :]

    def diff(self, text: str, root: Path) -> str:
        """Return the unified diff to `text`, its paths relative to `root`, as git writes them."""
        name = Path(os.path.relpath(self.path, root)).as_posix()
        lines = unified_diff(_lines(self.text), _lines(text), f"a/{name}", f"b/{name}")
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in lines
        )

    def encoded(self, text: str) -> bytes:
        """Return the file's bytes with `text` in it; an unchanged line keeps its own ending."""
        raw = _lines(self.data.removeprefix(_BOM).decode())
        crlf = [line.endswith("\r\n") for line in raw]
        usual = sum(crlf) * 2 > len(crlf)
        new = _lines(text)
        written: list[str] = []
        matcher = SequenceMatcher(None, _lines(self.text), new, autojunk=False)
        for _, i, j, k, m in matcher.get_opcodes():
            styles = crlf[i:j] if j - i == m - k else [usual] * (m - k)
            for line, windows in zip(new[k:m], styles, strict=True):
                written.append(f"{line[:-1]}\r\n" if windows and line.endswith("\n") else line)
        bom = _BOM if self.data.startswith(_BOM) else b""
        return bom + "".join(written).encode()


def read(path: Path) -> SourceFile:
    """Read a program's file. Raises SelfdebugError with what is wrong with it."""
    language = _language(path)
    if not path.exists():
        raise SelfdebugError(f"there is no file {path}")
    data, text = read_text(path)
    return _source(path, data, text, language)


def unsaved(path: Path, text: str) -> SourceFile:
    """Return a program's file with the text that an editor holds of it, saved or not."""
    return _source(path, text.encode("utf-8", "surrogatepass"), text, _language(path))


def _language(path: Path) -> Language:
    if path.suffix not in LANGUAGES:
        raise SelfdebugError(f"{path}: only {', '.join(LANGUAGES)} files can be mended")
    return LANGUAGES[path.suffix]


def _source(path: Path, data: bytes, text: str, language: Language) -> SourceFile:
    if not text.strip():
        raise SelfdebugError(f"{path} is empty")
    return SourceFile(path, data, text.replace("\r\n", "\n"), language)


def read_text(path: Path) -> tuple[bytes, str]:
    """Return a file's bytes and its text, without byte order mark."""
    try:
        data = path.read_bytes()
        text = data.removeprefix(_BOM).decode()
    except OSError as error:
        raise SelfdebugError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SelfdebugError(f"{path} is not UTF-8 text: byte {error.start} is wrong") from error
    if len(data) > MAX_BYTES:
        raise SelfdebugError(f"{path} is longer than {MAX_BYTES >> 20} MiB")
    return data, text


def check_writable(path: Path, *, force: bool = False) -> None:
    """Raise SelfdebugError when the file could not, or should not, be replaced."""
    if path.is_symlink():
        raise SelfdebugError(f"{path} is a symbolic link; apply to {path.resolve()} itself")
    # The mode, not os.access: root may write everywhere, and a read-only file means it.
    if not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise SelfdebugError(
            f"{path} is read-only: make it writable (chmod u+w), or leave --apply out"
        )
    if not os.access(path.parent, os.W_OK):
        raise SelfdebugError(f"cannot write in {path.parent}: permission denied")
    if not force and (why := uncommitted(path)):
        raise SelfdebugError(f"{why}: commit or stash it first, or say --force")


def uncommitted(path: Path) -> str:
    """Say what git could not bring back of a file; "" when all of it is committed.

    A file outside every work tree has nothing uncommitted.
    """
    if not any((folder / ".git").exists() for folder in path.resolve().parents):
        return ""
    git = shutil.which("git")
    if git is None:
        return f"cannot tell whether {path} has uncommitted changes: git is not installed"
    command = [git, "--no-optional-locks", "-c", "core.fsmonitor=false", "status", "--porcelain"]
    done = subprocess.run(
        [*command, "--", path.name],
        cwd=path.resolve().parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["git failed"])[0]
        return f"cannot tell whether {path} has uncommitted changes: {reason}"
    if done.stdout.startswith("??"):
        return f"{path} is not under version control yet"
    return f"{path} has uncommitted changes" if done.stdout else ""


def write(source: SourceFile, text: str) -> None:
    """Put `text` into the file: whole or not at all, and only if nobody else has changed it."""
    path = source.path
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(source.encoded(text))
            file.flush()
            os.fsync(file.fileno())
            found = path.stat()
            os.fchmod(file.fileno(), stat.S_IMODE(found.st_mode))
            if os.geteuid() == 0:  # root's file would lock its owner out
                os.fchown(file.fileno(), found.st_uid, found.st_gid)
        if path.read_bytes() != source.data:
            raise SelfdebugError(f"{path} has changed meanwhile; nothing was written: run it again")
        Path(name).replace(path)
    except OSError as error:
        raise SelfdebugError(
            f"cannot write {path}: {error.strerror}; nothing was written"
        ) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _lines(text: str) -> list[str]:
    """Split at \\n alone, keeping it: not at form feeds and the like, as splitlines does."""
    *lines, last = text.split("\n")
    return [f"{line}\n" for line in lines] + ([last] if last else [])
