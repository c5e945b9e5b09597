"""Where a run's programs are judged and written: on this machine, or on a Ray cluster.

selfdebug harvest mbpp:train --option model=NAME --ray auto --out runs/harvest
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from selfdebug.interfaces import runs
from selfdebug.sandbox import Sandbox
from selfdebug.types import Backend, Judge


@dataclass(frozen=True, slots=True)
class Machines:
    """A judge, how a backend is opened by its name and options, and copies that it has."""

    judge: Judge
    backend: Callable[[str, Sequence[str]], Backend]
    copies: int = 1


@contextmanager
def machines(
    ray: str, *, writers: int = 0, calls: int = 1, backends: int = 1, allow_unsafe: bool = False
) -> Generator[Machines]:
    """Open the machines: this one, or those of the cluster at the address `ray`.

    writers, backends: see `cluster.Cluster`. calls: that one copy of a backend takes at a time.
    """
    if not ray:
        with Sandbox(allow_unsafe=allow_unsafe) as sandbox:
            yield Machines(sandbox, lambda name, options: runs.backend(name, sandbox, options))
        return
    from selfdebug.cluster import cluster

    with cluster(ray, writers=writers, backends=backends, allow_unsafe=allow_unsafe) as found:
        yield Machines(
            found.judge,
            lambda name, options: found.backend(name, runs.pairs(options), calls),
            found.writers,
        )
