"""A small world of programming tasks for small models, made by rule: chains of list operations.

A description leaves conventions open (which end counts, what an empty list gives, which of equal
ones wins), more often meant one way than another, so guessing gets some way and a failing test is
needed for the rest. Split by composition and by program text: no chain of operations and no
program of "test" is in "train". It needs nothing but the standard library; same seed, same tasks.

    selfdebug eval world --backend search
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from selfdebug.benchmarks.world.operations import OPERATIONS, Type
from selfdebug.benchmarks.world.programs import (
    ENTRY,
    STYLES,
    Chain,
    Reading,
    Step,
    Style,
    description,
    program,
)
from selfdebug.benchmarks.world.tests import choose
from selfdebug.formats.data import check_split
from selfdebug.types import Language, Task

LICENSE = "Apache-2.0"
SPLITS = ("demo", "test", "train")
EVALUATION_ONLY = ("test", "demo")
DATA = ()

SIZES = {"demo": 24, "test": 480, "train": 4000}  # both languages in equal parts
LANGUAGES: tuple[Language, ...] = ("python", "javascript")
MAX_OPEN = 16  # readings of one chain: two operations of four choices
SHARE_OF_TWO = 0.12  # of the chains with something open, that leave two things open
HELD_OUT = 4  # one composition of so many is never trained on


@dataclass(frozen=True, slots=True)
class Idea:
    """What a task is made of: the chain, what it means, and how it is worded and written."""

    chain: Chain
    reading: Reading
    language: Language
    style: Style
    wording: int

    def code(self, reading: Reading | None = None) -> str:
        """Return the program, of another reading when one is given."""
        return program(self.chain, reading or self.reading, self.language, self.style)


def load(split: str = "demo", source: str = "") -> Iterator[Task]:
    """Yield the tasks of a split, Python and JavaScript in turn; source is not used."""
    del source
    check_split("world", split, SPLITS)
    for number, (_, task) in enumerate(ideas(split)):
        if number == SIZES[split]:
            return
        yield task


def ideas(split: str, seed: int = 0) -> Iterator[tuple[Idea, Task]]:
    """Yield tasks without end, each with what it is made of; seed 0 are those of `load`."""
    held_out = split != "train"
    if split == "demo":
        split = "test"  # its first tasks
    rng = Random(f"world {split} {seed}")
    banned = frozenset[str]() if held_out else _evaluation_texts()
    seen: set[str] = set()
    number = 0
    while True:
        idea = _draw(rng, LANGUAGES[number % len(LANGUAGES)], held_out)
        code = idea.code()
        if code in seen or code in banned:
            continue
        tests = choose(idea.chain, idea.reading, rng)
        if tests is None:
            continue
        # The held-out split has no program twice; training may meet one again in other tests.
        if held_out:
            seen.add(code)
        number += 1
        yield (
            idea,
            Task(
                id=f"world/{split}/{seed}/{number}" if seed else f"world/{split}/{number}",
                language=idea.language,
                prompt=description(idea.chain, idea.wording),
                entry_point=ENTRY,
                tests=tuple(tests),
                reference=code,
                source="world",
                license=LICENSE,
            ),
        )


def held_out(chain: Chain) -> bool:
    """Tell whether a composition belongs to evaluation; single operations are all trained on."""
    if len(chain.steps) == 1:
        return False
    digest = hashlib.sha256(chain.composition.encode()).digest()
    return digest[0] % HELD_OUT == 0


@cache
def _evaluation_texts() -> frozenset[str]:
    """Every program of every reading and style of the evaluation's tasks."""
    texts: set[str] = set()
    for number, (idea, _) in enumerate(ideas("test")):
        if number == SIZES["test"]:
            break
        for reading in idea.chain.readings():
            for style in STYLES:
                texts.add(program(idea.chain, reading, idea.language, style))
    return frozenset(texts)


def _draw(rng: Random, language: Language, wanted: bool) -> Idea:
    """Return a random idea whose composition is held out, or is not."""
    while True:
        chain = _chain(rng)
        if chain is None or held_out(chain) != wanted:
            continue
        reading = tuple(
            rng.choices(
                range(len(step.operation.choices)),
                [choice.weight for choice in step.operation.choices],
            )[0]
            for step in chain.steps
        )
        return Idea(chain, reading, language, rng.choice(STYLES), rng.randrange(2))


def _chain(rng: Random) -> Chain | None:
    """Return a chain that leaves one or two things open; None when the draw leads nowhere."""
    length = rng.choices((1, 2, 3), (15, 45, 40))[0]
    state: Type = rng.choices(("numbers", "words"), (65, 35))[0]
    steps: list[Step] = []
    for at in range(length):
        fitting = [op for op in OPERATIONS if op.takes == state]
        if at < length - 1:
            fitting = [op for op in fitting if op.gives != "end"]
        operation = rng.choice(fitting)
        if any(step.operation.name == operation.name for step in steps):
            return None
        k = rng.randint(*_RANGES.get(operation.name, (2, 4)))
        steps.append(Step(operation, k, k + rng.randint(2, 4)))
        state = operation.gives
    open_ones = sum(len(step.operation.choices) > 1 for step in steps)
    if open_ones == 0 or open_ones > 2 or (open_ones == 2 and rng.random() > SHARE_OF_TWO):
        return None
    return Chain(tuple(steps))


# Of K. "every" has three readings for K = 2, two of them the same.
_RANGES = {
    "every": (3, 4),
    **dict.fromkeys(("above", "below", "plus", "between", "replace"), (2, 6)),
}
