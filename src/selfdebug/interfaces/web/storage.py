"""What the playground keeps, in one SQLite file: students, runs and hints given.

A student is a random cookie, of which only a hash is kept, and a nickname if they give one. Every
run is committed before its result is shown. It knows nothing of pages.

    python -c "from selfdebug.interfaces.web.storage import Storage; help(Storage)"
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfdebug.types import SelfdebugError

_SCHEMA = """
create table if not exists students (
  id integer primary key autoincrement,
  cookie text unique not null, nickname text not null default '');
create table if not exists runs (
  id integer primary key, student integer not null references students on delete cascade,
  at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  exercise text not null, code_sha text not null, code text not null, tests text not null,
  passed integer not null, total integer not null, solved integer not null, error text not null);
create index if not exists runs_of on runs (student, exercise);
create table if not exists hints (
  student integer not null references students on delete cascade,
  at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  exercise text not null, code_sha text not null, rung text not null, kind text not null,
  primary key (student, exercise, code_sha, rung));
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One test run of a student. error: "" or the first failure's status or exception."""

    exercise: str
    code_sha: str
    code: str
    tests: str
    passed: int
    total: int
    solved: bool
    error: str


class Storage:
    """The file. Thread-safe: one connection, one statement at a time."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; raises SelfdebugError where that cannot be."""
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, check_same_thread=False)
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma foreign_keys = on")
            self._database.execute("pragma secure_delete = on")
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise SelfdebugError(f"cannot keep runs in {path}: {error}") from error

    def add_run(self, cookie: str, run: Run) -> None:
        """Keep a run; it is on the disk when this returns."""
        values = (run.exercise, run.code_sha, run.code, run.tests, run.passed, run.total)
        with self._changing() as database:
            student = _student(database, cookie)
            database.execute(
                "insert into runs (student, exercise, code_sha, code, tests, passed, total, "
                "solved, error) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (student, *values, run.solved, run.error),
            )

    def last_run(self, cookie: str, exercise: str, code_sha: str = "") -> Run | None:
        """Return a student's last run of an exercise (its id may end in *), or of that program."""
        rows = self.rows(
            "select exercise, code_sha, code, tests, passed, total, solved, error from runs "
            "where student = (select id from students where cookie = ?) and exercise glob ? "
            "and (? = '' or code_sha = ?) order by id desc limit 1",
            (_hashed(cookie), exercise, code_sha, code_sha),
        )
        return Run(**rows[0]) if rows else None

    def progress(self, cookie: str) -> dict[str, bool]:
        """Return the exercises that a student has tried, and whether they solved them."""
        rows = self.rows(
            "select exercise, max(solved) as solved from runs where student = "
            "(select id from students where cookie = ?) group by exercise",
            (_hashed(cookie),),
        )
        return {row["exercise"]: bool(row["solved"]) for row in rows}

    def add_hint(self, cookie: str, exercise: str, code_sha: str, rung: str, kind: str) -> None:
        """Note that a student was given a hint; asking again changes nothing."""
        with self._changing() as database:
            database.execute(
                "insert or ignore into hints (student, exercise, code_sha, rung, kind) "
                "values (?, ?, ?, ?, ?)",
                (_student(database, cookie), exercise, code_sha, rung, kind),
            )

    def hints_given(self, cookie: str, exercise: str, code_sha: str) -> set[str]:
        """Return the rungs that a student has had for a program."""
        rows = self.rows(
            "select rung from hints where student = (select id from students where cookie = ?) "
            "and exercise = ? and code_sha = ?",
            (_hashed(cookie), exercise, code_sha),
        )
        return {row["rung"] for row in rows}

    def nickname(self, cookie: str) -> str:
        """Return a student's nickname, or ""."""
        query = "select nickname from students where cookie = ?"
        return next((row["nickname"] for row in self.rows(query, (_hashed(cookie),))), "")

    def rename(self, cookie: str, nickname: str) -> None:
        """Give a student a nickname, or take it away."""
        with self._changing() as database:
            student = _student(database, cookie)
            database.execute("update students set nickname = ? where id = ?", (nickname, student))

    def forget(self, cookie: str) -> None:
        """Erase all that is kept of one student."""
        with self._changing() as database:
            database.execute("delete from students where cookie = ?", (_hashed(cookie),))

    def erase(self) -> None:
        """Erase everything, and give the space back."""
        with self._changing() as database:
            database.execute("delete from students")
        with self._lock:
            self._database.execute("vacuum")
            self._database.execute("pragma wal_checkpoint(truncate)")

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return what a query finds, by column."""
        with self._lock:
            cursor = self._database.execute(query, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _changing(self) -> Generator[sqlite3.Connection]:
        with self._lock, self._database:  # commits, or rolls back
            yield self._database


def _student(database: sqlite3.Connection, cookie: str) -> int:
    hashed = (_hashed(cookie),)
    row = database.execute("select id from students where cookie = ?", hashed).fetchone()
    if row is None:
        new = database.execute("insert into students (cookie) values (?) returning id", hashed)
        row = new.fetchone()
    return int(row[0])


def _hashed(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
