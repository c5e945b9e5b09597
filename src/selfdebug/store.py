"""Append-only JSONL files of nouns, keyed by content: what every stage writes and reads.

One line is one noun. A line is written by one system call and synced, so a writer killed at any
byte loses at most the line it was writing; the torn end is ignored by readers and cut off before
the next append. A file is resumed, extended and merged by appending: a key that is already there
is not written again. There is no index file and no compression; only 64 bits of each key and the
place of its line are kept in memory (of a million keys two meet in one of 40 million files).

    python -c "from selfdebug.store import Store; from selfdebug.types import Repair
    print(len(Store('runs/first/repairs.jsonl', Repair)))"
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any, Generic, TypeVar

from selfdebug.encoding import decode, encode
from selfdebug.types import Episode, Repair, SelfdebugError, Task

SYNC_EVERY = 256  # lines between two fsyncs of `append_many`

Noun = TypeVar("Noun")


def key_of(noun: Any) -> str:
    """Return what makes a noun the same noun: its own key, its settings, or its whole content."""
    match noun:
        case Repair():
            return noun.key
        case Episode():
            return episode_key(noun.task_id, noun.mode, noun.backend, noun.seed)
        case Task():
            return noun.id
        case _:
            text = json.dumps(encode(noun), sort_keys=True)
            return hashlib.sha256(text.encode()).hexdigest()[:16]


def episode_key(task_id: str, mode: str, backend: str, seed: int) -> str:
    """Return the key that an episode will have, to know whether it is there before it is run."""
    return f"{task_id} {mode} {backend} {seed}"


class Store(Generic[Noun]):
    """A JSONL file of one kind of noun. Any number may read it; one writes it at a time."""

    def __init__(
        self, path: str | Path, noun: type[Noun], *, key: Callable[[Noun], str] = key_of
    ) -> None:
        """Read the keys of `path`, which need not exist before the first append."""
        self.path = Path(path)
        self._noun = noun
        self._key = key
        self._places: dict[int, int] = {}  # hash of a key -> where its first line begins
        self._end = 0  # bytes up to the end of the last whole line
        self._lines = 0
        self._file: FileIO | None = None
        self._read_new()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return hash(key) in self._places

    def __getitem__(self, key: str) -> Noun:
        """Read the noun of a key from the file. Raises KeyError when there is none."""
        return next(noun for _, noun, _, _ in self._scan(self._places[hash(key)], 0))

    def __iter__(self) -> Iterator[Noun]:
        until = self._end
        for _, noun, start, end in self._scan(0, 0):
            if end > until:
                return
            # Files joined by `cat` may repeat themselves.
            if self._places.get(hash(self._key(noun))) == start:
                yield noun

    def __enter__(self) -> Store[Noun]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def keys(self) -> list[str]:
        """Return the keys in the order of the file."""
        return [self._key(noun) for noun in self]

    def append(self, noun: Noun) -> bool:
        """Write one noun and sync; False when its key is already there."""
        return self.append_many([noun]) == 1

    def append_many(self, nouns: Iterable[Noun]) -> int:
        """Write each noun as it comes, sync now and then and at the end; return how many are new.

        A killed process loses at most the line being written; only a power cut can lose the last
        SYNC_EVERY lines, which is what makes this faster than `append`.
        """
        added = 0
        try:
            for noun in nouns:
                key = hash(self._key(noun))
                if key in self._places:
                    continue
                file = self._open()
                if key in self._places:  # another process wrote it before we had the lock
                    continue
                place = self._end
                self._write(file, json.dumps(encode(noun), allow_nan=False).encode() + b"\n")
                self._places[key] = place
                added += 1
                if added % SYNC_EVERY == 0:
                    os.fsync(file.fileno())
        finally:
            if self._file is not None:
                os.fsync(self._file.fileno())
        return added

    def merge(self, *paths: str | Path) -> int:
        """Append what other files of the same noun hold; return how many are new."""
        for path in paths:
            if not Path(path).is_file():
                raise SelfdebugError(f"cannot merge {path}: no such file")
        return sum(self.append_many(Store(path, self._noun, key=self._key)) for path in paths)

    def close(self) -> None:
        """Let another process write. The store can still be read, and appending reopens it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> FileIO:
        """Return the file, open and locked for appending, its torn end cut off."""
        if self._file is not None:
            return self._file
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = FileIO(self.path, "a+")
        except OSError as error:
            raise SelfdebugError(f"cannot write {self.path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise SelfdebugError(
                f"{self.path} is being written by another process: wait for it, or stop it"
            ) from None
        self._file = file
        self._read_new()  # what others wrote between our opening and our lock
        os.truncate(self.path, self._end)
        if self._end and os.pread(file.fileno(), 1, self._end - 1) != b"\n":
            self._write(file, b"\n")
        _sync_folder(self.path.parent)
        return file

    def _write(self, file: FileIO, line: bytes) -> None:
        try:
            if file.write(line) != len(line):
                raise OSError(0, "the disk took only a part of a line")
        except OSError as error:
            os.truncate(self.path, self._end)
            raise SelfdebugError(f"cannot write {self.path}: {error.strerror}") from error
        self._end += len(line)
        self._lines += 1

    def _read_new(self) -> None:
        for number, noun, start, end in self._scan(self._end, self._lines):
            self._places.setdefault(hash(self._key(noun)), start)
            self._lines, self._end = number, end

    def _scan(self, start: int, number: int) -> Iterator[tuple[int, Noun, int, int]]:
        """Yield (line number, noun, first byte, end) of the whole lines from byte `start` on."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        except OSError as error:
            raise SelfdebugError(f"cannot read {self.path}: {error.strerror}") from error
        with file:
            file.seek(start)
            end = start
            for line in file:
                number += 1
                start, end = end, end + len(line)
                if not line.strip():
                    continue
                try:
                    value = json.loads(line)
                except ValueError as error:
                    if not line.endswith(b"\n"):
                        return  # torn by a kill; a whole object that lacks only its newline counts
                    raise SelfdebugError(
                        f"{self.path}, line {number}: broken JSON ({error}); mend or delete it"
                    ) from error
                try:
                    noun: Noun = decode(self._noun, value)
                except ValueError as error:
                    raise SelfdebugError(f"{self.path}, line {number}: {error}") from error
                yield number, noun, start, end


def write_text(path: str | Path, text: str) -> None:
    """Replace a small file at once: a reader sees the old text or the new one, never a half."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def write_lines(path: str | Path, lines: Iterable[str]) -> int:
    """Replace a file by lines that are not held in memory; return how many there were."""
    count = 0
    with replacing(path) as draft, draft.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(f"{line}\n")
            count += 1
    return count


@contextmanager
def replacing(path: str | Path) -> Generator[Path]:
    """Give a draft to write in the block; it takes the path's place, unless the block fails."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
