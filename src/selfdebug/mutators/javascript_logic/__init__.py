"""JavaScript logic errors: a program that runs and computes something else.

`expressions` and `statements` hold the operators; this file puts them in order, the most
plausible first.

    python -m selfdebug.mutators.javascript_logic < program.js
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from selfdebug.languages.javascript_edit import mutations, repairs
from selfdebug.mutators.javascript_logic import expressions, statements
from selfdebug.types import Kind, Language, Mutation

LANGUAGE: Language = "javascript"
KIND: Kind = "logic"
NAME = "javascript_logic"

OPERATORS = (
    expressions.operator,
    expressions.connective,
    expressions.assignment,
    expressions.negation,
    expressions.boolean,
    expressions.initial,
    expressions.operand,
    statements.deletion,
    statements.missing_return,
    statements.branches,
    expressions.order,
    expressions.results,
    expressions.name,
    expressions.number,
    expressions.string,
    expressions.sign,
    statements.unguarded,
    statements.jump,
    statements.placement,
    statements.shadowing,
    statements.aliasing,
    expressions.bracketing,
    expressions.misfit,
    expressions.expression,
    statements.result,
    statements.insertion,
    expressions.exchange,
    statements.guard,
    expressions.extra_operand,
)


def mutate(code: str, rng: Random) -> Iterator[Mutation]:
    """Yield logic errors put into a working program."""
    return mutations(code, OPERATORS, KIND, NAME, rng)


def repair(code: str) -> Iterator[Mutation]:
    """Yield programs with one piece of `code`'s logic changed."""
    return repairs(code, OPERATORS, KIND, NAME)
