"""Python off-by-one errors: range ends and starts, indices, slices, bounds, counters, fence posts.

`sequences` holds the operators on ranges, indices and slices, `numbers` those on values that are
compared and counted, `quantities` those on values worked out and handed on, `patterns` those inside
texts. One too many and one too few are each other's repair.

    python -c "from selfdebug.mutators import python_off_by_one as m; print(*m.repair('x = a[1]'))"
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfdebug.languages.python_edit.change import Operator, mutations, repairs
from selfdebug.mutators.python_off_by_one import numbers, patterns, quantities, sequences
from selfdebug.types import Kind, Language, Mutation

LANGUAGE: Language = "python"
KIND: Kind = "off_by_one"

OPERATORS: tuple[Operator, ...] = (
    numbers.boundary,
    sequences.range_end,
    sequences.range_start,
    sequences.index,
    sequences.slice_bound,
    numbers.bound,
    numbers.start_value,
    numbers.step,
    numbers.argument,
    numbers.operand,
    numbers.assigned,
    numbers.returned,
    numbers.length,
    sequences.enumerate_start,
    sequences.slice_edge,
    sequences.skipped_element,
    patterns.quantifier,
    quantities.bisection,
    quantities.difference,
    quantities.limit,
    quantities.listed,
    quantities.counted,
    quantities.handed,
    quantities.measured,
    quantities.found_place,
    quantities.result,
    quantities.factor,
    quantities.emptiness,
    sequences.unread_element,
    sequences.shifted_range,
    sequences.shifted_slice,
    sequences.stride,
    sequences.reversed_edge,
    patterns.repetition,
    patterns.group,
    patterns.width,
)


def mutate(code: str, rng: Random) -> Iterator[Mutation]:
    """Yield off-by-one errors put into a working program."""
    return mutations(code, OPERATORS, KIND, "python_off_by_one", rng)


def repair(code: str) -> Iterator[Mutation]:
    """Yield programs in which one value or bound is moved by one."""
    return repairs(code, OPERATORS, KIND, "python_off_by_one")
