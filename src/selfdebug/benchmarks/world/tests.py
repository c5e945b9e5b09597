"""Inputs that tell the readings of a chain apart, and the tests made of them.

The visible tests hold, for every wrong reading, an input on which it differs from the right one;
the first of them separates as many readings as one short input can. It runs the world's own Python
programs in this process: they are made here, and need no sandbox.

    python -c "from selfdebug.benchmarks.world import tests; help(tests.choose)"
"""

from __future__ import annotations

import json
from ast import literal_eval
from collections.abc import Callable
from random import Random
from typing import Any, cast

from selfdebug.benchmarks.world.programs import ENTRY, Chain, Reading, program
from selfdebug.types import Test

TRIED = 36  # inputs, of which the tests are chosen
VISIBLE, HIDDEN = 3, 4
MAX_VALUE = 99  # values stay short, as a small model reads them digit by digit

Input = list[Any]
Outputs = list[str]  # of each reading, as Python writes it


def choose(chain: Chain, right: Reading, rng: Random) -> list[Test] | None:
    """Return visible and hidden tests, or None when no few inputs tell the readings apart."""
    readings = list(chain.readings())
    position = readings.index(right)
    functions = [function(program(chain, r, "python", "expressions")) for r in readings]
    pool = _pool(chain, functions, rng)
    shown: list[tuple[Input, Outputs]] = []
    confused = set(range(len(readings))) - {position}
    while pool and (confused or len(shown) < VISIBLE):
        # First what separates most of all readings, then most from the right one; then short ones.
        if not shown:
            best = max(pool, key=lambda io: (len(set(io[1])), -len(repr(io[0]))))
        else:
            best = max(
                pool,
                key=lambda io: (
                    sum(io[1][other] != io[1][position] for other in confused),
                    len(set(io[1])),
                    -len(repr(io[0])),
                ),
            )
        pool.remove(best)
        shown.append(best)
        confused -= {other for other in confused if best[1][other] != best[1][position]}
        if len(shown) > VISIBLE + 1:
            return None
    hidden = rng.sample(pool, min(HIDDEN, len(pool)))
    results = {outputs[position] for _, outputs in [*shown, *hidden]}
    if confused or len(hidden) < HIDDEN or len(results) < 3:
        return None
    return [
        *(_test(f"test-{n}", io, position, hidden=False) for n, io in enumerate(shown, 1)),
        *(_test(f"hidden-{n}", io, position, hidden=True) for n, io in enumerate(hidden, 1)),
    ]


def function(code: str) -> Callable[[Input], Any]:
    """Return the function that one of the world's own Python programs defines."""
    namespace: dict[str, Any] = {}
    exec(compile(code, "<world>", "exec"), namespace)
    return cast("Callable[[Input], Any]", namespace[ENTRY])


def _pool(
    chain: Chain, functions: list[Callable[[Input], Any]], rng: Random
) -> list[tuple[Input, Outputs]]:
    """Return inputs on which every reading has a value, with those values."""
    make = _words if chain.argument == "words" else _numbers
    edges = [n for step in chain.steps for n in (step.k - 1, step.k, step.m, step.m + 1)]
    pool: dict[str, tuple[Input, Outputs]] = {}
    for number in range(TRIED):
        given = make(number % 7 if number else 0, edges, rng)
        try:
            outputs = [repr(call([*given])) for call in functions]
        except (IndexError, ValueError):  # a reading has no answer, such as max([])
            continue
        numbers = [int(n) for out in outputs for n in out.replace("-", " ").split() if n.isdigit()]
        if max(numbers, default=0) <= MAX_VALUE:
            pool.setdefault(repr(given), (given, outputs))
    return list(pool.values())


def _numbers(size: int, edges: list[int], rng: Random) -> Input:
    """Return values in [-9, 12]: many at the chain's own numbers, some repeated."""
    values: Input = []
    for _ in range(size):
        kind = rng.random()
        if values and kind < 0.2:
            values.append(rng.choice(values))
        elif kind < 0.55:
            values.append(rng.choice(edges))
        else:
            values.append(rng.randint(-4, 9))
    return values


def _words(size: int, edges: list[int], rng: Random) -> Input:
    """Return words of one to four letters of "abcde"."""
    del edges
    return ["".join(rng.choices("abcde", k=rng.choice((1, 2, 2, 3, 3, 4)))) for _ in range(size)]


def _test(name: str, io: tuple[Input, Outputs], position: int, *, hidden: bool) -> Test:
    body: dict[str, Any] = {
        "args": [io[0]],
        "kwargs": {},
        "expected": literal_eval(io[1][position]),
        "atol": 0.0,
    }
    return Test(name, "call", json.dumps(body), hidden)
