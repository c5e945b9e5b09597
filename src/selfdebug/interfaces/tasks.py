"""Which tasks a person means: `humaneval:HumanEval/0`, a benchmark's split, or a file of tasks.

selfdebug run program.py --task humaneval:HumanEval/0
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from selfdebug import plugins
from selfdebug.types import SelfdebugError, Task


def choose(name: str, file: Path | None, source: str = "") -> list[Task]:
    """Return what --task or --tests name: exactly one of them must be given."""
    if bool(name) == bool(file):
        raise SelfdebugError("say what to judge by: either --task BENCHMARK:ID or --tests FILE")
    return [find(name, source)] if name else list(split_of("jsonl", source=str(file)))


def find(name: str, source: str = "") -> Task:
    """Return the task BENCHMARK:ID, in whichever split it is."""
    benchmark, colon, wanted = name.partition(":")
    if not colon or not wanted:
        raise SelfdebugError(f"--task {name}: write BENCHMARK:ID, such as humaneval:HumanEval/0")
    seen: list[str] = []
    for task in _all_splits(benchmark, source):
        if wanted in (task.id, task.id.rpartition("/")[2]):
            return task
        seen.append(task.id)
    near = get_close_matches(wanted, seen, n=3, cutoff=0.5) or seen[:3]
    raise SelfdebugError(f"{benchmark} has no task {wanted!r}; it has {', '.join(near)}, ...")


def split_of(benchmark: str, split: str = "", source: str = "") -> Iterator[Task]:
    """Yield the tasks of one split; "" is the benchmark's own default."""
    module = plugins.load("benchmarks", benchmark)
    chosen = {"split": split} if split else {}
    return module.load(**chosen, **({"source": source} if source else {}))


def read_program(path: Path) -> str:
    """Return a user's program as text."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SelfdebugError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SelfdebugError(f"{path} is not UTF-8 text: byte {error.start} is wrong") from error


def _all_splits(benchmark: str, source: str) -> Iterator[Task]:
    for split in plugins.load("benchmarks", benchmark).SPLITS:
        yield from split_of(benchmark, split, source)
