"""Which tasks a person means: `humaneval:HumanEval/0`, or a file of tasks.

selfdebug run program.py --task humaneval:HumanEval/0
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from selfdebug import benchmarks
from selfdebug.benchmarks import jsonl
from selfdebug.types import SelfdebugError, Task


def choose(name: str, file: Path | None, source: str = "") -> list[Task]:
    """Return what --task or --tests name: exactly one of them must be given."""
    if bool(name) == bool(file):
        raise SelfdebugError("say what to judge by: either --task BENCHMARK:ID or --tests FILE")
    return list(jsonl.load(source=str(file))) if file else [find(name, source)]


def find(name: str, source: str = "") -> Task:
    """Return the task BENCHMARK:ID, in whichever split it is; `mbpp:3` will do for mbpp:MBPP/3."""
    benchmark, colon, wanted = name.partition(":")
    if not colon or not wanted:
        raise SelfdebugError(f"--task {name}: write BENCHMARK:ID, such as humaneval:HumanEval/0")
    found, source = benchmarks.resolve(benchmark, source)
    seen: list[str] = []
    for split in found.SPLITS:
        for task in found.load(split, source=source):
            if wanted in (task.id, task.id.rpartition("/")[2]):
                return task
            seen.append(task.id)
    near = get_close_matches(wanted, seen, n=3, cutoff=0.5) or seen[:3]
    raise SelfdebugError(f"{benchmark} has no task {wanted!r}; it has {', '.join(near)}, ...")


def tasks_to_train_on(names: Sequence[str], source: str) -> list[Task]:
    """Return the tasks of "benchmark:split" names, each once, none of them for evaluation only."""
    if not names:
        raise SelfdebugError("name the tasks, such as mbpp:train")
    found: dict[str, Task] = {}
    for name in names:
        benchmark, _, split = name.partition(":")
        loader, _ = benchmarks.resolve(benchmark, source)
        if split in loader.EVALUATION_ONLY or (not split and loader.EVALUATION_ONLY):
            raise SelfdebugError(f"{name} is for evaluation only: nothing may be trained on it")
        found |= {task.id: task for task in benchmarks.load(benchmark, split, source)}
    return list(found.values())


def read_program(path: Path) -> str:
    """Return a user's program as text."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SelfdebugError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SelfdebugError(f"{path} is not UTF-8 text: byte {error.start} is wrong") from error
