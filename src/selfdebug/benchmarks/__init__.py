"""Benchmarks, one file each, and the one way to name them.

A name is a plugin of this folder (`humaneval`), a data set on the Hugging Face hub
(`openai/openai_humaneval`), a file of tasks (`mine.jsonl`) or a loader of one's own (`./mine.py`).

    python -c "from selfdebug import benchmarks; print(next(benchmarks.load('demo')).prompt)"
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, cast

from selfdebug import plugins
from selfdebug.formats.data import HUB, DataSet
from selfdebug.types import SelfdebugError, Task


class Benchmark(Protocol):
    """What a file of this folder offers.

    EVALUATION_ONLY: splits that must never be trained on. DATA: where its rows come from.
    """

    LICENSE: str
    SPLITS: tuple[str, ...]
    EVALUATION_ONLY: tuple[str, ...]
    DATA: tuple[DataSet, ...]

    def load(self, split: str = "", source: str = "") -> Iterator[Task]:
        """Yield a split's tasks; source: a data folder, "hub", or "" for the usual folders."""
        ...


def resolve(name: str, source: str = "") -> tuple[Benchmark, str]:
    """Return the benchmark that `name` means, and the source to load it from."""
    if name.endswith(".jsonl"):
        return cast("Benchmark", plugins.load("benchmarks", "jsonl")), name
    if "/" in name and not name.endswith(".py"):
        return _on_the_hub(name), HUB
    return cast("Benchmark", plugins.load("benchmarks", name)), source


def load(name: str, split: str = "", source: str = "") -> Iterator[Task]:
    """Yield the tasks of a benchmark; split "" is its own default."""
    benchmark, source = resolve(name, source)
    return benchmark.load(split, source=source) if split else benchmark.load(source=source)


def _on_the_hub(name: str) -> Benchmark:
    known: dict[str, str] = {}
    for plugin in plugins.names("benchmarks"):
        data = cast("Benchmark", plugins.load("benchmarks", plugin)).DATA
        if data and data[0].hub:
            known.setdefault(data[0].hub, plugin)
    if name not in known:
        raise SelfdebugError(
            f"no loader for the hub's data set {name!r}; there are loaders for: {', '.join(known)}"
        )
    return cast("Benchmark", plugins.load("benchmarks", known[name]))
