"""Python logic errors: wrong operators, names, values and conditions; lost or excess statements.

`conditions` changes what is decided, `expressions` and `literals` what is computed, `statements`
what runs and in which order, `sharing` what is one and the same list.

    python -c "from selfdebug.mutators import python_logic as m; print(*m.repair('x = a < b'))"
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfdebug.languages.python_edit.change import Operator, mutations, repairs
from selfdebug.mutators.python_logic import conditions, expressions, literals, sharing, statements
from selfdebug.types import Kind, Language, Mutation

LANGUAGE: Language = "python"
KIND: Kind = "logic"
OPERATORS: tuple[Operator, ...] = (
    *conditions.OPERATORS,
    *expressions.OPERATORS,
    *literals.OPERATORS,
    *statements.OPERATORS,
    *sharing.OPERATORS,
)


def mutate(code: str, rng: Random) -> Iterator[Mutation]:
    """Yield logic errors put into a working program."""
    return mutations(code, OPERATORS, KIND, "python_logic", rng)


def repair(code: str) -> Iterator[Mutation]:
    """Yield programs in which one decision, value or statement is another."""
    return repairs(code, OPERATORS, KIND, "python_logic")
